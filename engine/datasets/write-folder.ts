import { constants, copyFile, link, mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import type { Dataset, DatasetPicture } from './dataset';
import { DatasetNotWritable } from './errors';

/** What is needed of a dataset to write it. */
export interface WritableDataset extends Pick<Dataset, 'kind' | 'classes'> {
  readonly pictures: readonly Omit<DatasetPicture, 'sha256'>[];
}

export interface WriteOptions {
  /** Copies of the pictures unless told, or hard links to them where the disk has such (otherwise copies). */
  readonly pictures?: 'copy' | 'link';
}

/** Files of a dataset while it is written. All paths are relative to the folder. */
export interface DatasetFolder {
  makeFolder(path: string): Promise<void>;
  writeText(path: string, text: string): Promise<void>;
  addPicture(path: string, source: string): Promise<void>;
}

const NO_LINKS = new Set(['EXDEV', 'EPERM', 'ENOTSUP', 'EMLINK', 'ENOSYS']);

/**
 * Makes a folder that is there with everything in it or not at all.
 *
 * @throws {DatasetNotWritable} when the folder is there and not empty, a path leads out of it, or a file cannot be written
 */
export async function makeDatasetFolder(
  folder: string,
  { pictures = 'copy' }: WriteOptions,
  fill: (files: DatasetFolder) => Promise<void>,
): Promise<void> {
  const target = resolve(folder);
  const isEmpty = await readdir(target).then(
    (names) => names.length === 0,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  );
  if (!isEmpty) throw new DatasetNotWritable(folder, 'the folder is not empty. Choose a new one.');
  const unfinished = `${target}.unfinished`;
  const inside = async (path: string) => {
    const place = resolve(unfinished, path);
    if (!place.startsWith(unfinished + sep)) throw new DatasetNotWritable(folder, `${path} leads out of the folder.`);
    await mkdir(dirname(place), { recursive: true });
    return place;
  };
  try {
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true });
    await fill({
      makeFolder: async (path) => void (await mkdir(join(await inside(path)), { recursive: true })),
      writeText: async (path, text) => writeFile(await inside(path), text, { flag: 'wx' }),
      addPicture: async (path, source) => addPicture(await inside(path), source, pictures),
    });
    await rmdir(target).catch(() => undefined);
    await rename(unfinished, target);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new DatasetNotWritable(folder, `${(error as Error).message}.`, error);
  }
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
