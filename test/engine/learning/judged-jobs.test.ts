import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GateReport, Job, TrainingRequest } from '../../../engine/domain';
import { ComparingDied, JobQueue, type JudgeVersion, ModelRegistry } from '../../../engine/learning';
import { outcomeOf } from '../../../engine/learning/retraining/outcome';
import { openStore, type Store } from '../../../engine/store';
import { jobEnded, TRAINING_LIMIT_MS } from '../../support/jobs';
import { waitFor } from '../../support/wait';
import { writeBoards } from '../patchcore/reference/boards';
import { temporaryFolder } from './packages';

const OPTIONS = { method: 'reference', referenceFolder: 'golden', defectFolder: 'bad', labelFolder: 'labels' } as const;
const BOARDS: TrainingRequest = {
  partType: 'board',
  source: { kind: 'folder', folder: 'good' },
  deploy: false,
  options: OPTIONS,
};
const MANY = { kind: 'simulator', product: 'plate', count: 200 } as const;

/** A judgement that lasts until it is ended from outside. */
const endless: JudgeVersion = (_wish, onProgress, signal) => {
  onProgress({ stage: 'gate', percent: 50, remainingSeconds: null });
  return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
};
const saying =
  (accepted: boolean): JudgeVersion =>
  async () =>
    ({ decision: { accepted, reasons: [{ code: 'worse', message: 'It is worse.' }] } }) as unknown as GateReport;

describe('the judgement of trained versions', function () {
  this.timeout(2 * TRAINING_LIMIT_MS);
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let store: Store;
  let models: ModelRegistry;
  let queue: JobQueue;

  beforeEach(async () => {
    folder = await temporaryFolder();
    await writeBoards(folder.path);
  });
  afterEach(async () => {
    await stop();
    await folder.remove();
  });

  async function start(judge: JudgeVersion): Promise<void> {
    store = await openStore({ dataFolder: folder.path });
    models = new ModelRegistry({ store });
    queue = new JobQueue({ store, models, judge });
    await queue.open();
  }
  async function stop(): Promise<void> {
    await queue.close();
    await store.close();
  }
  const isJudged = (id: string): Promise<Job> =>
    waitFor(
      'the judgement',
      async () => {
        const job = await queue.get(id);
        return job.progress?.stage === 'gate' && job;
      },
      TRAINING_LIMIT_MS,
    );
  const codes = ({ log = [] }: Job) => log.map(({ code }) => code).filter((code) => code !== 'stage');

  it('is ended by cancelling, and leaves a version that is not in production', async () => {
    await start(endless);
    const { id } = await queue.submit({ ...BOARDS, deploy: true }, 'ada');
    const job = await isJudged(id);
    assert.deepEqual([job.version, job.progress?.percent], ['1', 95]);
    const cancelled = await queue.cancel(id, 'grace');
    assert.deepEqual([cancelled.state, cancelled.version, cancelled.deployment], ['cancelled', '1', 'none']);
    assert.ok(existsSync(join(folder.path, 'models', 'board', '1')));
    assert.equal(await models.deployed('board'), null);
    assert.deepEqual(codes(cancelled), ['queued', 'started', 'placed', 'cancelled']);
  });

  it('is done again after the station ended in the middle of it, without another training', async () => {
    await start(endless);
    const policy = { kind: 'automatic', maxWorse: 0.01 } as const;
    const { id } = await queue.submit({ ...BOARDS, policy }, 'ada');
    await isJudged(id);
    await stop();
    await start(saying(true));
    const job = await jobEnded(queue, id);
    assert.deepEqual([job.state, job.version, job.deployment, job.resumed], ['completed', '1', 'deployed', 1]);
    assert.equal((await models.deployed('board'))?.version, '1');
    assert.equal((await models.list('board')).length, 1);
    assert.match(job.notes?.[0] ?? '', /goes on with the comparison of version 1/);
    assert.ok(codes(job).includes('judged-accepted'));
    assert.deepEqual(await store.jobs.get(id), job);
  });

  it('is done again when its process was killed, and given up when that goes on', async () => {
    let kills = 2;
    await start(async (...given) => {
      if (kills-- > 0) throw new ComparingDied({ code: null, signal: 'SIGKILL', errorText: '' });
      return saying(true)(...given);
    });
    const { id } = await queue.submit({ ...BOARDS, deploy: true }, 'ada');
    const job = await jobEnded(queue, id);
    assert.deepEqual([job.state, job.version, job.deployment, job.resumed], ['completed', '1', 'deployed', 2]);

    kills = Number.POSITIVE_INFINITY;
    const { id: unlucky } = await queue.submit({ ...BOARDS, deploy: true }, 'ada');
    const given = await jobEnded(queue, unlucky);
    assert.deepEqual([given.state, given.version, given.deployment], ['interrupted', '2', 'none']);
    assert.equal(given.error?.code, 'comparing-died');
    assert.equal((await models.deployed('board'))?.version, '1');
  });

  it('is found out to be over when the kill came after the deployment', async () => {
    await start(saying(true));
    const { id } = await queue.submit({ ...BOARDS, deploy: true }, 'ada');
    const job = await jobEnded(queue, id);
    assert.equal(job.deployment, 'deployed');
    await store.jobs.update({ ...job, state: 'running', deployment: undefined, endedAt: null });
    await stop();
    await start(endless);
    const again = await jobEnded(queue, id);
    assert.deepEqual([again.state, again.deployment], ['completed', 'deployed']);
    assert.equal((await models.history('board')).length, 1, 'one deployment');
  });

  it('leaves in production what a person chose while it went on', async () => {
    await start(saying(true));
    for (const _ of [1, 2]) await jobEnded(queue, (await queue.submit({ ...BOARDS, deploy: true }, 'ada')).id);
    const choices = [
      () => models.rollback('board', 'grace'),
      // also where it comes to the same version in the end
      async () => {
        await models.deploy('board', '2', 'grace');
        await models.deploy('board', '1', 'grace');
      },
      // and where the version was tried by hand
      async () => {
        await models.deploy('board', '5', 'grace');
        await models.rollback('board', 'grace');
      },
    ];
    for (const [place, choose] of choices.entries()) {
      await stop();
      await start(async (...given) => {
        await choose();
        return saying(true)(...given);
      });
      const job = await jobEnded(queue, (await queue.submit({ ...BOARDS, deploy: true }, 'ada')).id);
      assert.deepEqual([job.state, job.version], ['completed', `${place + 3}`]);
      assert.equal((await store.jobs.get(job.id))?.deployment, 'awaiting');
      assert.ok(codes(job).includes('production-changed'));
      assert.equal((await models.deployed('board'))?.version, '1');
    }
  });

  it('leaves thresholds in force that a person set, while it went on or before it was asked for', async () => {
    const thresholds = { accept: 1, reject: 2 };
    await start(async (...given) => {
      await store.settings.setRouting('board', { thresholds }, 'grace');
      return saying(true)(...given);
    });
    const { id } = await queue.submit({ ...BOARDS, deploy: true }, 'ada');
    const job = await jobEnded(queue, id);
    assert.deepEqual([job.state, job.deployment], ['completed', 'awaiting']);
    assert.match(
      job.log?.find(({ code }) => code === 'thresholds-changed')?.text ?? '',
      /thresholds that grace set by hand are in force/,
    );
    assert.equal(await models.deployed('board'), null);
    const { reasons } = outcomeOf(job);
    assert.deepEqual(
      reasons.map(({ code }) => code),
      ['thresholds-changed', 'candidate-waits'],
    );

    await stop();
    await start(saying(true));
    assert.equal(
      (await jobEnded(queue, (await queue.submit({ ...BOARDS, deploy: true }, 'ada')).id)).deployment,
      'awaiting',
    );
    await stop();
    await start(async (...given) => {
      await store.settings.setRouting('board', { thresholds: { accept: 3, reject: 4 } }, 'grace');
      await store.settings.setRouting('board', { thresholds: null }, 'grace');
      return saying(true)(...given);
    });
    assert.equal(
      (await jobEnded(queue, (await queue.submit({ ...BOARDS, deploy: true }, 'ada')).id)).deployment,
      'deployed',
    );
  });

  it('is told with what a person made of its version later', async () => {
    await start(saying(true));
    const policy = { kind: 'manual' } as const;
    const ids: string[] = [];
    for (const _ of [1, 2, 3]) {
      const { id } = await queue.submit({ ...BOARDS, policy }, 'ada');
      assert.equal((await jobEnded(queue, id)).deployment, 'awaiting');
      ids.push(id);
    }
    await models.deploy('board', '1', 'grace');
    await models.remove('board', '2', 'grace');
    const fates = async () => (await queue.list()).map(({ deployment }) => deployment).reverse();
    assert.deepEqual(await fates(), ['deployed', 'removed', 'awaiting']);
    assert.equal((await queue.get(ids[1]!)).deployment, 'removed');
    await models.restore('board', '2', 'grace');
    assert.deepEqual(await fates(), ['deployed', 'awaiting', 'awaiting']);
  });

  it('does not undo a roll-back when it goes on after the deployment', async () => {
    await start(saying(true));
    await jobEnded(queue, (await queue.submit({ ...BOARDS, deploy: true }, 'ada')).id);
    const job = await jobEnded(queue, (await queue.submit({ ...BOARDS, deploy: true }, 'ada')).id);
    await store.jobs.update({ ...job, state: 'running', deployment: undefined, endedAt: null });
    await models.rollback('board', 'grace');
    await stop();
    await start(saying(true));
    assert.equal((await jobEnded(queue, job.id)).deployment, 'deployed');
    assert.equal((await models.deployed('board'))?.version, '1');
  });

  it('is of a version with the next number when an import took its own during the training', async () => {
    await start(saying(true));
    const place = join(folder.path, 'models', 'board', '1');
    queue.events.on('job', ({ progress }) => {
      if (!progress || existsSync(place)) return;
      mkdirSync(place, { recursive: true });
      writeFileSync(join(place, 'head.onnx'), 'imported');
    });
    const job = await jobEnded(queue, (await queue.submit({ ...BOARDS, deploy: true }, 'ada')).id);
    assert.deepEqual([job.state, job.error, job.version, job.deployment], ['completed', null, '2', 'deployed']);
    assert.equal((await models.deployed('board'))?.version, '2');
    assert.equal((await models.describe('board', '2')).manifest.version, '2');
    assert.deepEqual(readdirSync(place), ['head.onnx']);
  });

  it('keeps a refused version as a candidate, and says so', async () => {
    await start(saying(false));
    const { id } = await queue.submit({ ...BOARDS, deploy: true }, 'ada');
    const job = await jobEnded(queue, id);
    assert.deepEqual([job.state, job.version, job.deployment], ['completed', '1', 'refused']);
    assert.equal(await models.deployed('board'), null);
    assert.deepEqual(job.notes, ['Version 1 is not in production: the gate refused it.']);
    assert.ok(job.log?.some(({ text }) => text === 'The gate refuses the version. It is worse.'));
  });

  it('fails without deploying when it cannot be done', async () => {
    await start(async () => {
      throw new Error('no pictures');
    });
    const { id } = await queue.submit({ ...BOARDS, deploy: true }, 'ada');
    const job = await jobEnded(queue, id);
    assert.deepEqual([job.state, job.version, job.error?.code], ['failed', '1', 'trained-not-deployed']);
    assert.equal(await models.deployed('board'), null);
  });
});

describe('priorities of trainings', function () {
  this.timeout(2 * TRAINING_LIMIT_MS);
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let store: Store;
  let queue: JobQueue;

  beforeEach(async () => {
    folder = await temporaryFolder();
    store = await openStore({ dataFolder: folder.path });
    queue = new JobQueue({ store, models: new ModelRegistry({ store }) });
    await queue.open();
  });
  afterEach(async () => {
    await queue.close();
    await store.close();
    await folder.remove();
  });

  const train = (partType: string, priority?: number) =>
    queue.submit({ partType, source: MANY, deploy: false, ...(priority !== undefined && { priority }) }, 'ada');

  it('let a later training go first, and keep the order among equals', async () => {
    const running = await train('a');
    const [later, sooner, first, never] = [
      await train('b'),
      await train('c', 5),
      await train('d', 5),
      await train('e', -1),
    ];
    assert.deepEqual([running.priority, first.priority, never.priority], [0, 5, -1]);
    const order: string[] = [];
    queue.events.on('job', ({ id, state }) => {
      if (state === 'running' && !order.includes(id)) order.push(id);
    });
    for (const { id } of [running, sooner, first, later]) {
      await waitFor('its turn', async () => (await queue.get(id)).state === 'running', TRAINING_LIMIT_MS);
      await queue.cancel(id, 'ada');
    }
    await waitFor('the last', async () => (await queue.get(never.id)).state === 'running', TRAINING_LIMIT_MS);
    assert.deepEqual(
      order.filter((id) => id !== running.id),
      [sooner.id, first.id, later.id, never.id],
    );
  });

  it('are whole and at most 10', async () => {
    await assert.rejects(train('a', 11), { code: 'invalid-input', message: /priority/ });
    await assert.rejects(train('a', 0.5), { code: 'invalid-input' });
  });
});
