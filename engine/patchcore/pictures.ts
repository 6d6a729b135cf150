import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { InvalidInput } from '../domain';

export interface TrainingPicture {
  /** For messages, for example the file's path. */
  readonly name: string;
  /** Encoded JPEG or PNG, or how to get it. */
  readonly picture: Buffer | (() => Promise<Buffer>);
}

const EXTENSIONS = new Set(['.jpg', '.jpeg', '.png']);

/**
 * The picture files (.jpg, .jpeg, .png) of a folder, by name, read when they are asked for. Subfolders and hidden files
 * are left out.
 *
 * @throws {InvalidInput} when the folder cannot be read, or holds no picture file
 */
export async function picturesInFolder(
  folder: string,
): Promise<(TrainingPicture & { picture: () => Promise<Buffer> })[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new InvalidInput(
      error.code === 'ENOENT'
        ? `The folder ${folder} does not exist. Check the path.`
        : `The folder ${folder} cannot be read: ${error.message}.`,
      { folder },
    );
  });
  const names = entries
    .filter(
      (entry) =>
        !entry.isDirectory() && !entry.name.startsWith('.') && EXTENSIONS.has(extname(entry.name).toLowerCase()),
    )
    .map((entry) => entry.name)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  if (names.length === 0) {
    throw new InvalidInput(`The folder ${folder} holds no pictures (.jpg, .jpeg or .png).`, { folder });
  }
  return names.map((name) => ({ name: join(folder, name), picture: () => readFile(join(folder, name)) }));
}
