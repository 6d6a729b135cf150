import { rm } from 'node:fs/promises';

/** Removes a folder, also while the last process that works in it is still ending. */
export function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
}
