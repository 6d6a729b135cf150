import promises, { type FileHandle } from 'node:fs/promises';

/** The files and folders that are forced to the disk while `work` runs. */
export async function recordSyncs(work: () => Promise<unknown>): Promise<readonly string[]> {
  const forced: string[] = [];
  const open = promises.open;
  promises.open = async (path, ...more): Promise<FileHandle> => {
    const handle = await open(path, ...more);
    for (const call of ['sync', 'datasync'] as const) {
      const original = handle[call].bind(handle);
      handle[call] = () => {
        forced.push(String(path));
        return original();
      };
    }
    return handle;
  };
  try {
    await work();
  } finally {
    promises.open = open;
  }
  return forced;
}
