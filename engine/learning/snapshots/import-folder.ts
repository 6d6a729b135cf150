import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { type Dataset, DatasetUnreadable, datasetKindOf, readDataset } from '../../datasets';
import { InvalidInput, isPartType, type Label, PartTypeInvalid } from '../../domain';
import { defaultPictureLimits, PictureUnreadable } from '../../imaging';
import { checkImportedClass, isGoodClass } from './good-class';
import type { ImportedPictures, ImportOrder, ImportResult, ImportWatch, IncomingPicture } from './imported-pictures';

export interface FolderImport {
  readonly partType: string;
  /** Absolute path of a folder of pictures, or of a data set. */
  readonly path: string;
  /**
   * What the pictures show. A data set may do without: then a picture with boxes, or of another class than `good` and
   * `ok`, is NG, and any other OK.
   */
  readonly label?: Label;
  /** What the pictures of a folder labelled NG show, for a classifier. A data set has its own classes. */
  readonly class?: string;
  readonly actor: string;
  /** Folders that the pictures must lie in, links followed; anywhere unless told. */
  readonly within?: readonly string[];
  /** Data folder of the station: what it keeps there itself, such as the pictures of the line, is not imported. */
  readonly dataFolder?: string;
}

/** Folders of the data folder that the station writes. */
const OWN_FOLDERS: readonly string[] = ['images', 'maps', 'models', 'deleted-models', 'training', 'backbones'];
const FILES_LIMIT = 20_000;

/**
 * Imports the pictures of a folder, not of those below it, or of a data set in any format that is known here, with its boxes.
 *
 * @throws {InvalidInput} when the folder cannot be read, is the station's own, holds no file or too many, no label is told for
 *   it, or the class does not go with the label
 * @throws {DatasetUnreadable} @throws {PartTypeInvalid}
 */
export async function importFolder(
  imported: Pick<ImportedPictures, 'add'>,
  order: FolderImport,
  watch?: ImportWatch,
): Promise<readonly ImportResult[]> {
  const files = await (await openFolder(order))(watch?.signal);
  return imported.add(files, importOrderOf(order), watch);
}

/** What holds for each picture of a folder that says nothing else. */
export function importOrderOf({ partType, label = 'OK', class: shown, actor }: FolderImport): ImportOrder {
  return { partType, label, class: shown, actor };
}

/**
 * Looks at what a folder is.
 *
 * @returns reads which files it holds; of a data set each picture is read once, which may take a while
 * @throws as `importFolder`, but for what only the pictures of a data set show
 */
export async function openFolder({ partType, path, label, class: shown, within, dataFolder }: FolderImport) {
  if (!isPartType(partType)) throw new PartTypeInvalid(partType);
  checkImportedClass(label, shown);
  if (dataFolder !== undefined) await assertForeign(path, dataFolder);
  const listed = (await isDataset(path)) ? null : limited(path, await ofFolder(path, label, within));
  return async (signal?: AbortSignal): Promise<readonly IncomingPicture[]> =>
    listed ?? limited(path, await ofDataset(path, { label, within, signal }));
}

/** @throws {InvalidInput} for too many */
function limited(path: string, files: readonly IncomingPicture[]): readonly IncomingPicture[] {
  if (files.length <= FILES_LIMIT) return files;
  throw new InvalidInput(
    `${path} holds ${files.length} files; at most ${FILES_LIMIT} are imported at once. Divide it into folders.`,
    { path, limit: FILES_LIMIT },
  );
}

/** One label for all pictures of the line would call the defective ones good. */
async function assertForeign(path: string, dataFolder: string): Promise<void> {
  const [place, root] = await Promise.all([path, dataFolder].map((one) => realpath(one).catch(() => one)));
  const [first] = relative(root, place).split(sep);
  if (first !== '' && !OWN_FOLDERS.includes(first)) return;
  throw new InvalidInput(
    `${path} is a folder of the station itself, with pictures of all kinds. Label pictures of the line in the review, ` +
      'or put those to import into a folder of their own.',
    { path },
  );
}

async function isDataset(path: string): Promise<boolean> {
  return datasetKindOf(path).then(
    () => true,
    (error) => {
      if (error instanceof DatasetUnreadable) return false;
      throw error;
    },
  );
}

async function ofDataset(
  path: string,
  { label, ...options }: Pick<FolderImport, 'label' | 'within'> & { readonly signal?: AbortSignal },
): Promise<readonly IncomingPicture[]> {
  const { pictures, skipped } = await readDataset(path, options);
  const against = pictures.filter((picture) => label !== undefined && contradicts(picture, label));
  if (label !== undefined && against.length > 0) {
    throw new InvalidInput(
      `${path} is a data set, and its own classes or boxes say otherwise than ${label} of ${against.length} of its pictures. ` +
        'Leave the label out, or import the folders of its pictures one by one.',
      { path, label, pictures: against.length },
    );
  }
  return [
    ...pictures.map(
      (picture): IncomingPicture => ({
        name: basename(picture.path),
        place: placeIn(path, picture.path),
        label: label ?? labelOf(picture),
        boxes: picture.boxes,
        ...(picture.class !== undefined && { class: picture.class }),
        picture: () => readFile(picture.path),
      }),
    ),
    ...skipped.map(
      ({ name, reason }): IncomingPicture => ({
        name: basename(name),
        place: placeIn(path, name),
        picture: () => Promise.reject(new InvalidInput(reason)),
      }),
    ),
  ];
}

/** Files of the same name lie in several folders of a data set. */
function placeIn(path: string, file: string): string {
  if (!isAbsolute(file)) return file;
  const place = relative(/\.(ya?ml|json)$/i.test(path) ? dirname(path) : path, file);
  return place.startsWith('..') ? file : place;
}

function contradicts(picture: Dataset['pictures'][number], label: Label): boolean {
  const isTold = (picture.boxes ?? []).length > 0 || (picture.boxes === null && picture.class !== undefined);
  return isTold && labelOf(picture) !== label;
}

function labelOf({ boxes, class: own }: Dataset['pictures'][number]): Label {
  if (boxes !== null) return boxes.length > 0 ? 'NG' : 'OK';
  return own !== undefined && isGoodClass(own) ? 'OK' : 'NG';
}

async function ofFolder(folder: string, label: Label | undefined, within: FolderImport['within']) {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'it does not exist' : error.message;
    throw new InvalidInput(`The folder ${folder} cannot be read: ${why}. Check the path.`, { folder });
  });
  if (label === undefined) {
    throw new InvalidInput(`${folder} is no data set: say with the label what its pictures show, OK or NG.`, {
      folder,
    });
  }
  const names = entries.filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name);
  if (names.length === 0) throw new InvalidInput(`The folder ${folder} holds no pictures.`, { folder });
  const allowed = within && (await Promise.all(within.map((one) => realpath(one))));
  return names
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((name): IncomingPicture => ({ name, picture: () => readPicture(join(folder, name), allowed) }));
}

/** @throws {PictureUnreadable} for a file that is too large, before it is read */
async function readPicture(path: string, allowed: readonly string[] | undefined): Promise<Buffer> {
  const real = await realpath(path);
  if (allowed && !allowed.some((folder) => real.startsWith(folder + sep))) {
    throw new InvalidInput('The picture lies outside the allowed folders.');
  }
  const { size } = await stat(real);
  const { maxBytes } = defaultPictureLimits;
  if (size > maxBytes) throw new PictureUnreadable('too-large', { bytes: size, limit: maxBytes });
  return readFile(real);
}
