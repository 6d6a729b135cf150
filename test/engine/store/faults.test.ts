import assert from 'node:assert/strict';
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readdir, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { Database } from 'sqlite3';
import { openStore } from '../../../engine/store';
import { makeOldDatabase } from './old-database';
import { decided, inspection, record, temporaryFolder, temporaryStore, undoAfter, undoAll } from './support';

const execute = promisify(execFile);

/** Mounts a small file system of its own; skips the test where that is not allowed. */
async function mountSmallDisk(context: Mocha.Context, kilobytes: number): Promise<string> {
  const folder = join(await temporaryFolder(), 'disk');
  await mkdir(folder);
  try {
    await execute('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', folder]);
  } catch {
    console.log('      skipped: this user may not mount a file system');
    context.skip();
  }
  undoAfter(() => execute('umount', ['-l', folder]));
  return folder;
}

/** Another program that holds the database for writing. */
async function lockDatabase(dataFolder: string): Promise<() => Promise<void>> {
  const other = new Database(join(dataFolder, 'inspection.sqlite'));
  await promisify(other.exec.bind(other))('BEGIN IMMEDIATE');
  let released: Promise<void> | undefined;
  const release = () => {
    released ??= promisify(other.close.bind(other))();
    return released;
  };
  undoAfter(release);
  return release;
}

describe('a store in trouble', function () {
  this.timeout(120_000);
  afterEach(undoAll);

  it('refuses a folder on a read-only disk', async function () {
    const folder = await mountSmallDisk(this, 1024);
    await execute('mount', ['-o', 'remount,ro', folder]);
    await assert.rejects(openStore({ dataFolder: join(folder, 'data') }), {
      code: 'store-read-only',
      reason: 'not-recorded',
      httpStatus: 503,
      message: /cannot be written.*write access/,
    });
  });

  it('refuses a folder that cannot be made', async function () {
    if (process.platform !== 'linux') this.skip();
    await assert.rejects(openStore({ dataFolder: '/proc/opti-quality' }), {
      code: 'store-read-only',
      message: /Choose another folder/,
    });
  });

  it('refuses a file in the place of the folder', async () => {
    const file = join(await temporaryFolder(), 'data');
    await writeFile(file, 'a file');
    await assert.rejects(openStore({ dataFolder: file }), { code: 'store-not-a-folder' });
  });

  it('tells a full disk at opening', async function () {
    const folder = await mountSmallDisk(this, 64);
    await writeFile(join(folder, 'filler'), Buffer.alloc(65_536)).catch(() => {});
    await assert.rejects(openStore({ dataFolder: folder }), { code: 'store-disk-full', message: /Free space/ });
  });

  it('loses no record to a disk that fills up, and goes on when there is room', async function () {
    const folder = await mountSmallDisk(this, 2048);
    const store = await temporaryStore({ dataFolder: folder });
    const before = decided('OK');
    await record(store, before);

    const filler = await open(join(folder, 'filler'), 'w');
    await assert.rejects(async () => {
      for (;;) await filler.write(Buffer.alloc(4096));
    });
    await filler.close();
    await assert.rejects(record(store, decided('OK'), Buffer.alloc(50_000)), { code: 'store-disk-full' });
    await assert.rejects(
      async () => {
        for (let i = 0; i < 500; i++) {
          await store.inspections.insertOpen(inspection(), null);
        }
      },
      { code: 'store-disk-full', reason: 'not-recorded' },
    );
    assert.equal((await store.inspections.get(before.id))?.decision?.verdict, 'OK');

    await writeFile(join(folder, 'filler'), '');
    const after = decided('NG');
    const path = await record(store, after);
    assert.equal((await store.inspections.get(after.id))?.picturePath, path);
    const day = join(folder, ...path.split('/').slice(0, 4), 'open');
    assert.deepEqual(await readdir(day), [], 'nothing half-written is left');
  });

  it('waits for a lock as long as told, says so, and works again afterwards', async () => {
    const store = await temporaryStore({ busyTimeoutMs: 100 });
    const part = decided('OK');
    const release = await lockDatabase(store.dataFolder);
    const settling = store.inspections.settle(part, { picturePath: null, settledAt: part.capturedAt, delivered: true });
    await assert.rejects(settling, { code: 'store-locked', message: /locked by another program/ });
    assert.equal(await store.inspections.get(part.id), null, 'reading still works');
    await release();
    await record(store, part);
    assert.equal((await store.inspections.get(part.id))?.state, 'settled');
  });

  it('closes in time while the database is locked', async () => {
    const store = await openStore({ dataFolder: await temporaryFolder(), busyTimeoutMs: 500 });
    await lockDatabase(store.dataFolder);
    // one after the other they would wait for ten minutes
    const attempts = Array.from({ length: 1200 }, () => store.inspections.insertOpen(inspection(), null));
    const outcomes = Promise.allSettled(attempts);
    await store.close();
    assert.ok((await outcomes).every(({ status }) => status === 'rejected'));
  });

  it('refuses a damaged database and leaves it as it is', async () => {
    const dataFolder = await temporaryFolder();
    await writeFile(join(dataFolder, 'inspection.sqlite'), Buffer.alloc(8192, 'not a database '));
    await assert.rejects(openStore({ dataFolder }), { code: 'store-corrupt', message: /backup/ });
    await assert.rejects(openStore({ dataFolder }), { code: 'store-corrupt' });
  });

  it('refuses a database made by a newer version', async () => {
    const dataFolder = await temporaryFolder();
    await (await openStore({ dataFolder })).close();
    const database = new Database(join(dataFolder, 'inspection.sqlite'));
    const sql = "INSERT INTO migrations (name, batch, migration_time) VALUES ('9999-from-the-future', 2, 0)";
    await promisify(database.exec.bind(database))(sql);
    await promisify(database.close.bind(database))();
    await assert.rejects(openStore({ dataFolder }), { code: 'store-newer-schema', message: /9999-from-the-future/ });
  });

  it('opens although a start was killed in the middle of a migration', async () => {
    const dataFolder = await temporaryFolder();
    await makeOldDatabase(dataFolder, '0003-review-node', ['UPDATE migrations_lock SET is_locked = 1']);
    const store = await temporaryStore({ dataFolder });
    await record(store, decided('OK'));
  });

  it('keeps a second station out of the folder, in this process', async () => {
    const store = await temporaryStore();
    await assert.rejects(openStore({ dataFolder: store.dataFolder, lockWaitMs: 0 }), {
      code: 'store-in-use',
      message: /another station in this Node-RED/,
    });
    await record(store, decided('OK'));
  });

  it('waits for a station that is just leaving the folder', async () => {
    const first = await openStore({ dataFolder: await temporaryFolder() });
    const second = openStore({ dataFolder: first.dataFolder });
    await first.close();
    await (await second).close();
  });

  it('keeps a second process out, and takes the folder over once that was killed', async () => {
    const dataFolder = await temporaryFolder();
    const child = fork(join(__dirname, `holding-child${extname(__filename)}`), [dataFolder]);
    undoAfter(async () => child.kill('SIGKILL'));
    await once(child, 'message');
    await assert.rejects(openStore({ dataFolder, lockWaitMs: 0 }), {
      code: 'store-in-use',
      message: new RegExp(`process ${child.pid}`),
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    await temporaryStore({ dataFolder });
  });

  it('refuses everything once it is closed', async () => {
    const store = await openStore({ dataFolder: await temporaryFolder() });
    await store.close();
    await store.close();
    await assert.rejects(store.inspections.list(), { code: 'store-closed' });
    await assert.rejects(store.inspections.insertOpen(inspection(), null), { code: 'store-closed' });
  });

  it('leaves nothing open after 50 times opening and closing', async function () {
    if (process.platform !== 'linux') this.skip();
    const dataFolder = await temporaryFolder();
    const openFiles = async () => (await readdir('/proc/self/fd')).length;
    const cycle = async () => {
      const store = await openStore({ dataFolder });
      await record(store, decided('OK'));
      await store.close();
    };
    await cycle();
    const before = await openFiles();
    for (let i = 0; i < 50; i++) await cycle();
    assert.ok((await openFiles()) <= before + 1, `${await openFiles()} open files, ${before} at the start`);
  }).timeout(120_000);
});
