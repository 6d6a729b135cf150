import assert from 'node:assert/strict';
import { newId, type ReviewItem } from '../../../engine/domain';
import { ReviewQueue } from '../../../engine/review';
import { openStore, type Store } from '../../../engine/store';
import { decided, inspection, temporaryFolder, temporaryStore, undoAll } from '../store/support';

interface Watched {
  readonly queue: ReviewQueue;
  readonly changed: ReviewItem[];
  readonly decided: ReviewItem[];
}

function watch(store: Store): Watched {
  const queue = new ReviewQueue(store, { now: () => Date.UTC(2026, 0, 2) });
  const seen: Watched = { queue, changed: [], decided: [] };
  queue.events.on('changed', (item) => seen.changed.push(item));
  queue.events.on('decided', (item) => seen.decided.push(item));
  return seen;
}

describe('the review queue', function () {
  this.timeout(20_000);
  afterEach(undoAll);

  it('takes an inspection with the reasons of its verdict, or those told', async () => {
    const { queue, changed } = watch(await temporaryStore());
    const base = decided('REVIEW', { serial: 'S1', findings: [] });
    const part = { ...base, decision: { ...base.decision!, reasons: ['score-between-thresholds'] as const } };
    const item = await queue.add(part);
    assert.deepEqual(item, {
      id: part.id,
      state: 'pending',
      partType: 'plate',
      serial: 'S1',
      reasons: ['score-between-thresholds'],
      lineVerdict: 'REVIEW',
      findings: [],
      label: null,
      boxes: null,
      reviewer: null,
      note: null,
      createdAt: '2026-01-02T00:00:00.000Z',
      decidedAt: null,
    });
    assert.deepEqual((await queue.add(decided('OK'), ['audit-sample'])).reasons, ['audit-sample']);
    assert.equal(changed.length, 2);
  });

  it('takes each inspection once, even added twice at the same time', async () => {
    const { queue, changed } = watch(await temporaryStore());
    const part = decided('REVIEW');
    const [first, second] = await Promise.all([queue.add(part), queue.add(part, ['audit-sample'])]);
    assert.deepEqual(first, second);
    assert.equal(changed.length, 1);
    assert.equal((await queue.stats()).pending, 1);
  });

  it('refuses an inspection without a verdict', async () => {
    const { queue } = watch(await temporaryStore());
    await assert.rejects(queue.add(inspection()), { code: 'invalid-input', message: /confidence-router/ });
  });

  it('tells the decision with reviewer and note', async () => {
    const { queue, decided: told } = watch(await temporaryStore());
    const { id } = await queue.add(decided('REVIEW'));
    const item = await queue.label(id, { label: 'NG', reviewer: ' Ada ', note: '  ' }, 'session');
    assert.deepEqual([item.state, item.label, item.reviewer, item.note], ['labelled', 'NG', 'Ada', null]);
    assert.deepEqual(told, [item]);
    await assert.rejects(queue.label(id, { label: 'OK' }, 'session'), { code: 'already-decided' });
    assert.equal(told.length, 1);
  });

  it('undoes the last decision, a skipped item included, and can decide it anew', async () => {
    const { queue, decided: told } = watch(await temporaryStore());
    const [first, second] = [await queue.add(decided('REVIEW')), await queue.add(decided('REVIEW'))];
    await queue.label(first.id, { label: 'OK' }, 'session');
    await queue.skip(second.id, 'Ada', 'session');
    assert.equal((await queue.undo({}, 'session')).id, second.id);
    assert.equal((await queue.undo({}, 'session')).id, first.id);
    await assert.rejects(queue.undo({}, 'session'), { code: 'nothing-to-undo', httpStatus: 409 });
    await queue.label(first.id, { label: 'NG' }, 'session');
    assert.deepEqual(
      told.map(({ label }) => label),
      ['OK', 'NG'],
    );
  });

  it('undoes a named decision', async () => {
    const { queue } = watch(await temporaryStore());
    const [first, second] = [await queue.add(decided('REVIEW')), await queue.add(decided('REVIEW'))];
    for (const { id } of [first, second]) await queue.label(id, { label: 'OK' }, 'session');
    assert.equal((await queue.undo({ id: first.id }, 'session')).id, first.id);
    await assert.rejects(queue.undo({ id: first.id }, 'session'), { code: 'nothing-to-undo' });
    await assert.rejects(queue.undo({ id: newId() }, 'session'), { code: 'not-found' });
  });

  it('does not know what was never added', async () => {
    const { queue } = watch(await temporaryStore());
    await assert.rejects(queue.get(newId()), { code: 'not-found' });
    await assert.rejects(queue.label(newId(), { label: 'OK' }, 'session'), { code: 'not-found' });
    await assert.rejects(queue.skip(newId(), null, 'session'), { code: 'not-found' });
  });

  it('has all its items and decisions again after a restart', async () => {
    const dataFolder = await temporaryFolder();
    const store = await openStore({ dataFolder });
    const { queue } = watch(store);
    const [waiting, labelled] = [await queue.add(decided('REVIEW')), await queue.add(decided('NG'))];
    const decidedItem = await queue.label(labelled.id, { label: 'OK', reviewer: 'Ada', note: 'dust' }, 'session');
    await store.close();
    const again = watch(await temporaryStore({ dataFolder }));
    assert.deepEqual((await again.queue.list({ state: 'pending' })).items, [waiting]);
    assert.deepEqual(await again.queue.get(labelled.id), decidedItem);
    assert.equal((await again.queue.undo({}, 'session')).id, labelled.id);
  });
});
