import assert from 'node:assert/strict';
import {
  type Inspection,
  newId,
  type RetrainConditions,
  type RetrainingRun,
  type RetrainSettings,
  sha256Of,
  timestamp,
} from '../../../../engine/domain';
import { Retraining, Snapshots, TooFewLabels } from '../../../../engine/learning';
import { ReviewQueue } from '../../../../engine/review';
import { openStore, type Store } from '../../../../engine/store';
import { waitFor } from '../../../support/wait';
import { temporaryFolder } from '../packages';
import { JobsByHand } from './jobs';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOTHING: RetrainConditions = { labels: null, drift: false, schedule: null };
const DEPLOYED = { state: 'completed', version: '2', deployment: 'deployed' } as const;

describe('Retraining', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let store: Store;
  let jobs: JobsByHand;
  let retraining: Retraining;
  let reviews: ReviewQueue;
  let runs: RetrainingRun[];
  let warnings: string[];
  const clock = { time: 0, now: () => clock.time };

  beforeEach(async () => {
    clock.time = Date.parse('2026-11-20T10:00Z');
    folder = await temporaryFolder();
    await start();
  });
  afterEach(async () => {
    await stop();
    await folder.remove();
  });

  async function start(): Promise<void> {
    store = await openStore({ dataFolder: folder.path, clock });
    reviews = new ReviewQueue(store, clock);
    jobs = new JobsByHand(store, clock);
    retraining = new Retraining({ store, jobs, clock });
    runs = [];
    warnings = [];
    retraining.events.on('run', (run) => runs.push(run));
    retraining.events.on('warning', ({ message }) => warnings.push(message));
    await retraining.open();
  }
  async function stop(): Promise<void> {
    await retraining.close();
    await store.close();
    assert.deepEqual(warnings, []);
  }

  function settings(conditions: Partial<RetrainConditions>, more: Partial<RetrainSettings> = {}): RetrainSettings {
    return {
      partType: 'plate',
      kind: 'patchcore',
      conditions: { ...NOTHING, ...conditions },
      minimumIntervalMinutes: 0,
      quietHours: [],
      timeZone: 'UTC',
      request: {},
      policy: { kind: 'automatic', maxWorse: 0.01 },
      ...more,
    };
  }
  const register = (conditions: Partial<RetrainConditions>, more: Partial<RetrainSettings> = {}) =>
    retraining.register({ settings: settings(conditions, more), node: 'n1', actor: 'night trainer' });
  const status = async () => (await retraining.status('plate'))[0];
  const codes = async () => (await status()).reasons.map(({ code }) => code);
  const at = async (text: string) => {
    clock.time = Date.parse(text);
    await retraining.check();
  };
  const ended = () =>
    waitFor('the end of the run', async () => (await retraining.history({ outcome: 'running' })).length === 0);
  const finish = async (facts: Parameters<JobsByHand['end']>[0]) => {
    await jobs.end(facts);
    await ended();
    await retraining.check();
  };

  async function label(count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      const id = newId();
      const time = timestamp(clock.time);
      const inspection: Inspection = {
        id,
        station: 's',
        partType: 'plate',
        trigger: { source: 'message' },
        capturedAt: time,
        deadlineAt: time,
        image: { width: 32, height: 24, format: 'jpeg', bytes: 9, sha256: sha256Of(Buffer.from(id)) },
        findings: [],
        decision: { verdict: 'REVIEW', confidence: 0, reasons: ['no-positive-evidence'], by: 'model', at: time },
      };
      await store.inspections.settle(inspection, { picturePath: `${id}.jpg`, settledAt: time, delivered: true });
      await reviews.add(inspection);
      await reviews.label(id, { label: 'OK', reviewer: 'Ada' }, 'ada');
    }
    clock.time += 1000;
    await retraining.check();
  }

  describe('by labels', () => {
    it('trains when enough labels are new, with all that the node says', async () => {
      const request = { options: { update: true }, priority: -5 };
      register({ labels: 3 }, { request });
      await label(2);
      assert.equal(jobs.submitted.length, 0);
      const before = await status();
      assert.deepEqual([before.state, before.newLabels, before.labelsNeeded], ['idle', 2, 1]);
      assert.equal(before.reasons[0].message, 'New labels: 2; at 3 a training starts.');

      await label(1);
      const [job] = jobs.submitted;
      const policy = { kind: 'automatic', maxWorse: 0.01 };
      assert.deepEqual(job.request, {
        partType: 'plate',
        source: { kind: 'labelled' },
        deploy: false,
        policy,
        ...request,
      });
      assert.equal(job.actor, 'night trainer');
      const [run] = await retraining.history();
      assert.deepEqual(job.trigger, { kind: 'labels', runId: run.id });
      assert.deepEqual([run.trigger, run.jobId, run.outcome], ['labels', job.id, 'running']);
      assert.equal((await status()).state, 'running');
      assert.equal((await status()).runningJob, job.id);

      await finish(DEPLOYED);
      const after = await status();
      assert.deepEqual([after.state, after.newLabels, after.labelsNeeded], ['idle', 0, 3]);
      assert.deepEqual([after.lastRun?.outcome, after.lastRun?.version], ['deployed', '2']);
      assert.deepEqual(
        runs.map(({ outcome }) => outcome),
        ['running', 'deployed'],
      );
    });

    it('counts labels that came while it trained as new, and those that another training used as old', async () => {
      register({ labels: 2 });
      await label(2);
      await label(1);
      await finish(DEPLOYED);
      assert.equal((await status()).newLabels, 1);
      await jobs.submit({ partType: 'plate', source: { kind: 'labelled' }, deploy: true }, 'ada');
      await finish({ state: 'completed', version: '3' });
      await waitFor('the labels to be used', async () => (await status()).newLabels === 0);
      assert.equal(jobs.submitted.length, 2);
    });

    it('does not try the same labels again after a failure, and says so', async () => {
      register({ labels: 2 });
      await label(2);
      await finish({ state: 'failed', error: { code: 'too-few-pictures', message: 'Too few.' } });
      await retraining.check();
      assert.equal(jobs.submitted.length, 1);
      assert.ok((await codes()).includes('labels-failed'));
      assert.equal((await status()).labelsNeeded, 2);
      const [run] = await retraining.history();
      assert.deepEqual([run.outcome, run.reasons.at(-1)?.code], ['failed', 'too-few-pictures']);
      await label(2);
      assert.equal(jobs.submitted.length, 2);
    });

    it('waits for no more labels than it is set to when those tried in vain are undone', async () => {
      register({ labels: 2 });
      await label(2);
      await finish({ state: 'failed', error: { code: 'too-few-pictures', message: 'Too few.' } });
      for (const { id } of (await reviews.list({ state: 'labelled' })).items) await reviews.undo({ id }, 'ada');
      await retraining.check();
      assert.equal((await status()).labelsNeeded, 2);
      await label(2);
      assert.equal(jobs.submitted.length, 2);
    });

    it('keeps a training that could not be started as declined, with the cause', async () => {
      register({ labels: 1 });
      jobs.refusal = new TooFewLabels('plate', 'boxes', 1, 3);
      await label(1);
      const [run] = await retraining.history();
      assert.deepEqual([run.outcome, run.jobId], ['declined', null]);
      assert.equal(run.reasons.at(-1)?.code, 'too-few-labelled-boxes');
      assert.equal((await status()).lastRun?.id, run.id);
    });
  });

  describe('by schedule', () => {
    const nightly = { cron: '0 2 * * *', timeZone: 'Europe/Berlin' };

    it('trains at its time when there is something new', async () => {
      register({ schedule: nightly });
      await label(1);
      assert.equal((await status()).nextSchedule, '2026-11-21T01:00:00.000Z');
      await at('2026-11-21T00:59:59Z');
      assert.equal(jobs.submitted.length, 0);
      await at('2026-11-21T01:00:00Z');
      assert.deepEqual(jobs.submitted[0].trigger?.kind, 'schedule');
      assert.equal((await retraining.history())[0].reasons[0].message, 'The schedule has come to 2026-11-21 02:00.');
      await finish(DEPLOYED);
      await at('2026-11-21T12:00Z');
      assert.equal(jobs.submitted.length, 1);
    });

    it('declines when nothing is new, and keeps showing what was trained last', async () => {
      register({ schedule: nightly });
      await label(1);
      await at('2026-11-21T01:00:30Z');
      await finish(DEPLOYED);
      await at('2026-11-22T01:00:30Z');
      const [night, before] = await retraining.history();
      assert.deepEqual(
        [night.outcome, night.reasons.map(({ code }) => code)],
        ['declined', ['schedule-due', 'nothing-new']],
      );
      assert.equal((await status()).lastRun?.id, before.id);
      assert.equal(jobs.submitted.length, 1);
    });

    it('trains when a label that a training used was rejected: there is something to forget', async () => {
      register({ schedule: nightly, labels: 5 });
      await label(1);
      const [{ id }] = (await reviews.list()).items;
      await new Snapshots(store, clock).take('plate', 'ada');
      await at('2026-11-21T01:00:30Z');
      await finish(DEPLOYED);
      assert.ok((await codes()).includes('nothing-new'));
      clock.time += 1000;
      await reviews.reject(id, { reviewer: 'Bob' }, 'bob');
      await retraining.check();
      const after = await status();
      assert.deepEqual([after.newLabels, after.labelsNeeded], [0, 5]);
      assert.ok(!(await codes()).includes('nothing-new'));
      await at('2026-11-22T01:00:30Z');
      assert.equal(jobs.submitted.length, 2);
      await finish(DEPLOYED);
      await at('2026-11-23T01:00:30Z');
      assert.equal(jobs.submitted.length, 2);
    });

    it('makes up for a time it missed while the station did not run, once, and says so', async () => {
      register({ schedule: nightly });
      await label(1);
      await stop();
      clock.time = Date.parse('2026-11-21T08:00Z');
      await start();
      register({ schedule: nightly });
      await retraining.check();
      assert.equal(jobs.submitted.length, 1);
      const [run] = await retraining.history();
      assert.deepEqual(run.reasons, [
        {
          code: 'schedule-missed',
          message: 'The schedule came to 2026-11-21 02:00 while the station was not running.',
          parameters: { at: '2026-11-21T01:00:00.000Z' },
        },
      ]);
      await finish({ state: 'failed', error: { code: 'x', message: 'X.' } });
      await at('2026-11-21T09:00Z');
      assert.equal(jobs.submitted.length, 1);
    });

    it('does not make up for one that is more than a day old', async () => {
      const weekly = { cron: '0 2 * * 6', timeZone: 'Europe/Berlin' };
      register({ schedule: weekly });
      await label(1);
      await stop();
      clock.time = Date.parse('2026-11-22T02:00Z');
      await start();
      register({ schedule: weekly });
      await retraining.check();
      assert.deepEqual(await retraining.history(), []);
    });

    it('does not take a changed schedule for a missed one', async () => {
      const remove = register({ schedule: nightly });
      await label(1);
      remove();
      register({ schedule: { cron: '30 9 * * *', timeZone: 'UTC' } });
      await at('2026-11-20T10:30Z');
      assert.equal(jobs.submitted.length, 0);
      assert.equal((await status()).nextSchedule, '2026-11-21T09:30:00.000Z');
    });
  });

  describe('by drift', () => {
    it('waits until there is something new to learn', async () => {
      register({ drift: true });
      await retraining.alarm({ partType: 'plate', kind: 'patchcore' }, 'spc');
      await retraining.alarm({ partType: 'plate', kind: 'patchcore' }, 'spc');
      const waiting = await status();
      assert.deepEqual([waiting.state, waiting.waiting], ['waiting', ['drift']]);
      assert.equal(waiting.reasons[0].code, 'drift-waits-for-labels');
      await label(1);
      assert.deepEqual([jobs.submitted[0].trigger?.kind, jobs.submitted[0].actor], ['drift', 'spc']);
      assert.deepEqual((await status()).waiting, []);
    });

    it('is not heeded where the node does not say so', async () => {
      register({ labels: 5 });
      assert.equal(await retraining.alarm({ partType: 'plate', kind: 'patchcore' }, 'spc'), false);
      assert.equal((await status()).state, 'idle');
    });
  });

  describe('what waits', () => {
    const shift = { quietHours: [{ from: '08:00', to: '18:00' }] };

    it('starts when the quiet hours are over, also after a restart', async () => {
      register({ drift: true }, shift);
      await label(1);
      await retraining.alarm({ partType: 'plate', kind: 'patchcore' }, 'spc');
      assert.equal(jobs.submitted.length, 0);
      assert.deepEqual(await codes(), ['drift-waits', 'quiet-hours']);
      assert.equal((await status()).possibleFrom, '2026-11-20T18:00:00.000Z');
      assert.equal((await status()).wouldTrain, false);
      await stop();
      clock.time = Date.parse('2026-11-20T17:59:59Z');
      await start();
      register({ drift: true }, shift);
      await retraining.check();
      assert.equal(jobs.submitted.length, 0);
      await at('2026-11-20T18:00:00Z');
      assert.equal(jobs.submitted[0].trigger?.kind, 'drift');
    });

    it('starts when the minimum interval is over, which may end in quiet hours', async () => {
      register({ labels: 1 }, { minimumIntervalMinutes: 120, quietHours: [{ from: '12:00', to: '13:30' }] });
      await label(1);
      await finish(DEPLOYED);
      await label(1);
      assert.deepEqual([(await status()).state, await codes()], ['waiting', ['labels-reached', 'minimum-interval']]);
      assert.equal((await status()).possibleFrom, '2026-11-20T13:30:00.000Z');
      await at('2026-11-20T12:30Z');
      assert.equal(jobs.submitted.length, 1);
      await at('2026-11-20T13:30Z');
      assert.equal(jobs.submitted.length, 2);
    });

    it('starts one training for all that is met', async () => {
      register({ labels: 1, drift: true }, shift);
      await retraining.alarm({ partType: 'plate', kind: 'patchcore' }, 'spc');
      await label(4);
      await at('2026-11-20T18:00Z');
      assert.equal(jobs.submitted.length, 1);
      const [run] = await retraining.history();
      assert.deepEqual(
        run.reasons.map(({ code }) => code),
        ['drift-alarm', 'labels-reached'],
      );
      await finish(DEPLOYED);
      assert.equal(jobs.submitted.length, 1);
    });
  });

  it('heeds the minimum interval however many times of the schedule found nothing since', async () => {
    register({ labels: 1, schedule: { cron: '* * * * *', timeZone: 'UTC' } }, { minimumIntervalMinutes: 120 });
    await label(1);
    clock.time += 1000;
    await finish(DEPLOYED);
    const began = clock.time;
    for (let minute = 1; minute <= 60; minute++) await at(timestamp(began + 60_000 * minute));
    await label(1);
    assert.equal(jobs.submitted.length, 1);
    assert.ok((await codes()).includes('minimum-interval'));
  });

  describe('by a person', () => {
    const ask = (force = false) => retraining.trigger({ partType: 'plate', actor: 'ada', force });

    it('trains at once, also without anything new', async () => {
      register({ labels: 50 });
      const run = await ask();
      assert.deepEqual([run.trigger, run.actor, run.jobId], ['manual', 'ada', jobs.submitted[0].id]);
      assert.equal(run.reasons[0].message, 'ada asked for it.');
    });

    it('is told why not now, and can insist', async () => {
      register({ labels: 50 }, { quietHours: [{ from: '08:00', to: '18:00' }] });
      await assert.rejects(ask(), {
        code: 'not-now',
        httpStatus: 409,
        message: 'Model plate is not trained now. These are quiet hours; they end at 2026-11-20 18:00.',
        parameters: {
          model: 'plate',
          detail: 'These are quiet hours; they end at 2026-11-20 18:00.',
          codes: 'quiet-hours',
        },
      });
      assert.deepEqual(await retraining.history(), []);
      await ask(true);
      assert.equal(jobs.submitted.length, 1);
      await assert.rejects(ask(true), { code: 'not-now', message: /is running/ });
    });

    it('does not start beside a training of the Training page', async () => {
      register({ labels: 1 });
      await jobs.submit({ partType: 'plate', source: { kind: 'folder', folder: '/x' }, deploy: true }, 'bob');
      await label(1);
      await assert.rejects(ask(), { code: 'not-now' });
      assert.equal(jobs.submitted.length, 1);
      assert.deepEqual((await codes())[0], 'running');
      await jobs.end({ state: 'completed', version: '1' });
      await waitFor('the training that waited', () => jobs.submitted.length === 2);
    });

    it('gets the error of a training that cannot be started', async () => {
      register({});
      jobs.refusal = new TooFewLabels('plate', 'boxes', 1, 3);
      await assert.rejects(ask(), { code: 'too-few-labelled-boxes' });
      assert.equal((await retraining.history())[0].outcome, 'declined');
      assert.deepEqual(await codes(), ['no-condition']);
    });

    it('is told when nobody says how the model is retrained', async () => {
      await assert.rejects(ask(), { code: 'no-retrain-trigger', httpStatus: 404 });
    });
  });

  describe('what came of it', () => {
    it('is a candidate until somebody deploys it', async () => {
      register({});
      await retraining.trigger({ partType: 'plate', actor: 'ada' });
      await finish({ state: 'completed', version: '7', deployment: 'awaiting' });
      assert.equal((await retraining.history())[0].outcome, 'candidate');
      const base = { partType: 'plate', kind: 'patchcore', name: 'plate', previousVersion: null } as const;
      const deployment = {
        ...base,
        action: 'deploy',
        actor: 'grace',
        at: timestamp(clock.time),
        reason: null,
      } as const;
      await retraining.deployed({ ...deployment, version: '6' });
      assert.equal((await retraining.history())[0].outcome, 'candidate');
      const removed = { actor: 'grace', removedAt: deployment.at, until: deployment.at };
      await retraining.removed({ ...removed, name: 'plate.detector', version: '7' });
      assert.equal((await retraining.history())[0].reasons.at(-1)?.code, 'candidate-waits');
      await retraining.removed({ ...removed, name: 'plate', version: '7' });
      const [away] = await retraining.history();
      assert.deepEqual([away.outcome, away.reasons.at(-1)?.message], ['candidate', 'grace removed version 7.']);
      await retraining.restored({ name: 'plate', version: '7', actor: 'hal' });
      assert.equal((await retraining.history())[0].reasons.at(-1)?.message, 'hal restored version 7.');
      // restored meanwhile
      await retraining.deployed({ ...deployment, version: '7' });
      const [run] = await retraining.history();
      assert.equal(run.outcome, 'deployed');
      assert.equal(run.reasons.at(-1)?.message, 'grace put version 7 into production.');
    });

    it('says what the gate refused', async () => {
      register({});
      await retraining.trigger({ partType: 'plate', actor: 'ada' });
      const reason = { code: 'labelled-ng-passes', message: 'Two pictures labelled NG would pass.' };
      const gateReport = { decision: { accepted: false, reasons: [reason] } } as never;
      await finish({ state: 'completed', version: '7', deployment: 'refused', gateReport });
      const [run] = await retraining.history();
      assert.deepEqual(
        [run.outcome, run.reasons.slice(1).map(({ code }) => code)],
        ['candidate', ['candidate-refused', 'labelled-ng-passes']],
      );
    });

    it('is found out after a kill, and what nothing came of is done again', async () => {
      register({ drift: true });
      await label(1);
      await retraining.alarm({ partType: 'plate', kind: 'patchcore' }, 'spc');
      const [job] = jobs.submitted;
      // killed: the queue marks the job at its next start, and nobody has heard of it
      const error = { code: 'interrupted', message: 'Node-RED ended.' };
      await store.jobs.update({ ...job, state: 'interrupted', error, endedAt: timestamp(clock.time) });
      await stop();
      await start();
      const [run] = await retraining.history();
      assert.equal(run.outcome, 'interrupted');
      register({ drift: true });
      await retraining.check();
      assert.equal(jobs.submitted[0].trigger?.kind, 'drift');
      const [again] = await retraining.history();
      assert.deepEqual(
        again.reasons.map(({ code }) => code),
        ['interrupted-again'],
      );
    });

    it('is done again when the kill came before its job was queued', async () => {
      const run: RetrainingRun = {
        id: newId(),
        partType: 'plate',
        kind: 'patchcore',
        trigger: 'manual',
        actor: 'ada',
        at: timestamp(clock.time),
        jobId: null,
        outcome: 'running',
        version: null,
        reasons: [],
        endedAt: null,
      };
      await store.retraining.insert(run);
      await stop();
      await start();
      register({});
      await retraining.check();
      assert.equal((await store.retraining.get(run.id))?.outcome, 'interrupted');
      assert.deepEqual([jobs.submitted.length, jobs.submitted[0].actor], [1, 'ada']);
    });

    it('is not done again when the training itself was at fault', async () => {
      register({ drift: true });
      await label(1);
      await retraining.alarm({ partType: 'plate', kind: 'patchcore' }, 'spc');
      await finish({ state: 'interrupted', error: { code: 'training-died', message: 'Out of memory.' } });
      assert.deepEqual([jobs.submitted.length, (await status()).waiting], [1, []]);
    });
  });

  it('keeps models and kinds apart', async () => {
    register({ labels: 1 });
    retraining.register({ settings: settings({ labels: 2 }, { kind: 'detector' }), node: 'n2', actor: 'n2' });
    assert.throws(() => retraining.register({ settings: settings({}), node: 'n3', actor: 'n3' }), {
      code: 'retrain-trigger-twice',
    });
    await label(1);
    assert.deepEqual(
      jobs.submitted.map(({ request }) => request.kind),
      [undefined],
    );
    await label(1);
    assert.deepEqual(
      jobs.submitted.map(({ request }) => request.kind),
      [undefined, 'detector'],
    );
    assert.deepEqual(
      (await retraining.status()).map(({ kind }) => kind),
      ['patchcore', 'detector'],
    );
    assert.equal((await retraining.trigger({ partType: 'plate', actor: 'x' }).catch((error) => error)).code, 'not-now');
  });

  it('tells its status when it reads otherwise, and only then', async () => {
    const heard: string[] = [];
    retraining.events.on('status', ({ state, newLabels }) => heard.push(`${state} ${newLabels}`));
    register({ labels: 2 });
    await retraining.check();
    await retraining.check();
    await label(2);
    await finish(DEPLOYED);
    assert.deepEqual(heard, ['idle 0', 'running 2', 'idle 0']);
  });

  it('looks by itself when the time has come', async () => {
    const shift = { quietHours: [{ from: '08:00', to: '10:00' }] };
    clock.time = Date.parse('2026-11-20T09:59:59.900Z');
    register({ drift: true }, shift);
    await label(1);
    clock.time = Date.parse('2026-11-20T09:59:59.900Z');
    await retraining.alarm({ partType: 'plate', kind: 'patchcore' }, 'spc');
    clock.time += HOUR;
    await waitFor('the training', () => jobs.submitted.length === 1, 5000);
  });

  it('refuses settings that cannot work', () => {
    const refused = (wrong: Partial<RetrainSettings>, message: RegExp) =>
      assert.throws(() => register({}, wrong), { message });
    refused({ partType: 'a/b' }, /part type/);
    refused({ conditions: { ...NOTHING, labels: 0 } }, /new labels must be whole and at least 1/);
    refused({ conditions: { ...NOTHING, schedule: { cron: 'x', timeZone: 'UTC' } } }, /not understood/);
    refused({ minimumIntervalMinutes: -1 }, /minimum interval/);
    refused({ timeZone: 'here' }, /no time zone/);
    refused({ policy: { kind: 'automatic', maxWorse: 2 } }, /between 0 and 1/);
    refused({ request: { priority: 11 } }, /priority/);
    refused({ request: { options: { falseRejectRate: 3 } } }, /falseRejectRate/);
  });
});
