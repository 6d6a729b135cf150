import { readdir, readFile, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { isPictureName } from '../imaging';

/** Paths of the picture files in a folder and below, relative to it, with forward slashes, sorted. Hidden ones are left out. */
export async function picturesBelow(folder: string, prefix = ''): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(folder, prefix), { withFileTypes: true })) {
    if (entry.name.startsWith('.')) continue;
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && (await isFolderAt(join(folder, path))));
    if (isFolder) found.push(...(await picturesBelow(folder, path)));
    else if (isPictureName(entry.name)) found.push(path);
  }
  return found.sort(byName);
}

/** The subfolders of a folder, hidden ones left out, sorted; none when there is no such folder. */
export async function subfolders(folder: string): Promise<string[]> {
  const names = (await namesIn(folder)).filter((name) => !name.startsWith('.'));
  const isFolder = await Promise.all(names.map((name) => isFolderAt(join(folder, name))));
  return names.filter((_, index) => isFolder[index]);
}

/** All names in a folder, sorted; none when there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).sort(byName);
}

export async function isFolderAt(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

export async function isFileAt(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false;
}

/** Null when there is no such file. */
export async function textOf(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  });
}

/** The first of some places that is there, or the first one. */
export async function firstThatIs(places: readonly string[]): Promise<string> {
  for (const place of places) if ((await stat(place).catch(() => null)) !== null) return place;
  return places[0];
}

/** A path that a dataset names, as a path below a folder: with forward slashes and nothing that leads out of it. */
export function idOf(path: string): string {
  return path
    .split(/[\\/]+/)
    .filter((part) => part !== '' && part !== '.' && part !== '..' && !/^[A-Za-z]:$/.test(part))
    .join('/');
}

export function resolved(folder: string, path: string): string {
  return isAbsolute(path) ? path : resolve(folder, path.replaceAll('\\', '/'));
}

export function byName(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
