import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Database } from 'sqlite3';
import { StoreUnavailable, storeError } from './errors';

const RETRY_MS = 100;

/**
 * Keeps a data folder for one station: no second one, in this process or another, may write there.
 *
 * The lock is the operating system's, held by an open transaction on the empty database `station.lock`. It ends with
 * the process, however that ends, so that nothing is left to be cleaned up after a crash.
 *
 * @param waitMs how long to wait for a station that is just closing
 * @returns a function that releases the folder
 * @throws {StoreUnavailable} in-use
 */
export async function lockFolder(folder: string, waitMs: number): Promise<() => Promise<void>> {
  const giveUp = Date.now() + waitMs;
  for (;;) {
    const lock = await openDatabase(join(folder, 'station.lock'), folder);
    const error = await execute(lock, 'BEGIN EXCLUSIVE');
    if (!error) {
      // the process number is only for the message; the lock file itself must never be opened by other means
      await writeFile(join(folder, 'station.pid'), `${process.pid}\n`).catch(() => {});
      return () => closeDatabase(lock);
    }
    await closeDatabase(lock);
    if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw storeError(error, folder);
    if (Date.now() >= giveUp) throw await inUse(folder);
    await sleep(RETRY_MS);
  }
}

async function inUse(folder: string): Promise<StoreUnavailable> {
  const pid = (await readFile(join(folder, 'station.pid'), 'utf8').catch(() => '')).trim();
  const holder = pid === String(process.pid) ? 'another station in this Node-RED' : `process ${pid || '(unknown)'}`;
  return new StoreUnavailable(
    'in-use',
    `The data folder ${folder} is in use by ${holder}. Give each inspection-station its own folder, or stop the other one.`,
    { folder, holder },
  );
}

function openDatabase(file: string, folder: string): Promise<Database> {
  return new Promise((resolve, reject) => {
    const database: Database = new Database(file, (error) => {
      if (error) reject(storeError(error, folder));
      else resolve(database);
    });
  });
}

function execute(database: Database, sql: string): Promise<Error | null> {
  return new Promise((resolve) => {
    database.exec(sql, resolve);
  });
}

function closeDatabase(database: Database): Promise<void> {
  return new Promise((resolve) => {
    database.close(() => resolve());
  });
}
