import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { InvalidInput } from '../domain';
import { isPictureName, isReadPictureName } from '../imaging';

export interface TrainingPicture {
  /** For messages, for example the file's path. */
  readonly name: string;
  /** Encoded JPEG or PNG, or how to get it. */
  readonly picture: Buffer | (() => Promise<Buffer>);
}

/** A picture in a folder. */
export interface PictureFile extends TrainingPicture {
  readonly picture: () => Promise<Buffer>;
}

/**
 * The picture files of a folder, by name, read when they are asked for. Those in other formats than JPEG and PNG, such as
 * .webp and .tif, are among them, so that they are named when they turn out to be unreadable. Subfolders, hidden files and
 * what is no picture are left out.
 *
 * @throws {InvalidInput} when the folder cannot be read, or holds no .jpg, .jpeg or .png
 */
export async function picturesInFolder(folder: string): Promise<PictureFile[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new InvalidInput(
      error.code === 'ENOENT'
        ? `The folder ${folder} does not exist. Check the path.`
        : `The folder ${folder} cannot be read: ${error.message}.`,
      { folder },
    );
  });
  const names = entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.') && isPictureName(entry.name))
    .map((entry) => entry.name)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  if (!names.some(isReadPictureName)) {
    const others = [...new Set(names.map((name) => extname(name).toLowerCase()))].join(', ');
    const hint =
      names.length === 0 ? '.' : `, but ${names.length} in other formats (${others}). Save them as JPEG or PNG.`;
    throw new InvalidInput(`The folder ${folder} holds no pictures (.jpg, .jpeg or .png)${hint}`, { folder });
  }
  return names.map((name) => ({ name: join(folder, name), picture: () => readFile(join(folder, name)) }));
}

/**
 * Those of `picturesInFolder` that are JPEG or PNG by their names: for golden pictures and masks, which nobody leaves out.
 *
 * @throws {InvalidInput} as it does
 */
export async function readablePicturesInFolder(folder: string): Promise<PictureFile[]> {
  return (await picturesInFolder(folder)).filter(({ name }) => isReadPictureName(name));
}
