import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it. Node's own recursive `mkdir` never returns on file systems that answer ENOENT to
 * everything (/proc), and hides why a read-only one refuses.
 *
 * @returns the folders made, outermost first
 */
export async function makeFolder(folder: string): Promise<readonly string[]> {
  try {
    return await makeOne(folder);
  } catch (error) {
    const parent = dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === folder) throw error;
    const above = await makeFolder(parent);
    return [...above, ...(await makeOne(folder))];
  }
}

async function makeOne(folder: string): Promise<readonly string[]> {
  try {
    await mkdir(folder);
    return [folder];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && (await isFolder(folder))) return [];
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path)).isDirectory();
}
