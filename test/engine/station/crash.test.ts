import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Inspection, InspectionRecord } from '../../../engine/domain';
import type { Store } from '../../../engine/store';
import { waitFor } from '../../support/wait';
import { temporaryFolder, temporaryStore, undoAfter, undoAll } from '../store/support';
import { openLedger } from './support';

/** Starts a process that inspects without end; it tells each id it opened or sent a verdict for. */
function startLine(dataFolder: string): { child: ChildProcess; opened: string[]; sent: string[] } {
  const child = fork(join(__dirname, `line-child${extname(__filename)}`), [dataFolder]);
  undoAfter(async () => child.kill('SIGKILL'));
  const opened: string[] = [];
  const sent: string[] = [];
  child.on('message', (message: { opened?: string; sent?: string }) => {
    if (message.opened) opened.push(message.opened);
    if (message.sent) sent.push(message.sent);
  });
  return { child, opened, sent };
}

async function allRecords(store: Store): Promise<InspectionRecord[]> {
  const records: InspectionRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.inspections.list({ limit: 500, cursor });
    records.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor);
  return records;
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

describe('a line killed with -9', function () {
  this.timeout(300_000);
  afterEach(undoAll);

  it('loses no verdict, doubles none, and has the picture of every record', async () => {
    const dataFolder = await temporaryFolder();
    const sent: string[] = [];
    for (const parts of [10, 25, 3, 40]) {
      const line = startLine(dataFolder);
      await waitFor(`${parts} verdicts`, () => line.sent.length >= parts, 60_000);
      const gone = once(line.child, 'exit');
      line.child.kill('SIGKILL');
      await gone;
      sent.push(...line.sent);
    }

    const store = await temporaryStore({ dataFolder });
    const { ledger, seen } = await openLedger(store);
    const emitted: Inspection[] = [];
    ledger.registerOutlet({ route: '', emit: (inspection) => emitted.push(inspection) });
    const records = await allRecords(store);
    const byId = new Map(records.map((record) => [record.id, record]));

    assert.deepEqual(await store.inspections.open(), []);
    for (const record of records) {
      assert.equal(record.state, 'settled');
      assert.ok(record.picturePath && existsSync(join(dataFolder, record.picturePath)), `picture of ${record.id}`);
      assert.ok(record.image, `image of ${record.id}`);
      assert.ok(record.picturePath.includes(`/${record.decision?.verdict}/`));
    }
    const files = await filesBelow(join(dataFolder, 'images'));
    assert.deepEqual(
      files.map((name) => name.slice(0, 26)).sort(),
      [...byId.keys()].sort(),
      'no picture without record',
    );

    for (const id of sent) assert.equal(byId.get(id)?.decision?.by, 'model', `${id} was sent, so it must stand`);
    await waitFor('the interrupted ones', async () => (await store.inspections.undelivered()).length === 0);
    const interrupted = records.filter(({ decision }) => decision?.reasons.includes('interrupted'));
    assert.deepEqual(emitted.map(({ id }) => id).sort(), interrupted.map(({ id }) => id).sort());
    assert.ok(seen.settled.every(({ id }) => !sent.includes(id)));
    assert.equal(new Set([...sent, ...emitted.map(({ id }) => id)]).size, sent.length + emitted.length);
  });
});
