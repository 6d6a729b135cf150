import assert from 'node:assert/strict';
import { join } from 'node:path';
import { knex } from 'knex';
import { newId, QUEUE_REASONS, REVIEW_STATES, type ReviewStats, timestamp } from '../../../engine/domain';
import type { NewReviewItem, NextReview, ReviewFilter, Store } from '../../../engine/store';
import { selectReviews } from '../../../engine/store/review-list';
import type { ReviewRow } from '../../../engine/store/review-row';
import { decided, record, temporaryFolder, temporaryStore, undoAfter, undoAll } from './support';

const AT = '2026-01-02T03:04:05.000Z';
const LATER = '2026-01-02T03:06:05.000Z';

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
  this.timeout(120_000);
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

  it('lists what teaches most first, of equal ones the oldest, page by page', async () => {
    const store = await temporaryStore();
    const ids: string[] = [];
    for (const information of [0.2, 0.9, 0.1 + 0.2, 0.9, 0, 0.3]) {
      ids.push((await store.reviews.add(item({ information }))).item.id);
    }
    const wanted = [ids[1], ids[3], ids[2], ids[5], ids[0], ids[4]];
    assert.deepEqual(await allOf(store, { state: 'pending', order: 'information' }), wanted);
    assert.deepEqual(await allOf(store, { order: 'information', partType: 'plate' }), wanted);
    const { nextCursor } = await store.reviews.list({ limit: 1 });
    const cursor = nextCursor!;
    await assert.rejects(store.reviews.list({ order: 'information', cursor }), { code: 'invalid-input' });
    await assert.rejects(store.reviews.list({ state: 'labelled', cursor }), { code: 'invalid-input' });
    await assert.rejects(store.reviews.list({ cursor: 'foo' }), { code: 'invalid-input' });
  });

  it('lists the items of one reason, in each state and order, and of one reviewer', async () => {
    const store = await temporaryStore();
    const add = async (changes: Partial<NewReviewItem>) => (await store.reviews.add(item(changes))).item.id;
    const novel = await add({ queueReasons: ['novel', 'near-threshold'], information: 0.1 });
    const near = await add({ queueReasons: ['near-threshold'], information: 0.2 });
    const cable = await add({ queueReasons: ['novel'], information: 0.3, partType: 'cable' });
    const [first, second] = [await add({ queueReasons: ['novel'] }), await add({ queueReasons: ['novel'] })];
    for (const id of [second, first]) {
      await store.reviews.decide(id, { label: 'OK', reviewer: 'Ada', note: null }, 'ada', AT);
    }
    await store.reviews.skip(near, 'Bob', 'bob', AT);
    assert.deepEqual(await allOf(store, { state: 'pending', queueReason: 'novel' }), [novel, cable]);
    const informed = { state: 'pending', queueReason: 'novel', order: 'information' } as const;
    assert.deepEqual(await allOf(store, informed), [cable, novel]);
    assert.deepEqual(await allOf(store, { ...informed, partType: 'plate' }), [novel]);
    assert.deepEqual(await allOf(store, { state: 'labelled', queueReason: 'novel' }), [first, second]);
    assert.deepEqual(await allOf(store, { queueReason: 'near-threshold' }), [near, novel]);
    assert.deepEqual(await allOf(store, { reviewer: 'Ada' }), [first, second]);
    assert.deepEqual(await allOf(store, { reviewer: 'Bob', state: 'labelled' }), []);
  });

  it('adds reasons before those that an item has, and lets a skipped or rejected one wait again', async () => {
    const { reviews } = await temporaryStore();
    const { id } = (await reviews.add(item())).item;
    const again = (note: string | null = null) => ({ note, information: 0.9 });
    await reviews.skip(id, 'Ada', 'ada', AT);
    const flagged = await reviews.addReasons(id, ['flagged', 'near-threshold'], again('a scratch'));
    assert.deepEqual(
      [flagged.state, flagged.queueReasons, flagged.note, flagged.reviewer],
      ['pending', ['flagged', 'near-threshold'], 'a scratch', null],
    );
    assert.deepEqual((await reviews.list({ state: 'pending', queueReason: 'flagged' })).items, [flagged]);
    const { perReason } = await reviews.stats();
    assert.deepEqual([perReason.flagged, perReason['near-threshold']], [1, 1]);
    await reviews.decide(id, { label: 'NG', reviewer: null, note: null }, 'ada', AT);
    await assert.rejects(reviews.addReasons(id, ['drift'], again()), { code: 'already-decided' });
    await reviews.judge(id, { approved: false, reviewer: 'Bob', note: null }, 'bob', AT);
    const drifted = await reviews.addReasons(id, ['drift'], again());
    assert.deepEqual([drifted.state, drifted.label, drifted.approver], ['pending', null, null]);
    assert.equal(drifted.note, 'a scratch');
    await assert.rejects(reviews.addReasons(newId(), ['drift'], again()), { code: 'not-found' });
  });

  it('weighs an item anew with the reasons that are added, in each list', async () => {
    const store = await temporaryStore();
    const add = async (information: number) => (await store.reviews.add(item({ information }))).item.id;
    const [first, second] = [await add(0.1), await add(0.5)];
    const weighed = await store.reviews.addReasons(first, ['flagged'], { note: null, information: 0.8 });
    assert.equal(weighed.information, 0.8);
    const informed = { state: 'pending', order: 'information' } as const;
    assert.deepEqual(await allOf(store, informed), [first, second]);
    assert.deepEqual(await allOf(store, { ...informed, queueReason: item().queueReasons[0] }), [first, second]);
  });

  it('shows what was said with an item again when its label is taken back, or it is skipped after a rejection', async () => {
    const { reviews } = await temporaryStore();
    const { id } = (await reviews.add(item({ note: 'Kim: a dent' }))).item;
    const label = () => reviews.decide(id, { label: 'NG', reviewer: 'Ada', note: 'a scratch' }, 'ada', AT);
    assert.equal((await label()).note, 'a scratch');
    assert.equal((await reviews.undo({ id }, 'ada', AT))?.note, 'Kim: a dent');
    assert.equal((await reviews.skip(id, 'Ada', 'ada', AT)).note, 'Kim: a dent');
    assert.equal((await reviews.undo({ id }, 'ada', AT))?.note, 'Kim: a dent');
    await label();
    await reviews.judge(id, { approved: false, reviewer: 'Bob', note: null }, 'bob', AT);
    assert.equal((await reviews.skip(id, 'Ada', 'ada', AT)).note, 'Kim: a dent');
  });

  it('counts by state, reason and reviewer, how far people agree and how often they contradict the line', async () => {
    const { reviews } = await temporaryStore();
    const add = async (changes: Partial<NewReviewItem>) => (await reviews.add(item(changes))).item.id;
    const label = (id: string, answer: 'OK' | 'NG', reviewer: string, at = AT) =>
      reviews.decide(id, { label: answer, reviewer, note: null }, reviewer, at);
    const judge = (id: string, approved: boolean) =>
      reviews.judge(id, { approved, reviewer: 'Cleo', note: null }, 'cleo', LATER);
    const ids: string[] = [];
    for (const lineVerdict of ['OK', 'OK', 'NG', 'REVIEW', 'OK', 'OK'] as const) {
      ids.push(await add({ lineVerdict, queueReasons: lineVerdict === 'OK' ? ['audit-sample'] : ['near-threshold'] }));
    }
    await label(ids[0], 'NG', 'Ada');
    await label(ids[1], 'OK', 'Ada');
    await label(ids[2], 'NG', 'Bob');
    await label(ids[3], 'NG', 'Ada', LATER);
    await judge(ids[0], true);
    await judge(ids[1], true);
    await judge(ids[2], false);
    await reviews.skip(ids[4], 'Bob', 'bob', LATER);
    const perReason = { ...statsOf({}).perReason, 'audit-sample': 1 };
    const all = statsOf({
      pending: 1,
      labelled: 1,
      approved: 2,
      rejected: 1,
      skipped: 1,
      perReason,
      perReviewer: [
        { reviewer: 'Ada', labelled: 1, approved: 2, rejected: 0 },
        { reviewer: 'Bob', labelled: 0, approved: 0, rejected: 1 },
      ],
      agreement: 2 / 3,
      // NG of a part that passed, of two whose label counts and on which the line decided
      overrideRate: 1 / 2,
      waitingAudits: 1,
    });
    assert.deepEqual(await reviews.stats(), all);
    assert.deepEqual(await reviews.stats('plate'), all);
    assert.deepEqual(await reviews.stats('cable'), statsOf({}));
    const later = await reviews.stats(undefined, { from: LATER });
    assert.deepEqual([later.pending, later.labelled, later.approved, later.skipped], [1, 1, 0, 1]);
    assert.deepEqual(await reviews.stats(undefined, { to: AT }), statsOf({ pending: 1, perReason, waitingAudits: 1 }));
  });

  it('counts the decisions of any span, of whole days and of parts of one', async () => {
    const { reviews } = await temporaryStore();
    const hours = Array.from({ length: 40 }, (_, index) => 2.5 * index);
    const moment = (hour: number) => timestamp(Date.parse('2026-01-02T00:00:00.000Z') + hour * 3_600_000);
    for (const hour of hours) {
      const { id } = (await reviews.add(item({ partType: hour % 5 === 0 ? 'plate' : 'cable' }))).item;
      await reviews.decide(id, { label: 'OK', reviewer: 'Ada', note: null }, 'ada', moment(hour));
    }
    for (const [from, to] of [
      [0, 24],
      [0, 48],
      [24, 72],
      [5, 90],
      [30, 40],
      [20, 25],
      [20, 49],
      [24, 25],
      [47, 48],
      [60, 20],
      [undefined, 30],
      [30, undefined],
    ]) {
      const within = hours.filter((hour) => hour >= (from ?? 0) && hour < (to ?? 1000));
      const span = { from: from === undefined ? from : moment(from), to: to === undefined ? to : moment(to) };
      assert.equal((await reviews.stats(undefined, span)).labelled, within.length, `${from} to ${to}`);
      const ofPlate = within.filter((hour) => hour % 5 === 0).length;
      assert.equal((await reviews.stats('plate', span)).labelled, ofPlate, `plates, ${from} to ${to}`);
    }
  });

  it('reads every list and count off an index, however many items there are', async () => {
    const { dataFolder, reviews, close } = await temporaryStore();
    await reviews.add(item());
    await close();
    const database = knex({
      client: 'sqlite3',
      connection: { filename: join(dataFolder, 'inspection.sqlite') },
      useNullAsDefault: true,
    });
    undoAfter(() => database.destroy());
    const filters: ReviewFilter[] = [];
    for (const state of [undefined, ...REVIEW_STATES]) {
      for (const partType of [undefined, 'plate']) {
        for (const queueReason of [undefined, 'novel'] as const) {
          for (const order of ['age', 'information'] as const) filters.push({ state, partType, queueReason, order });
        }
      }
    }
    filters.push({ reviewer: 'Ada' }, { reviewer: 'Ada', state: 'labelled' });
    for (const first of filters) {
      const { cursorOf } = selectReviews(database, first);
      const cursor = cursorOf({ id: newId(), information: 0.5, decision_order: 1 } as ReviewRow);
      for (const filter of [first, { ...first, cursor }]) {
        const { sql, bindings } = selectReviews(database, filter).query.limit(51).toSQL();
        const plan: { detail: string }[] = await database.raw(`explain query plan ${sql}`, bindings as never);
        const steps = plan.map(({ detail }) => detail);
        const slow = steps.filter((step) => /TEMP B-TREE|^SCAN (?!.*USING)/.test(step));
        assert.deepEqual(slow, [], `${JSON.stringify(filter)}: ${steps.join('; ')}`);
      }
    }
  });
});

describe('approval by a second person', function () {
  this.timeout(120_000);
  afterEach(undoAll);

  async function labelled(store: Store, reviewer: string | null = 'Ada', actor = 'ada'): Promise<string> {
    const part = decided('REVIEW');
    await record(store, part);
    await store.reviews.add(item({ id: part.id }));
    await store.reviews.decide(part.id, { label: 'NG', reviewer, note: 'crack', modelMistake: true }, actor, AT);
    return part.id;
  }
  const yes = (reviewer: string) => ({ approved: true, reviewer, note: 'seen' });
  const no = (reviewer: string) => ({ approved: false, reviewer, note: 'dust' });

  it('keeps who approved, when and with which words, and tells it in the audit list', async () => {
    const store = await temporaryStore();
    const id = await labelled(store);
    const item = await store.reviews.judge(id, yes('Bob'), 'bob', LATER);
    assert.deepEqual(
      [item.state, item.label, item.reviewer, item.approver, item.approvalNote, item.approvedAt, item.modelMistake],
      ['approved', 'NG', 'Ada', 'Bob', 'seen', LATER, true],
    );
    const [entry] = await store.audit.list({ subject: id });
    assert.deepEqual([entry.action, entry.actor], ['review.approve', 'bob']);
    assert.deepEqual(entry.after, {
      state: 'approved',
      label: 'NG',
      reviewer: 'Ada',
      note: 'crack',
      modelMistake: true,
      approver: 'Bob',
      approvalNote: 'seen',
    });
  });

  it('is never by the labeller, by name or by session', async () => {
    const store = await temporaryStore();
    const id = await labelled(store);
    for (const [name, actor] of [
      ['Ada', 'bob'],
      ['ADA', 'bob'],
      ['Bob', 'ada'],
    ]) {
      const error = { code: 'same-person', httpStatus: 403 };
      await assert.rejects(store.reviews.judge(id, yes(name), actor, LATER), error, `${name}/${actor}`);
      await assert.rejects(store.reviews.judge(id, no(name), actor, LATER), error);
    }
    const unknown = await labelled(store, 'Ada', 'anonymous');
    assert.equal((await store.reviews.judge(unknown, yes('Bob'), 'anonymous', LATER)).state, 'approved');
  });

  it('needs two names, or sessions: who has none could be the same person', async () => {
    const store = await temporaryStore();
    const refused = { code: 'name-needed', httpStatus: 403 };
    const nameless = await labelled(store, 'anonymous', 'anonymous');
    await assert.rejects(store.reviews.judge(nameless, yes('Bob'), 'anonymous', LATER), refused);
    const named = await labelled(store, 'Ada', 'anonymous');
    await assert.rejects(store.reviews.judge(named, yes('anonymous'), 'anonymous', LATER), refused);
    assert.equal((await store.reviews.judge(named, yes('bob'), 'bob', LATER)).state, 'approved');
    assert.equal((await store.reviews.judge(nameless, no('Bob'), 'anonymous', LATER)).state, 'rejected');
  });

  it('is only of a label that nobody has looked at', async () => {
    const store = await temporaryStore();
    const refused = { code: 'not-labelled', httpStatus: 409 };
    const waitingId = (await store.reviews.add(item())).item.id;
    await assert.rejects(store.reviews.judge(waitingId, yes('Bob'), 'bob', LATER), refused);
    await store.reviews.skip(waitingId, 'Ada', 'ada', AT);
    await assert.rejects(store.reviews.judge(waitingId, no('Bob'), 'bob', LATER), refused);
    const id = await labelled(store);
    const both = await Promise.allSettled([
      store.reviews.judge(id, yes('Bob'), 'bob', LATER),
      store.reviews.judge(id, no('Cleo'), 'cleo', LATER),
    ]);
    assert.deepEqual(
      both.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    );
    assert.equal((await store.reviews.get(id))?.state, 'approved');
    await assert.rejects(store.reviews.judge(newId(), yes('Bob'), 'bob', LATER), { code: 'not-found' });
  });

  it('takes a rejected label out of what counts, until it is labelled anew', async () => {
    const store = await temporaryStore();
    const id = await labelled(store);
    await store.reviews.judge(id, no('Bob'), 'bob', LATER);
    assert.equal((await store.labels.counts()).size, 0);
    assert.deepEqual(await store.labels.labelled('plate'), []);
    const again = await store.reviews.decide(id, { label: 'OK', reviewer: 'Ada', note: null }, 'ada', LATER);
    assert.deepEqual(
      [again.state, again.label, again.note, again.modelMistake, again.approver, again.approvedAt],
      ['labelled', 'OK', null, false, null, null],
    );
    assert.deepEqual((await store.labels.counts()).get('plate'), { ok: 1, ng: 0, boxed: 0 });
    await store.reviews.judge(id, no('Bob'), 'bob', LATER);
    const skipped = await store.reviews.skip(id, 'Ada', 'ada', LATER);
    assert.deepEqual([skipped.state, skipped.label, skipped.approver, skipped.note], ['skipped', null, null, null]);
  });

  it('makes only approved labels count where a second person is asked for', async () => {
    const dataFolder = await temporaryFolder();
    const store = await temporaryStore({ dataFolder, secondPerson: true });
    const id = await labelled(store);
    assert.deepEqual(await store.labels.labelledPictures('plate', 'NG'), []);
    await store.reviews.judge(id, yes('Bob'), 'bob', LATER);
    assert.equal((await store.labels.labelledPictures('plate', 'NG')).length, 1);
    assert.deepEqual((await store.labels.counts()).get('plate'), { ok: 0, ng: 1, boxed: 0 });
  });

  it('ends the time in which a decision can be undone, as does its use in a training', async () => {
    const store = await temporaryStore();
    const [approved, rejected, used] = [await labelled(store), await labelled(store), await labelled(store)];
    await store.reviews.judge(approved, yes('Bob'), 'bob', LATER);
    await store.reviews.judge(rejected, no('Bob'), 'bob', LATER);
    for (const id of [approved, rejected]) {
      await assert.rejects(store.reviews.undo({ id }, 'ada', LATER), { code: 'approved-already', httpStatus: 409 });
    }
    const counts = { ok: 0, ng: 1, boxes: 0, perClass: {}, train: 1, val: 0 };
    const order = { id: newId(), partType: 'plate', actor: 'ada', note: null, at: LATER };
    const snapshot = await store.snapshots.take(order, (labels) => ({
      items: labels.filter(({ id }) => id === used).map((label) => ({ ...label, split: 'train' })),
      hash: '00',
      counts,
    }));
    assert.equal((await store.reviews.get(used))?.usedForTraining, snapshot.id);
    await assert.rejects(store.reviews.undo({ id: used }, 'ada', LATER), { code: 'used-already', httpStatus: 409 });
    await assert.rejects(store.reviews.undo({ reviewer: 'Ada' }, 'ada', LATER), { code: 'used-already' });
    assert.equal((await store.reviews.judge(used, no('Bob'), 'bob', LATER)).usedForTraining, snapshot.id);
    assert.equal((await store.reviews.get(approved))?.label, 'NG');
  });
});

describe('locks of review items', function () {
  this.timeout(120_000);
  afterEach(undoAll);

  const START = Date.parse(AT);
  const UNTIL = timestamp(START + 120_000);

  async function clockedStore() {
    const clock = { time: START, now: () => clock.time };
    return { clock, store: await temporaryStore({ clock }) };
  }

  it('keep others from deciding until they run out', async () => {
    const { clock, store } = await clockedStore();
    const { reviews } = store;
    const { id } = (await reviews.add(item())).item;
    const { item: locked, taken } = await reviews.lock(id, 'Ada', UNTIL);
    assert.deepEqual([locked.lock, taken], [{ reviewer: 'Ada', until: UNTIL }, true]);
    const refused = { code: 'locked', httpStatus: 409, parameters: { id, reviewer: 'Ada', until: UNTIL } };
    const decision = { label: 'OK', note: null } as const;
    await assert.rejects(reviews.lock(id, 'Bob', UNTIL), refused);
    await assert.rejects(reviews.decide(id, { ...decision, reviewer: 'Bob' }, 'bob', AT), refused);
    await assert.rejects(reviews.decide(id, { ...decision, reviewer: null }, 'anonymous', AT), refused);
    await assert.rejects(reviews.skip(id, 'Bob', 'bob', AT), refused);
    clock.time = START + 119_999;
    await assert.rejects(reviews.skip(id, 'Bob', 'bob', AT), refused);
    clock.time = START + 120_000;
    assert.equal((await reviews.get(id))?.lock, null);
    assert.equal((await reviews.decide(id, { ...decision, reviewer: 'Bob' }, 'bob', AT)).reviewer, 'Bob');
  });

  it('are renewed and ended by who has them, and by deciding', async () => {
    const { store } = await clockedStore();
    const { reviews } = store;
    const { id } = (await reviews.add(item())).item;
    await reviews.lock(id, 'Ada', UNTIL);
    const renewed = await reviews.lock(id, 'ada', timestamp(START + 300_000));
    assert.deepEqual([renewed.taken, renewed.item.lock?.until], [false, timestamp(START + 300_000)]);
    assert.equal((await reviews.unlock(id, 'Bob')).released, false);
    const { item: free, released } = await reviews.unlock(id, 'Ada');
    assert.deepEqual([free.lock, released], [null, true]);
    assert.equal((await reviews.unlock(id, 'Ada')).released, false);
    await reviews.lock(id, 'Bob', UNTIL);
    const labelled = await reviews.decide(id, { label: 'NG', reviewer: 'Bob', note: null }, 'bob', AT);
    assert.equal(labelled.lock, null);
    const late = await reviews.lock(id, 'Bob', UNTIL);
    assert.deepEqual([late.item.lock, late.taken], [null, false], 'who labelled does not keep others from approving');
    await reviews.lock(id, 'Cleo', UNTIL);
    await assert.rejects(reviews.judge(id, { approved: true, reviewer: 'Dan', note: null }, 'dan', AT), {
      code: 'locked',
    });
    const judged = await reviews.judge(id, { approved: true, reviewer: 'Cleo', note: null }, 'cleo', AT);
    assert.equal(judged.lock, null);
    await assert.rejects(reviews.lock(newId(), 'Ada', UNTIL), { code: 'not-found' });
    await assert.rejects(reviews.unlock(newId(), 'Ada'), { code: 'not-found' });
  });

  it('are there again after the database was closed', async () => {
    const dataFolder = await temporaryFolder();
    const clock = { now: () => START };
    const first = await temporaryStore({ dataFolder, clock });
    const { id } = (await first.reviews.add(item())).item;
    await first.reviews.lock(id, 'Ada', UNTIL);
    await first.close();
    const again = await temporaryStore({ dataFolder, clock });
    assert.deepEqual((await again.reviews.get(id))?.lock, { reviewer: 'Ada', until: UNTIL });
  });

  it('let each of two people take the first item that is free, in the order wished', async () => {
    const { clock, store } = await clockedStore();
    const { reviews } = store;
    const ids: string[] = [];
    for (const information of [0.1, 0.9, 0.5]) ids.push((await reviews.add(item({ information }))).item.id);
    const next = async (reviewer: string, which: NextReview = {}) => (await reviews.next(which, reviewer, UNTIL))?.id;
    assert.equal(await next('Ada'), ids[0]);
    assert.equal(await next('ada'), ids[0]);
    assert.equal(await next('Bob'), ids[1]);
    assert.equal(await next('Ada', { except: [ids[0]] }), ids[2]);
    assert.equal(await next('Cleo'), undefined);
    assert.equal(await next('Ada', { partType: 'cable' }), undefined);
    clock.time = START + 120_000;
    assert.equal(await next('Cleo', { order: 'information' }), ids[1]);
    assert.equal(await next('Cleo', { queueReason: 'near-threshold' }), ids[0]);
  });
});
