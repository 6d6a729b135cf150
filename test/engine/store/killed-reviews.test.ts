import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { Database } from 'sqlite3';
import { newId, type ReviewState } from '../../../engine/domain';
import { openStore } from '../../../engine/store';
import { temporaryFolder, undoAfter, undoAll } from './support';

const ROUNDS = 5;
const AT = '2026-01-02T03:04:05.000Z';

/** What may follow on a state that was told. */
const NEXT: Readonly<Record<string, readonly ReviewState[]>> = {
  pending: ['pending'],
  labelled: ['labelled', 'approved', 'rejected', 'pending'],
  approved: ['approved'],
  rejected: ['rejected'],
};

describe('reviews whose process is killed', function () {
  this.timeout(300_000);
  afterEach(undoAll);

  it('lose no decision that was told, and no count goes wrong', async () => {
    const dataFolder = await temporaryFolder();
    for (let round = 0; round < ROUNDS; round += 1) {
      const ids = await addItems(dataFolder, 60);
      const told = new Map<string, string>();
      const child = fork(join(__dirname, `deciding-child${extname(__filename)}`), [dataFolder, ...ids]);
      undoAfter(async () => child.kill('SIGKILL'));
      child.on('message', (message: [string, string] | 'done') => {
        if (message !== 'done') told.set(...message);
        // at another place each time
        if (message === 'done' || told.size === 5 + 7 * round) child.kill('SIGKILL');
      });
      await once(child, 'exit');
      assert.ok(told.size >= 5);

      const store = await openStore({ dataFolder });
      for (const [id, state] of told) {
        const item = await store.reviews.get(id);
        assert.ok(NEXT[state].includes(item!.state), `${id} was ${state} and is ${item?.state}`);
      }
      await store.close();
      assert.deepEqual(await countersOf(dataFolder), await recounted(dataFolder));
    }
  });
});

async function addItems(dataFolder: string, count: number): Promise<string[]> {
  const store = await openStore({ dataFolder });
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const id = newId();
    await store.reviews.add({
      id,
      partType: 'plate',
      reasons: [],
      queueReasons: index % 2 === 0 ? ['novel'] : ['novel', 'drift'],
      information: 0,
      similarTo: null,
      lineVerdict: 'REVIEW',
      findings: [],
      note: null,
      createdAt: AT,
    });
    ids.push(id);
  }
  await store.close();
  return ids;
}

/** Counters, reasons and labels as they are kept. */
async function countersOf(dataFolder: string): Promise<unknown> {
  return query(dataFolder, [
    'select day, state, label, reviewer, items from review_counts where items <> 0 order by 1, 2, 3, 4',
    'select state, reason, items from review_reason_counts where items <> 0 order by 1, 2',
    'select id from labels order by id',
  ]);
}

/** The same, made of the items. */
async function recounted(dataFolder: string): Promise<unknown> {
  return query(dataFolder, [
    `select coalesce(substr(decided_at, 1, 10), '') day, state, coalesce(label, '') label, coalesce(reviewer, '') reviewer, count(*) items from review_items
      group by 1, 2, 3, 4 order by 1, 2, 3, 4`,
    `select state, value reason, count(*) items from review_items, json_each(queue_reasons) group by 1, 2 order by 1, 2`,
    "select id from review_items where state in ('labelled', 'approved') order by id",
  ]);
}

async function query(dataFolder: string, statements: readonly string[]): Promise<unknown[]> {
  const database = new Database(join(dataFolder, 'inspection.sqlite'));
  try {
    const rows = [];
    for (const statement of statements) {
      rows.push(await promisify<string, unknown>(database.all.bind(database))(statement));
    }
    return rows;
  } finally {
    await promisify(database.close.bind(database))();
  }
}
