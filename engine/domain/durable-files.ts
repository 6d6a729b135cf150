import { constants } from 'node:fs';
import { access, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { InvalidInput } from './errors';

/** What file systems answer that cannot force a folder to the disk. */
const NOT_POSSIBLE = new Set(['EINVAL', 'ENOTSUP', 'ENOSYS', 'EPERM', 'EISDIR']);

/**
 * Writes a file so that it is either there completely or not at all, even after a power cut. A file that is there
 * already is replaced. The folder must exist.
 */
export async function writeDurably(path: string, content: Uint8Array): Promise<void> {
  const unfinished = `${path}.tmp`;
  try {
    const file = await open(unfinished, 'w');
    try {
      await file.writeFile(content);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(path));
}

/**
 * Forces the names in a folder to the disk, so that what was made, moved or removed in it stays so after a power cut.
 * Where a system has no such call (Windows, some network shares) nothing happens.
 */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    if (!NOT_POSSIBLE.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    await handle.close();
  }
}

/**
 * Tells before long work, not after it, that its result could not be written.
 *
 * @param path of a file or folder that need not be there yet
 * @throws {InvalidInput} naming the folder that nothing can be written to
 */
export async function assertWritable(path: string): Promise<void> {
  const folder = dirname(resolve(path));
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && folder !== dirname(folder)) return assertWritable(folder);
    throw new InvalidInput(`Nothing can be written to the folder ${folder}: ${message}. Choose another folder.`, {
      folder,
    });
  }
}
