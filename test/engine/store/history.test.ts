import assert from 'node:assert/strict';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { knex } from 'knex';
import { encodeTime } from 'ulid';
import { openStore, type PastInspection, readHistory } from '../../../engine/store';
import { temporaryFolder } from '../learning/packages';

describe('the history of a data folder', function () {
  this.timeout(120_000);
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const START = Date.parse('2026-02-01T00:00:00.000Z');
  const MINUTE = 60_000;
  const idOf = (number: number) => encodeTime(START + number * MINUTE).padEnd(26, '0');
  const timeOf = (number: number) => new Date(START + number * MINUTE).toISOString();
  const whole = (inspection: PastInspection) => inspection;

  beforeEach(async () => {
    folder = await temporaryFolder();
    await (await openStore({ dataFolder: folder.path })).close();
  });
  afterEach(() => folder.remove());

  async function insert(count: number, changes: (number: number) => object = () => ({})): Promise<void> {
    const database = knex({
      client: 'sqlite3',
      connection: { filename: join(folder.path, 'inspection.sqlite') },
      useNullAsDefault: true,
    });
    const rows = Array.from({ length: count }, (_, number) => ({
      id: idOf(number),
      station: 's',
      route: '',
      part_type: number % 10 === 0 ? 'cable' : 'plate',
      captured_at: timeOf(number),
      deadline_at: timeOf(number),
      settled_at: timeOf(number),
      state: 'settled',
      verdict: 'OK',
      fail_safe: false,
      delivered: true,
      picture_path: `images/2026/02/01/OK/${idOf(number)}.jpg`,
      picture_bytes: 1,
      trigger: '{"source":"api"}',
      findings: '[]',
      decision: '{"verdict":"OK","confidence":1,"reasons":[],"by":"model","at":"2026-02-01T00:00:00.000Z"}',
      ...changes(number),
    }));
    await database.batchInsert('inspections', rows, 50);
    await database.destroy();
  }
  const ids = async (filter: Parameters<typeof readHistory>[1]) => readHistory(folder.path, filter, ({ id }) => id);

  it('is read to its beginning, however long, oldest first', async () => {
    await insert(1234);
    assert.deepEqual(
      await ids({}),
      Array.from({ length: 1234 }, (_, number) => idOf(number)),
    );
    assert.deepEqual(
      await ids({ last: 700 }),
      Array.from({ length: 700 }, (_, number) => idOf(number + 534)),
    );
    assert.equal((await ids({ last: 500 })).length, 500);
    assert.equal((await ids({ partType: 'cable' })).length, 124);
    assert.deepEqual(await ids({ partType: 'cable', from: timeOf(1220), last: 5 }), [idOf(1220), idOf(1230)]);
  });

  it('leaves out what is still open', async () => {
    await insert(3, (number) => (number === 1 ? { state: 'open', decision: null, verdict: null } : {}));
    assert.deepEqual(await ids({}), [idOf(0), idOf(2)]);
  });

  it('knows what a station wrote that was killed', async () => {
    const store = await openStore({ dataFolder: folder.path });
    const copy = await temporaryFolder();
    try {
      const at = timeOf(0);
      const inspection = {
        station: 's',
        partType: 'plate',
        trigger: { source: 'api' as const },
        capturedAt: at,
        deadlineAt: at,
      };
      const decision = { verdict: 'NG', confidence: 1, reasons: [], by: 'model', at } as const;
      const settled = { ...inspection, id: idOf(0), findings: [], decision };
      await store.inspections.settle(settled, { picturePath: null, settledAt: at, delivered: true });
      await cp(folder.path, copy.path, { recursive: true });
      const [found, ...others] = await readHistory(copy.path, {}, whole);
      assert.deepEqual([found.id, found.decision.verdict, found.picture, others.length], [idOf(0), 'NG', null, 0]);
    } finally {
      await store.close();
      await copy.remove();
    }
  });

  it('gives no path that leads out of the folder', async () => {
    const paths = ['../../../etc/passwd', '/etc/passwd', `images/2026/02/01/OK/${idOf(2)}.jpg`];
    await insert(3, (number) => ({ picture_path: paths[number] }));
    const pictures = await readHistory(folder.path, {}, ({ picture }) => picture);
    assert.deepEqual(pictures, [null, null, join(folder.path, 'images', '2026', '02', '01', 'OK', `${idOf(2)}.jpg`)]);
  });

  it('is refused where there is no database, and where there is something else', async () => {
    const other = join(folder.path, 'other');
    await mkdir(other);
    await assert.rejects(readHistory(other, {}, whole), { code: 'invalid-input' });
    await writeFile(join(other, 'inspection.sqlite'), 'no database, though it has the name of one'.repeat(50));
    await assert.rejects(readHistory(other, {}, whole), { code: 'store-corrupt' });
  });
});
