import assert from 'node:assert/strict';
import { newId, QUEUE_REASONS, type ReviewStats } from '../../../engine/domain';
import type { NewReviewItem, ReviewFilter, Store } from '../../../engine/store';
import { decided, record, temporaryStore, undoAll } from './support';

const AT = '2026-01-02T03:04:05.000Z';

function item(changes: Partial<NewReviewItem> = {}): NewReviewItem {
  return {
    id: newId(),
    partType: 'plate',
    reasons: ['score-between-thresholds'],
    queueReasons: ['near-threshold'],
    information: 0.5,
    similarTo: null,
    lineVerdict: 'REVIEW',
    findings: [],
    note: null,
    createdAt: AT,
    ...changes,
  };
}

/** The new item as the store tells it. */
const waiting = (added: NewReviewItem) => ({
  ...added,
  state: 'pending',
  label: null,
  boxes: null,
  modelMistake: false,
  reviewer: null,
  decidedAt: null,
  approver: null,
  approvalNote: null,
  approvedAt: null,
  usedForTraining: null,
  lock: null,
});

const statsOf = (changes: Partial<ReviewStats>): ReviewStats => ({
  pending: 0,
  labelled: 0,
  approved: 0,
  rejected: 0,
  skipped: 0,
  perReason: Object.fromEntries(QUEUE_REASONS.map((reason) => [reason, 0])) as ReviewStats['perReason'],
  perReviewer: [],
  agreement: null,
  overrideRate: null,
  waitingAudits: 0,
  ...changes,
});

/** All pages of a list, two items each. */
async function allOf({ reviews }: Pick<Store, 'reviews'>, filter: ReviewFilter): Promise<string[]> {
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await reviews.list({ ...filter, limit: 2, cursor });
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor ?? undefined;
  } while (cursor);
  return seen;
}

describe('review items in the store', function () {
  this.timeout(20_000);
  afterEach(undoAll);

  it('takes each picture once', async () => {
    const { reviews } = await temporaryStore();
    const first = item();
    assert.deepEqual(await reviews.add(first), { item: waiting(first), added: true });
    const again = await reviews.add({ ...first, reasons: ['audit-sample'], queueReasons: ['audit-sample'] });
    assert.deepEqual(again, { item: waiting(first), added: false });
    assert.deepEqual(await reviews.get(first.id), waiting(first));
  });

  it('labels an item, keeps label and audit entry, and takes all of it back', async () => {
    const { reviews, audit, labels } = await temporaryStore();
    const { id } = (await reviews.add(item({ serial: 'S1' }))).item;
    const labelled = await reviews.decide(id, { label: 'OK', reviewer: 'Ada', note: 'a reflection' }, 'ada', AT);
    assert.deepEqual(
      [labelled.state, labelled.label, labelled.reviewer, labelled.note, labelled.decidedAt],
      ['labelled', 'OK', 'Ada', 'a reflection', AT],
    );
    assert.deepEqual((await labels.counts()).get('plate'), { ok: 1, ng: 0, boxed: 0 });
    const [entry] = await audit.list({ subject: id });
    assert.deepEqual([entry.action, entry.actor], ['review.label', 'ada']);
    assert.deepEqual(entry.after, { state: 'labelled', label: 'OK', reviewer: 'Ada', note: 'a reflection' });

    const undone = await reviews.undo({}, 'ada', AT);
    assert.deepEqual([undone?.id, undone?.state, undone?.label, undone?.decidedAt], [id, 'pending', null, null]);
    assert.equal((await labels.counts()).size, 0);
    assert.equal((await audit.list({ subject: id })).length, 2);
  });

  it('refuses a second label and an unknown item', async () => {
    const { reviews } = await temporaryStore();
    const { id } = (await reviews.add(item())).item;
    const decision = { label: 'NG', reviewer: null, note: null } as const;
    await reviews.decide(id, decision, 'ada', AT);
    await assert.rejects(reviews.decide(id, decision, 'ada', AT), { code: 'already-decided', httpStatus: 409 });
    await assert.rejects(reviews.skip(id, null, 'ada', AT), { code: 'already-decided' });
    await assert.rejects(reviews.decide(newId(), decision, 'ada', AT), { code: 'not-found' });
  });

  it('lets one of two reviewers win', async () => {
    const { reviews } = await temporaryStore();
    const { id } = (await reviews.add(item())).item;
    const results = await Promise.allSettled([
      reviews.decide(id, { label: 'OK', reviewer: 'Ada', note: null }, 'ada', AT),
      reviews.decide(id, { label: 'NG', reviewer: 'Bob', note: null }, 'ada', AT),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    );
    assert.equal((await reviews.get(id))?.reviewer, 'Ada');
  });

  it('labels a skipped item after all', async () => {
    const { reviews } = await temporaryStore();
    const { id } = (await reviews.add(item())).item;
    assert.equal((await reviews.skip(id, 'Ada', 'ada', AT)).state, 'skipped');
    assert.equal((await reviews.decide(id, { label: 'NG', reviewer: 'Bob', note: null }, 'ada', AT)).state, 'labelled');
    const perReviewer = [{ reviewer: 'Bob', labelled: 1, approved: 0, rejected: 0 }];
    assert.deepEqual(await reviews.stats(), statsOf({ labelled: 1, perReviewer }));
  });

  it('undoes one decision after the other, the last first, even within one millisecond', async () => {
    const { reviews } = await temporaryStore();
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.push((await reviews.add(item())).item.id);
    const order = [ids[1], ids[2], ids[0]];
    for (const id of order) await reviews.decide(id, { label: 'OK', reviewer: null, note: null }, 'ada', AT);
    const undone: (string | undefined)[] = [];
    for (let i = 0; i < 3; i++) undone.push((await reviews.undo({}, 'ada', AT))?.id);
    assert.deepEqual(undone, [...order].reverse());
    assert.equal(await reviews.undo({}, 'ada', AT), null);
  });

  it("undoes a reviewer's own last decision, not another's", async () => {
    const { reviews, audit } = await temporaryStore();
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.push((await reviews.add(item())).item.id);
    for (const [i, reviewer] of ['Ada', 'Ada', 'Bob'].entries()) {
      await reviews.decide(ids[i], { label: 'OK', reviewer, note: null }, 'ada', AT);
    }
    assert.equal((await reviews.undo({ reviewer: 'Ada' }, 'ada', AT))?.id, ids[1]);
    assert.equal((await reviews.undo({ id: ids[0] }, 'ada', AT))?.id, ids[0]);
    assert.equal(await reviews.undo({ reviewer: 'Ada' }, 'ada', AT), null);
    assert.equal((await reviews.get(ids[2]))?.label, 'OK');
    assert.equal((await audit.list({ action: 'review.undo' })).length, 2);
  });

  it('lists what waits oldest first and what is labelled by decision, newest first', async () => {
    const store = await temporaryStore();
    const { reviews } = store;
    const all = (filter: ReviewFilter) => allOf(store, filter);
    const ids: string[] = [];
    for (let i = 0; i < 6; i++) ids.push((await reviews.add(item({ partType: i < 3 ? 'a' : 'b' }))).item.id);
    for (const id of [ids[4], ids[1], ids[2]]) {
      await reviews.decide(id, { label: 'OK', reviewer: null, note: null }, 'ada', AT);
    }
    assert.deepEqual(await all({ state: 'pending' }), [ids[0], ids[3], ids[5]]);
    assert.deepEqual(await all({ state: 'labelled' }), [ids[2], ids[1], ids[4]]);
    assert.deepEqual(await all({}), [...ids].reverse());
    assert.deepEqual(await all({ state: 'pending', partType: 'b' }), [ids[3], ids[5]]);
    const perReason = { ...statsOf({}).perReason, 'near-threshold': 1 };
    assert.deepEqual(await reviews.stats('a'), statsOf({ pending: 1, labelled: 2, perReason }));
  });

  it('gives the labelled pictures of a part type for training', async () => {
    const store = await temporaryStore();
    const [good, bad, other] = [decided('REVIEW'), decided('NG'), decided('OK', { partType: 'cable' })];
    const paths = [await record(store, good), await record(store, bad), await record(store, other)];
    for (const part of [good, bad, other]) await store.reviews.add(item({ id: part.id, partType: part.partType }));
    await store.reviews.decide(good.id, { label: 'OK', reviewer: null, note: null }, 'ada', AT);
    await store.reviews.decide(bad.id, { label: 'NG', reviewer: null, note: null }, 'ada', AT);
    await store.reviews.decide(other.id, { label: 'OK', reviewer: null, note: null }, 'ada', AT);
    assert.deepEqual(await store.labels.labelledPictures('plate', 'OK'), [{ id: good.id, picturePath: paths[0] }]);
    assert.deepEqual(await store.labels.labelledPictures('plate', 'NG'), [{ id: bad.id, picturePath: paths[1] }]);
  });
});
