import assert from 'node:assert/strict';
import { ulid } from 'ulid';
import type { Label, Verdict } from '../../../engine/domain';
import type { Store } from '../../../engine/store';
import { temporaryStore, undoAll } from './support';

const AT = '2026-11-20T10:00:00.000Z';

describe('the counts of the review queue', function () {
  this.timeout(120_000);
  afterEach(undoAll);

  it('are of what came through a node since a moment, in all and by reason', async () => {
    const { admissions } = await temporaryStore();
    await admissions.add({ id: 'a', node: 'one', reason: 'drift', at: 1000 });
    await admissions.add({ id: 'a', node: 'one', reason: 'sent', at: 5000 });
    await admissions.add({ id: 'b', node: 'one', reason: 'sent', at: 2000 });
    await admissions.add({ id: 'c', node: 'two', reason: 'sent', at: 3000 });
    assert.equal(await admissions.count('one', 0), 2);
    assert.equal(await admissions.count('one', 2000), 1);
    assert.equal(await admissions.count('one', 2001), 0);
    assert.equal(await admissions.count('one', 0, 'drift'), 1);
    assert.equal(await admissions.count('three', 0), 0);
  });

  it('are of what was not taken from a day on, by cause', async () => {
    const { admissions } = await temporaryStore();
    const declined = (cause: 'similar' | 'quota-hour', partType: string) => ({ node: 'one', partType, cause });
    await admissions.decline(declined('similar', 'plate'), '2026-11-19');
    await admissions.decline(declined('similar', 'plate'), '2026-11-20');
    await admissions.decline(declined('similar', 'plate'), '2026-11-20');
    await admissions.decline(declined('quota-hour', 'cable'), '2026-11-20');
    const none = { 'quota-hour': 0, 'quota-day': 0, 'quota-reason': 0, similar: 0 };
    assert.deepEqual(await admissions.declined('2026-11-20'), { ...none, similar: 2, 'quota-hour': 1 });
    assert.deepEqual(await admissions.declined('2026-11-19', 'plate'), { ...none, similar: 3 });
  });
});

describe('stored embeddings', function () {
  this.timeout(120_000);
  afterEach(undoAll);

  it('come back to the last bit, those of one part type and space, the newest ones', async () => {
    const { embeddings } = await temporaryStore();
    const vectors = [1, 2, 3].map((seed) => Float32Array.from({ length: 64 }, (_, index) => Math.sin(seed + index)));
    const model = { name: 'plate', version: '3' };
    const base = { partType: 'plate', space: 's', model };
    for (const [index, vector] of vectors.entries()) await embeddings.add({ ...base, id: `id-${index}`, vector });
    await embeddings.add({ ...base, id: 'id-0', vector: vectors[2] });
    await embeddings.add({ ...base, id: 'other', space: 't', vector: vectors[0] });
    await embeddings.add({ ...base, id: 'cable', partType: 'cable', vector: vectors[0] });
    assert.deepEqual(await embeddings.list('plate', 's', 2), [
      { id: 'id-1', vector: vectors[1] },
      { id: 'id-2', vector: vectors[2] },
    ]);
    assert.deepEqual(await embeddings.list('plate', 's', 9).then(([first]) => first), {
      id: 'id-0',
      vector: vectors[0],
    });
  });
});

describe('audited parts', function () {
  this.timeout(120_000);
  afterEach(undoAll);

  async function add(
    { reviews }: Store,
    label: Label | null,
    part: {
      readonly at?: string;
      readonly verdict?: Verdict;
      readonly audit?: boolean;
      readonly partType?: string;
    } = {},
  ): Promise<string> {
    const { at = AT, verdict = 'OK', audit = true, partType = 'plate' } = part;
    const id = ulid(Date.parse(at));
    await reviews.add({
      id,
      partType,
      reasons: [],
      queueReasons: audit ? ['near-threshold', 'audit-sample'] : ['flagged'],
      information: 0,
      similarTo: null,
      lineVerdict: verdict,
      findings: [],
      note: null,
      createdAt: at,
    });
    if (label !== null) await reviews.decide(id, { label, reviewer: 'Ada', note: null }, 'Ada', at);
    return id;
  }

  it('are those that passed, were drawn by chance and have a label, by part type and day', async () => {
    const store = await temporaryStore();
    await add(store, 'OK');
    await add(store, 'NG');
    await add(store, 'OK', { at: '2026-11-19T23:59:59.000Z' });
    await add(store, 'NG', { partType: 'cable' });
    await add(store, null);
    await add(store, 'NG', { audit: false });
    await add(store, 'NG', { verdict: 'REVIEW' });
    await store.reviews.skip(await add(store, null), 'Ada', 'Ada', AT);
    const sorted = async (filter?: { partType?: string; from?: string }) =>
      [...(await store.audited.days(filter))].sort((a, b) => (a.partType + a.day < b.partType + b.day ? -1 : 1));
    const cable = { partType: 'cable', day: '2026-11-20', audited: 1, bad: 1 };
    const today = { partType: 'plate', day: '2026-11-20', audited: 2, bad: 1 };
    assert.deepEqual(await sorted(), [cable, { partType: 'plate', day: '2026-11-19', audited: 1, bad: 0 }, today]);
    assert.deepEqual(await sorted({ partType: 'plate', from: '2026-11-20T00:00:00.000Z' }), [today]);
  });

  it('count only once a second person has approved the label, where the station asks for one', async () => {
    const store = await temporaryStore({ secondPerson: true });
    const ids = [await add(store, 'NG'), await add(store, 'NG'), await add(store, 'OK')];
    await store.reviews.judge(ids[0], { approved: true, reviewer: 'Grace', note: null }, 'Grace', AT);
    await store.reviews.judge(ids[1], { approved: false, reviewer: 'Grace', note: null }, 'Grace', AT);
    assert.deepEqual(await store.audited.days(), [{ partType: 'plate', day: '2026-11-20', audited: 1, bad: 1 }]);
  });

  it('do not count while the label is rejected', async () => {
    const store = await temporaryStore();
    const id = await add(store, 'NG');
    await store.reviews.judge(id, { approved: false, reviewer: 'Grace', note: null }, 'Grace', AT);
    assert.deepEqual(await store.audited.days(), []);
  });
});
