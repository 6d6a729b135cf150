import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';

const BEAT_MS = 5000;
/** A lock whose owner has not shown itself for so long is dead, wherever it ran. */
const STALE_MS = 60_000;

/**
 * Takes a lock file, which another process, or another machine on the same share, sees too. The lock of an owner that
 * died is taken over.
 *
 * @returns a function that gives it back; null when someone has it
 */
export async function takeLock(path: string): Promise<(() => Promise<void>) | null> {
  const owner = JSON.stringify({ host: hostname(), process: process.pid });
  const take = () =>
    writeFile(path, owner, { flag: 'wx' }).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return false;
        throw error;
      },
    );
  if (!(await take())) {
    if (!(await isStale(path))) return null;
    await rm(path, { force: true });
    if (!(await take())) return null;
  }
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, BEAT_MS);
  beat.unref();
  return async () => {
    clearInterval(beat);
    await rm(path, { force: true }).catch(() => undefined);
  };
}

async function isStale(path: string): Promise<boolean> {
  const [found, text] = await Promise.all([stat(path).catch(() => null), readFile(path, 'utf8').catch(() => '')]);
  if (found === null || Date.now() - found.mtimeMs > STALE_MS) return true;
  const owner = parse(text);
  return owner?.host === hostname() && owner.process !== undefined && !isAlive(owner.process);
}

function parse(text: string): { readonly host?: string; readonly process?: number } | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isAlive(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
