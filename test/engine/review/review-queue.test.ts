import assert from 'node:assert/strict';
import { newId, type ReviewItem } from '../../../engine/domain';
import { ReviewQueue } from '../../../engine/review';
import { openStore, type Store } from '../../../engine/store';
import { decided, inspection, temporaryFolder, temporaryStore, undoAll } from '../store/support';

const CLOCK = { now: () => Date.UTC(2026, 0, 2) };

interface Watched {
  readonly queue: ReviewQueue;
  readonly changed: ReviewItem[];
  readonly decided: ReviewItem[];
}

function watch(store: Store): Watched {
  const queue = new ReviewQueue(store, CLOCK);
  const seen: Watched = { queue, changed: [], decided: [] };
  queue.events.on('changed', (item) => seen.changed.push(item));
  queue.events.on('decided', (item) => seen.decided.push(item));
  return seen;
}

/** A settled part with a picture of 640 x 480 pixels. */
async function pictured(store: Store): Promise<ReturnType<typeof decided>> {
  const image = { width: 640, height: 480, format: 'jpeg', bytes: 3, sha256: 'a'.repeat(64) } as const;
  const part = decided('REVIEW', { image });
  const picturePath = await store.pictures.save(part.id, part.capturedAt, Buffer.from('jpg'), 'jpeg');
  await store.inspections.settle(part, { picturePath, settledAt: part.capturedAt, delivered: true });
  return part;
}

describe('the review queue', function () {
  this.timeout(120_000);
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
      queueReasons: ['sent'],
      information: 0,
      similarTo: null,
      lineVerdict: 'REVIEW',
      findings: [],
      label: null,
      boxes: null,
      modelMistake: false,
      reviewer: null,
      note: null,
      createdAt: '2026-01-02T00:00:00.000Z',
      decidedAt: null,
      approver: null,
      approvalNote: null,
      approvedAt: null,
      usedForTraining: null,
      lock: null,
    });
    assert.deepEqual((await queue.add(decided('OK'), { reasons: ['audit-sample'] })).queueReasons, ['audit-sample']);
    assert.equal(changed.length, 2);
  });

  it('takes each inspection once, even added twice at the same time', async () => {
    const { queue, changed } = watch(await temporaryStore());
    const part = decided('REVIEW');
    const [first, second] = await Promise.all([queue.add(part), queue.add(part, { reasons: ['audit-sample'] })]);
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

  it('keeps the boxes a person drew with the decision and the label, until it is undone', async () => {
    const store = await temporaryStore();
    const { queue, decided: told } = watch(store);
    const part = await pictured(store);
    const { id } = await queue.add(part);
    const boxes = [{ label: 'crack', box: { x: 0, y: 20.5, width: 640, height: 9.5 } }];
    const item = await queue.label(id, { label: 'NG', boxes }, 'session');
    assert.deepEqual(item.boxes, boxes);
    assert.deepEqual([(await queue.get(id)).boxes, told[0].boxes], [boxes, boxes]);
    const labelled = await store.labels.labelled(part.partType);
    assert.deepEqual(
      labelled.map((picture) => [picture.id, picture.label, picture.boxes]),
      [[id, 'NG', boxes]],
    );
    assert.deepEqual(await store.labels.classes(part.partType), ['crack']);
    const [entry] = await store.audit.list({ subject: id });
    assert.deepEqual((entry.after as { boxes: unknown }).boxes, boxes);
    assert.equal((await queue.undo({ id }, 'session')).boxes, null);
    assert.deepEqual(await store.labels.labelled(part.partType), []);
    assert.deepEqual((await queue.label(id, { label: 'OK', boxes: [] }, 'session')).boxes, []);
  });

  it('tells that nobody looked for boxes from that there are none', async () => {
    const store = await temporaryStore();
    const { queue } = watch(store);
    const { id } = await queue.add(await pictured(store));
    assert.equal((await queue.label(id, { label: 'OK' }, 'session')).boxes, null);
  });

  it('refuses boxes that cannot be, and leaves the item as it was', async () => {
    const store = await temporaryStore();
    const { queue } = watch(store);
    const { id } = await queue.add(await pictured(store));
    const box = { x: 10, y: 10, width: 20, height: 20 };
    const refused: readonly (readonly [string, object])[] = [
      ['crack', { ...box, x: -1 }],
      ['crack', { ...box, x: 630 }],
      ['crack', { ...box, y: 465 }],
      ['crack', { ...box, width: 0 }],
      ['crack', { ...box, height: Number.NaN }],
      ['', box],
      [' crack', box],
      ['crack\n', box],
      ['c'.repeat(65), box],
    ];
    for (const [label, changed] of refused) {
      const boxes = [{ label, box: { ...box, ...changed } }];
      await assert.rejects(queue.label(id, { label: 'NG', boxes }, 'session'), { code: 'invalid-input' });
    }
    const many = Array.from({ length: 1001 }, () => ({ label: 'crack', box }));
    await assert.rejects(queue.label(id, { label: 'NG', boxes: many }, 'session'), /1000 boxes/);
    assert.equal((await queue.get(id)).state, 'pending');
    const blind = await queue.add(decided('REVIEW', { image: undefined }));
    const drawn = { label: 'NG', boxes: [{ label: 'crack', box }] } as const;
    await assert.rejects(queue.label(blind.id, drawn, 'session'), /no picture/);
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

  it('tells when somebody takes an item or lets it go, and not when the lock is only renewed', async () => {
    const { queue, changed } = watch(await temporaryStore({ clock: CLOCK }));
    const { id } = await queue.add(decided('REVIEW'));
    const locks = () => changed.slice(1).map(({ lock }) => lock && `${lock.reviewer} ${lock.until.slice(11, 19)}`);
    await queue.lock(id, ' Ada ');
    await queue.lock(id, 'Ada', 300);
    await queue.unlock(id, 'Bob');
    await queue.unlock(id, 'Ada');
    assert.equal((await queue.next('Bob'))?.id, id);
    assert.deepEqual(locks(), ['Ada 00:02:00', null, 'Bob 00:02:00']);
    await assert.rejects(queue.lock(id, 'Ada'), { code: 'locked' });
    for (const seconds of [0, 3601, Number.NaN]) {
      await assert.rejects(queue.lock(id, 'Bob', seconds), { code: 'invalid-input' });
    }
    for (const refused of [queue.lock(id, ' '), queue.unlock(id, ''), queue.next('')]) {
      await assert.rejects(refused, { code: 'invalid-input', message: /name of the reviewer/ });
    }
  });

  it('tells what a second person says, who must have a name', async () => {
    const { queue, changed } = watch(await temporaryStore());
    const judged: ReviewItem[] = [];
    queue.events.on('judged', (item) => judged.push(item));
    const { id } = await queue.add(decided('REVIEW'));
    await queue.label(id, { label: 'NG', reviewer: 'Ada', modelMistake: true }, 'ada');
    await assert.rejects(queue.approve(id, { reviewer: ' ' }, 'bob'), { code: 'invalid-input' });
    const rejected = await queue.reject(id, { reviewer: ' Bob ', note: ' ' }, 'bob');
    assert.deepEqual([rejected.state, rejected.approver, rejected.approvalNote], ['rejected', 'Bob', null]);
    await queue.label(id, { label: 'OK', reviewer: 'Ada' }, 'ada');
    const approved = await queue.approve(id, { reviewer: 'Bob' }, 'bob');
    assert.deepEqual(judged, [rejected, approved]);
    assert.equal(changed.length, 5);
  });

  it('keeps why an item came, how much it teaches and what it looks like', async () => {
    const { queue, changed } = watch(await temporaryStore());
    const known = await queue.add(decided('REVIEW'));
    const entry = {
      queueReasons: ['novel', 'near-threshold'],
      information: 0.75,
      similarTo: known.id,
      note: 'new dye',
    } as const;
    const item = await queue.add(decided('REVIEW'), entry);
    assert.deepEqual(
      [item.queueReasons, item.information, item.similarTo, item.note],
      [['novel', 'near-threshold'], 0.75, known.id, 'new dye'],
    );
    const flagged = await queue.addReasons(item.id, ['flagged'], { note: 'look here', information: 0.9 });
    assert.deepEqual([flagged.queueReasons, flagged.note], [['flagged', 'novel', 'near-threshold'], 'look here']);
    assert.equal(flagged.information, 0.9);
    assert.deepEqual(changed.at(-1), flagged);
    for (const information of [-0.1, 1.1, Number.NaN]) {
      await assert.rejects(queue.add(decided('REVIEW'), { information }), { code: 'invalid-input' });
    }
  });
});
