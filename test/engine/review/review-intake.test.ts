import assert from 'node:assert/strict';
import type { AdmissionSettings, DeclinedReview, Inspection, QueueReason } from '../../../engine/domain';
import { type Admission, type EmbeddingSource, ReviewIntake, ReviewQueue } from '../../../engine/review';
import { EmbeddingMemory } from '../../../engine/station/embeddings';
import type { Store } from '../../../engine/store';
import { decided, record, temporaryFolder, temporaryStore, undoAll } from '../store/support';

const START = Date.parse('2026-11-20T10:00:00Z');
const HOUR = 3_600_000;

class Bench {
  now = START;
  readonly declined: DeclinedReview[] = [];
  readonly queue: ReviewQueue;
  readonly intake: ReviewIntake;

  constructor(
    readonly store: Store,
    readonly memory: EmbeddingMemory & EmbeddingSource = new EmbeddingMemory(),
  ) {
    const clock = { now: () => this.now };
    this.queue = new ReviewQueue(store, clock);
    this.intake = new ReviewIntake(this.queue, store, this.memory, clock);
    this.intake.events.on('declined', (declined) => this.declined.push(declined));
  }

  /** Offers a part, which looked like this when it was scored. */
  offer(
    part: Inspection,
    wished: {
      readonly vector?: Float32Array;
      readonly settings?: Partial<AdmissionSettings>;
      readonly queueReasons?: readonly QueueReason[];
      readonly node?: string;
    } = {},
  ): Promise<Admission> {
    if (wished.vector) this.look(part, wished.vector);
    return this.intake.offer(part, { node: 'node', ...wished });
  }

  look({ id, partType }: Inspection, vector: Float32Array, space = 'space'): void {
    this.memory.keep(id, { vector, space, partType, model: { name: partType, version: '1' }, normalizedScore: 1 });
  }
}

const part = (changes: Partial<Inspection> = {}) => decided('REVIEW', changes);
const withReasons = (reasons: readonly ('score-between-thresholds' | 'audit-sample' | 'overload')[]) => {
  const base = decided(reasons.includes('audit-sample') ? 'OK' : 'REVIEW');
  return { ...base, decision: { ...base.decision!, reasons } };
};

/** Unit vectors: all of one direction are alike, those of different ones are not. */
function looks(direction: number, variation = 0): Float32Array {
  const vector = new Float32Array(64);
  vector[direction] = Math.cos(variation / 10);
  vector[(direction + 1) % 64] = Math.sin(variation / 10);
  return vector;
}

const causes = (admissions: readonly Admission[]) =>
  admissions.map((admission) => (admission.admitted ? 'in' : admission.cause));

describe('what comes into the review queue', function () {
  this.timeout(120_000);
  afterEach(undoAll);

  it('gets reasons and information from the findings, and "sent" where they give none', async () => {
    const bench = new Bench(await temporaryStore());
    const unsure = part({
      findings: [
        {
          kind: 'anomaly',
          node: 'n',
          score: 1.5,
          normalizedScore: 0.8,
          thresholds: { accept: 1, reject: 2 },
          regions: [],
          milliseconds: { total: 1 },
        },
      ],
    });
    const admitted = await bench.offer(unsure);
    assert.ok(admitted.admitted);
    assert.deepEqual(admitted.item.queueReasons, ['near-threshold']);
    assert.equal(admitted.item.information, 0.85);
    assert.equal(admitted.item.node, 'node');
    const other = await bench.offer(part());
    assert.ok(other.admitted);
    assert.deepEqual([other.item.queueReasons, other.item.information], [['sent'], 0.15]);
  });

  it('is at most so many an hour, also after a restart, and the quota of one node is not used by others', async () => {
    const dataFolder = await temporaryFolder();
    const store = await temporaryStore({ dataFolder });
    const bench = new Bench(store);
    const settings = { quotaHour: 2, quotaDay: 3 };
    const first = await Promise.all([1, 2, 3].map(() => bench.offer(part(), { settings })));
    assert.deepEqual(causes(first), ['in', 'in', 'quota-hour']);
    assert.deepEqual(causes([await bench.offer(part(), { settings, node: 'other' })]), ['in']);
    await store.close();

    const again = new Bench(await temporaryStore({ dataFolder }));
    again.now = START + HOUR - 1;
    assert.deepEqual(causes([await again.offer(part(), { settings })]), ['quota-hour']);
    again.now = START + HOUR;
    const later = [await again.offer(part(), { settings }), await again.offer(part(), { settings })];
    assert.deepEqual(causes(later), ['in', 'quota-day']);
    again.now = START + 24 * HOUR;
    assert.deepEqual(causes([await again.offer(part(), { settings })]), ['in']);
  });

  it('is at most so many a day for a reason, and takes the place of its next reason that has room', async () => {
    const bench = new Bench(await temporaryStore());
    const settings = { quotaPerReason: { failure: 1, drift: 1, sent: 0 } };
    const failed = () => withReasons(['overload']);
    const told = [
      await bench.offer(failed(), { settings }),
      await bench.offer(failed(), { settings, queueReasons: ['drift'] }),
      await bench.offer(failed(), { settings, queueReasons: ['drift'] }),
      await bench.offer(part(), { settings }),
    ];
    assert.deepEqual(causes(told), ['in', 'in', 'quota-reason', 'quota-reason']);
    assert.deepEqual(told[1].admitted && told[1].item.queueReasons, ['failure', 'drift']);
  });

  it('lets an audit sample use the quota of the audit alone, so that no bad one is likelier to get in', async () => {
    const bench = new Bench(await temporaryStore());
    const settings = { quotaPerReason: { 'audit-sample': 1 } };
    const audit = () => withReasons(['audit-sample']);
    const told = [
      await bench.offer(audit(), { settings }),
      await bench.offer(audit(), { settings, queueReasons: ['drift'] }),
      await bench.offer(part(), { settings }),
    ];
    assert.deepEqual(causes(told), ['in', 'quota-reason', 'in']);
  });

  it('is told and counted when it is not taken, by cause and day', async () => {
    const bench = new Bench(await temporaryStore());
    const settings = { quotaHour: 0 };
    const declined = part();
    await bench.offer(declined, { settings });
    await bench.offer(part({ partType: 'cable' }), { settings });
    assert.deepEqual(bench.declined[0], {
      id: declined.id,
      partType: 'plate',
      node: 'node',
      cause: 'quota-hour',
      queueReasons: ['sent'],
      at: '2026-11-20T10:00:00.000Z',
    });
    const none = { 'quota-hour': 0, 'quota-day': 0, 'quota-reason': 0, similar: 0 };
    assert.deepEqual(await bench.intake.declined(), { ...none, 'quota-hour': 2 });
    assert.deepEqual(await bench.intake.declined('plate'), { ...none, 'quota-hour': 1 });
    bench.now += 24 * HOUR;
    assert.deepEqual(await bench.intake.declined(), none);
    assert.equal((await bench.queue.stats()).pending, 0);
  });

  it('of 20 pictures of the same stain is five, and five more once those are labelled', async () => {
    const dataFolder = await temporaryFolder();
    const store = await temporaryStore({ dataFolder });
    const bench = new Bench(store);
    const stains = Array.from({ length: 20 }, (_, index) => ({ part: part(), vector: looks(1, index % 3) }));
    const told: Admission[] = [];
    for (const { part, vector } of stains) told.push(await bench.offer(part, { vector }));
    assert.deepEqual(causes(told), [...Array(5).fill('in'), ...Array(15).fill('similar')]);
    assert.deepEqual(causes([await bench.offer(part(), { vector: looks(5) })]), ['in']);
    const [first, second, , , fifth] = told.map((one) => (one.admitted ? one.item : null));
    assert.equal(first?.similarTo, null);
    assert.equal(second?.similarTo, first?.id);
    assert.ok((fifth?.information ?? 1) < (first?.information ?? 0) / 4);
    await store.close();

    const again = new Bench(await temporaryStore({ dataFolder }));
    assert.deepEqual(causes([await again.offer(part(), { vector: looks(1, 1) })]), ['similar']);
    await again.queue.label(first!.id, { label: 'NG' }, 'Ada');
    assert.deepEqual(causes([await again.offer(part(), { vector: looks(1, 1) })]), ['in']);
    assert.deepEqual(causes([await again.offer(part(), { vector: looks(1), settings: { similarLimit: 0 } })]), ['in']);
  });

  it('is compared within its part type and with embeddings of the same kind only', async () => {
    const bench = new Bench(await temporaryStore());
    const settings = { similarLimit: 1 };
    assert.deepEqual(causes([await bench.offer(part(), { vector: looks(1), settings })]), ['in']);
    const cable = part({ partType: 'cable' });
    assert.deepEqual(causes([await bench.offer(cable, { vector: looks(1), settings })]), ['in']);
    const otherModel = part();
    bench.look(otherModel, looks(1), 'another backbone');
    assert.deepEqual(causes([await bench.offer(otherModel, { settings })]), ['in']);
    assert.deepEqual(causes([await bench.offer(part(), { settings })]), ['in']);
    assert.deepEqual(causes([await bench.offer(part(), { vector: looks(1), settings })]), ['similar']);
  });

  it('is every audit sample, however alike', async () => {
    const bench = new Bench(await temporaryStore());
    const told: Admission[] = [];
    for (let index = 0; index < 8; index += 1) {
      told.push(await bench.offer(withReasons(['audit-sample']), { vector: looks(1) }));
    }
    assert.deepEqual(causes(told), Array(8).fill('in'));
  });

  it('is novel when it is unlike all parts of the line, until there are some of it', async () => {
    const bench = new Bench(await temporaryStore());
    for (let index = 0; index < 30; index += 1) bench.look(part(), looks(1, index / 10));
    const reasons: (readonly QueueReason[])[] = [];
    for (const vector of [looks(1, 1.23), looks(9), looks(9, 0.1)]) {
      const admission = await bench.offer(part(), { vector });
      if (admission.admitted) reasons.push(admission.item.queueReasons);
    }
    assert.deepEqual(reasons, [['sent'], ['novel'], ['sent']]);
  });

  it('gets what is new of the reasons when it is there already, and takes no second place', async () => {
    const bench = new Bench(await temporaryStore());
    const settings = { quotaHour: 1 };
    const twice = part();
    await bench.offer(twice, { settings });
    const again = await bench.offer(twice, { settings, queueReasons: ['drift'] });
    assert.ok(again.admitted && again.item.queueReasons.includes('drift'));
    const third = await bench.offer(twice, { settings, queueReasons: ['drift'] });
    assert.deepEqual(third, again);
    await bench.queue.label(twice.id, { label: 'OK' }, 'Ada');
    const labelled = await bench.offer(twice, { settings, queueReasons: ['novel'] });
    assert.ok(labelled.admitted && labelled.item.state === 'labelled');
    assert.equal((await bench.intake.declined())['quota-hour'], 0);
  });

  it('refuses an inspection without a verdict, and goes on', async () => {
    const bench = new Bench(await temporaryStore());
    const { decision: _, ...open } = part();
    await assert.rejects(bench.offer(open), { code: 'invalid-input' });
    assert.deepEqual(causes([await bench.offer(part())]), ['in']);
  });
});

describe('flagging', function () {
  this.timeout(120_000);
  afterEach(undoAll);

  it('puts a passed part before a person, with who asks and why, whatever the quotas', async () => {
    const store = await temporaryStore();
    const bench = new Bench(store);
    const passed = decided('OK');
    await record(store, passed);
    const item = await bench.intake.flag(passed.id, { reviewer: 'Kim', note: 'a dent at the left' }, 'session');
    assert.deepEqual([item.queueReasons, item.lineVerdict, item.state], [['flagged'], 'OK', 'pending']);
    assert.equal(item.note, 'Kim: a dent at the left');
    const [entry] = await store.audit.list({ subject: passed.id });
    assert.deepEqual([entry.action, entry.actor], ['review.flag', 'session']);
    assert.deepEqual(entry.after, { reviewer: 'Kim', note: 'a dent at the left' });
  });

  it('adds its reason to an item that waits, brings back one that was skipped, and refuses one with a label', async () => {
    const store = await temporaryStore();
    const bench = new Bench(store);
    const waiting = part();
    await record(store, waiting);
    await bench.offer(waiting);
    assert.equal((await bench.intake.flag(waiting.id, {}, 'session')).queueReasons[0], 'flagged');
    await bench.queue.skip(waiting.id, 'Kim', 'session');
    assert.equal((await bench.intake.flag(waiting.id, {}, 'session')).state, 'pending');
    await bench.queue.label(waiting.id, { label: 'NG' }, 'session');
    await assert.rejects(bench.intake.flag(waiting.id, {}, 'session'), { code: 'already-decided' });
  });

  it('keeps the words of the first who asks until another gives words', async () => {
    const store = await temporaryStore();
    const bench = new Bench(store);
    const passed = decided('OK');
    await record(store, passed);
    const flag = async (reviewer: string, note?: string) =>
      (await bench.intake.flag(passed.id, { reviewer, note }, 'session')).note;
    assert.equal(await flag('anonymous'), 'anonymous');
    assert.equal(await flag('Zoe', 'a dent'), 'Zoe: a dent');
    await bench.queue.skip(passed.id, 'Kim', 'session');
    assert.equal(await flag('anonymous', ' '), 'Zoe: a dent');
    assert.equal(await flag('Kim', 'no, a stain'), 'Kim: no, a stain');
  });

  it('never weighs an item that waits less', async () => {
    const store = await temporaryStore();
    const bench = new Bench(store);
    const sample = part();
    await record(store, sample);
    await bench.offer(sample, { vector: looks(10), queueReasons: ['disagreement'] });
    const weighed = (await bench.queue.get(sample.id)).information;
    assert.equal(weighed, 1);
    // others that look alike come and wait, too
    for (let at = 1; at <= 3; at += 1) {
      const alike = part();
      await record(store, alike);
      await bench.offer(alike, { vector: looks(10), settings: { similarLimit: 0 } });
    }
    assert.equal((await bench.intake.flag(sample.id, {}, 'session')).information, weighed);
  });

  it('weighs an item that waits anew, compared with all others but itself', async () => {
    const store = await temporaryStore();
    const bench = new Bench(store);
    const [one, other] = [part(), part()];
    for (const [direction, inspection] of [one, other].entries()) {
      await record(store, inspection);
      await bench.offer(inspection, { vector: looks(10 * direction) });
    }
    // doubt 0.7 since a person asks, newness 0.3 since it is unlike the other one
    assert.equal((await bench.intake.flag(one.id, {}, 'session')).information, 1);
    const drifted = await bench.offer(other, { queueReasons: ['drift'] });
    assert.ok(drifted.admitted);
    assert.deepEqual([drifted.item.queueReasons, drifted.item.information], [['drift', 'sent'], 0.3]);
  });

  it('needs an inspection with a verdict and a picture', async () => {
    const store = await temporaryStore();
    const bench = new Bench(store);
    await assert.rejects(bench.intake.flag('01ARZ3NDEKTSV4RRFFQ69G5FAV', {}, 'session'), { code: 'not-found' });
    const blind = decided('OK');
    await store.inspections.settle(blind, { picturePath: null, settledAt: blind.capturedAt, delivered: true });
    await assert.rejects(bench.intake.flag(blind.id, {}, 'session'), { code: 'invalid-input', message: /no picture/ });
  });
});
