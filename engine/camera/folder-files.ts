import { constants } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { PictureUnreadable } from '../imaging';
import { CameraUnavailable } from './errors';

export const PICTURE_EXTENSIONS: readonly string[] = ['.jpg', '.jpeg', '.png'];

export interface FolderListing {
  /** In natural order: `part9.jpg` before `part10.jpg`. */
  readonly pictures: readonly string[];
  /** Other files; hidden ones and folders are in neither list. */
  readonly others: readonly string[];
}

const natural = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** Natural order of file names; names that differ in case only are told apart by their code points. */
export function compareNames(a: string, b: string): number {
  return natural.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** @throws {CameraUnavailable} when the folder cannot be read */
export async function listFolder(folder: string, extensions: readonly string[]): Promise<FolderListing> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error) => {
    throw folderUnavailable(folder, error);
  });
  const names = entries
    .filter((entry) => (entry.isFile() || entry.isSymbolicLink()) && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort(compareNames);
  return {
    pictures: names.filter((name) => isPictureName(name, extensions)),
    others: names.filter((name) => !isPictureName(name, extensions)),
  };
}

export function isPictureName(name: string, extensions: readonly string[]): boolean {
  return !name.startsWith('.') && extensions.includes(extname(name).toLowerCase());
}

/**
 * The folder's time of change, in milliseconds; it changes when files come and go.
 *
 * @throws {CameraUnavailable} when there is no such folder
 */
export async function folderChangedAt(folder: string): Promise<number> {
  const stats = await stat(folder).catch((error) => {
    throw folderUnavailable(folder, error);
  });
  if (!stats.isDirectory()) throw folderUnavailable(folder, { code: 'ENOTDIR' });
  return stats.mtimeMs;
}

/**
 * Reads a file of at most `maxBytes`.
 *
 * @returns null when it is gone, or no file
 * @throws {PictureUnreadable} (too-large), without reading it
 * @throws {CameraUnavailable} when it cannot be read
 */
export async function readPicture(folder: string, name: string, maxBytes: number): Promise<Buffer | null> {
  const path = join(folder, name);
  let file: FileHandle | null = null;
  try {
    // Not waiting for the other end, should it be a pipe.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = await file.stat();
    if (!stats.isFile()) return null;
    if (stats.size > maxBytes) throw new PictureUnreadable('too-large', { bytes: stats.size, limit: maxBytes });
    return await file.readFile();
  } catch (error) {
    if (error instanceof PictureUnreadable) throw error;
    if (isGone(error)) return null;
    throw new CameraUnavailable(path, `${describe(error)} Check that the account of Node-RED may read it.`, error);
  } finally {
    await file?.close().catch(() => {});
  }
}

function folderUnavailable(folder: string, error: unknown): CameraUnavailable {
  const name = `folder ${folder}`;
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return new CameraUnavailable(
        name,
        'there is no such folder. Check the path, and that the drive or network share is connected.',
        error,
      );
    case 'ENOTDIR':
      return new CameraUnavailable(name, 'it is a file. Set the folder the file lies in.', error);
    case 'EACCES':
    case 'EPERM':
      return new CameraUnavailable(name, 'reading it is not allowed. Give the account of Node-RED read access.', error);
    default:
      return new CameraUnavailable(name, `${describe(error)} Check the drive or network share.`, error);
  }
}

function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return ['ENOENT', 'EISDIR', 'ELOOP', 'ENXIO'].includes(code);
}

function describe(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ? `the system says ${code}.` : `${message}.`;
}
