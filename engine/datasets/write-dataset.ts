import { constants, copyFile, link, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';
import { makeFolder } from '../domain';
import { type DatasetFile, datasetFiles, type WritableDataset, type WritableFormat } from './dataset-files';
import { DatasetNotWritable } from './errors';

export interface WriteOptions {
  /** Copies of the pictures unless told, or hard links to them where the disk has such (otherwise copies). */
  readonly pictures?: 'copy' | 'link';
}

const NO_LINKS = new Set(['EXDEV', 'EPERM', 'ENOTSUP', 'EMLINK', 'ENOSYS']);

/**
 * Writes a dataset ({@link datasetFiles} says as what) to a folder that is there with everything in it or not at all.
 *
 * @param folder new or empty
 * @throws {DatasetNotWritable} when the folder is there and not empty, a file cannot be written, or the format does not fit
 */
export async function writeDataset(
  dataset: WritableDataset,
  format: WritableFormat,
  folder: string,
  { pictures = 'copy' }: WriteOptions = {},
): Promise<void> {
  const files = datasetFiles(dataset, format, folder);
  const target = resolve(folder);
  const isEmpty = await readdir(target).then(
    (names) => names.length === 0,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  );
  if (!isEmpty) throw new DatasetNotWritable(folder, 'the folder is not empty. Choose a new one.');
  const unfinished = `${target}.unfinished`;
  try {
    await rm(unfinished, { recursive: true, force: true });
    await makeFolder(unfinished);
    for (const file of files) {
      const place = resolve(unfinished, file.place);
      if (!place.startsWith(unfinished + sep)) throw new DatasetNotWritable(folder, `${file.place} leads out of it.`);
      await writeOne(place, file, pictures);
    }
    await rmdir(target).catch(() => undefined);
    await rename(unfinished, target);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new DatasetNotWritable(folder, `${(error as Error).message}.`, error);
  }
}

/** {@link writeDataset} as YOLO. */
export function writeYolo(dataset: WritableDataset, folder: string, options?: WriteOptions): Promise<void> {
  return writeDataset(dataset, 'yolo', folder, options);
}

/** {@link writeDataset} as COCO. */
export function writeCoco(dataset: WritableDataset, folder: string, options?: WriteOptions): Promise<void> {
  return writeDataset(dataset, 'coco', folder, options);
}

/** {@link writeDataset} as folders of classes. */
export function writeClassFolders(dataset: WritableDataset, folder: string, options?: WriteOptions): Promise<void> {
  return writeDataset(dataset, 'classes', folder, options);
}

async function writeOne(place: string, file: DatasetFile, how: 'copy' | 'link'): Promise<void> {
  await makeFolder('folder' in file ? place : dirname(place));
  if ('text' in file) await writeFile(place, file.text, { flag: 'wx' });
  if ('picture' in file) await addPicture(place, file.picture, how);
}

async function addPicture(place: string, source: string, how: 'copy' | 'link'): Promise<void> {
  if (how === 'link') {
    const linked = await link(source, place).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (NO_LINKS.has(error.code ?? '')) return false;
        throw error;
      },
    );
    if (linked) return;
  }
  await copyFile(source, place, constants.COPYFILE_EXCL);
}
