import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { constants, getPriority } from 'node:os';
import { join } from 'node:path';
import {
  type Job,
  newId,
  type TrainingOptions,
  type TrainingRequest,
  type TrainingSource,
  timestamp,
} from '../../../engine/domain';
import { JobQueue, ModelRegistry } from '../../../engine/learning';
import { verifyFiles } from '../../../engine/packages';
import { simulatePart } from '../../../engine/simulator';
import { openStore, type Store } from '../../../engine/store';
import { readBankManifest } from '../../support/bank-manifest';
import { jobEnded, TRAINING_LIMIT_MS } from '../../support/jobs';
import { recordSyncs } from '../../support/syncs';
import { waitFor } from '../../support/wait';
import { writeBoards } from '../patchcore/reference/boards';
import { temporaryFolder } from './packages';

const FEW: TrainingSource = { kind: 'simulator', product: 'plate', count: 8 };
const MANY: TrainingSource = { kind: 'simulator', product: 'plate', count: 200 };

describe('JobQueue', function () {
  this.timeout(2 * TRAINING_LIMIT_MS);
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let store: Store;
  let models: ModelRegistry;
  let queue: JobQueue;
  let told: Job[];
  let warnings: string[];

  beforeEach(async () => {
    folder = await temporaryFolder();
    await start();
  });
  afterEach(async () => {
    await stop();
    assert.deepEqual(trainingProcesses(), []);
    await folder.remove();
  });

  async function start(): Promise<void> {
    store = await openStore({ dataFolder: folder.path });
    models = new ModelRegistry({ store });
    queue = new JobQueue({ store, models });
    told = [];
    warnings = [];
    queue.events.on('job', (job) => told.push(job));
    queue.events.on('warning', ({ message }) => warnings.push(message));
    await queue.open();
  }
  async function stop(): Promise<void> {
    await queue.close();
    await store.close();
  }

  const train = (partType: string, source: TrainingSource, deploy = false) =>
    queue.submit({ partType, source, deploy }, 'ada');
  const isTraining = (id: string) =>
    waitFor('progress', async () => (await queue.get(id)).progress !== null, TRAINING_LIMIT_MS);
  const leftovers = async (): Promise<string[]> => {
    const work = join(folder.path, 'training');
    return existsSync(work) ? readdir(work) : [];
  };
  const versionFolders = (partType: string) => {
    const place = join(folder.path, 'models', partType);
    return existsSync(place) ? readdirSync(place) : [];
  };

  it('trains in a process of its own with the lowest priority, and puts the version into production', async () => {
    const { id } = await train('plate', FEW, true);
    await isTraining(id);
    const pids = trainingProcesses();
    assert.equal(pids.length, 1);
    assert.equal(getPriority(pids[0]), constants.priority.PRIORITY_LOW);

    const job = await jobEnded(queue, id);
    assert.deepEqual([job.state, job.version, job.error, job.progress?.percent], ['completed', '1', null, 100]);
    assert.ok(job.startedAt! >= job.createdAt && job.endedAt! >= job.startedAt!);
    assert.deepEqual(await store.jobs.get(id), job);

    const manifest = await verifyFiles(join(folder.path, 'models', 'plate', '1'));
    assert.deepEqual([manifest.partType, manifest.version, manifest.parent], ['plate', '1', null]);
    assert.equal(manifest.dataset.source, 'simulator, plate, seeds 1 to 8');
    assert.equal((await models.deployed('plate'))?.version, '1');
    assert.deepEqual(
      (await models.history('plate')).map(({ actor }) => actor),
      ['ada'],
    );

    assert.deepEqual([...new Set(told.map(({ state }) => state))], ['queued', 'running', 'completed']);
    const percents = told.flatMap(({ progress }) => (progress ? [progress.percent] : []));
    assert.deepEqual(
      percents,
      [...percents].sort((a, b) => a - b),
    );
    assert.deepEqual(await leftovers(), []);
  });

  it('trains one job at a time, so that two of the same part type make two versions', async () => {
    const [first, second] = await Promise.all([train('plate', FEW), train('plate', FEW)]);
    assert.deepEqual((await queue.list()).map(({ state }) => state).sort(), ['queued', 'running']);
    const done = await Promise.all([jobEnded(queue, first.id), jobEnded(queue, second.id)]);
    assert.deepEqual(done.map(({ version }) => version).sort(), ['1', '2']);
    const [earlier, later] = done.sort((a, b) => a.startedAt!.localeCompare(b.startedAt!));
    assert.ok(later.startedAt! >= earlier.endedAt!);
    assert.equal(await models.deployed('plate'), null);
    assert.deepEqual(versionFolders('plate').sort(), ['1', '2']);
  });

  it('cancels a running job in the middle, leaves nothing of it, and goes on with the next', async () => {
    const { id } = await train('plate', MANY, true);
    const next = await train('cable', FEW);
    await isTraining(id);
    const job = await queue.cancel(id, 'grace');
    assert.ok((job.progress?.percent ?? 100) < 100, 'ended, not waited for');
    assert.deepEqual([job.state, job.version, job.error], ['cancelled', null, null]);
    assert.deepEqual(versionFolders('plate'), []);
    assert.ok(!(await leftovers()).includes(id));
    assert.equal((await jobEnded(queue, next.id)).state, 'completed');
    const entries = await store.audit.list({ subject: id });
    assert.deepEqual(
      entries.map(({ actor, action }) => `${actor} ${action}`),
      ['grace training.cancel', 'ada training.start'],
    );
  });

  it('cancels a job that waits, and none that is over', async () => {
    const { id: running } = await train('plate', MANY);
    const { id } = await train('plate', FEW);
    const job = await queue.cancel(id, 'ada');
    assert.deepEqual([job.state, job.startedAt], ['cancelled', null]);
    await assert.rejects(queue.cancel(id, 'ada'), { code: 'job-ended', httpStatus: 409 });
    await assert.rejects(queue.cancel(newId(), 'ada'), { code: 'not-found' });
    await queue.cancel(running, 'ada');
    await assert.rejects(queue.cancel(running, 'ada'), { code: 'job-ended' });
  });

  it('says so when the process is killed from outside', async () => {
    const { id } = await train('plate', MANY, true);
    await isTraining(id);
    process.kill(trainingProcesses()[0], 'SIGKILL');
    const job = await jobEnded(queue, id);
    assert.equal(job.state, 'interrupted');
    assert.equal(job.error?.code, 'training-died');
    assert.match(job.error!.message, /SIGKILL.*memory/);
    assert.equal(job.error!.parameters?.ending, 'SIGKILL');
    assert.deepEqual((await store.jobs.get(id))?.error, job.error, 'kept with what translations need');
    assert.deepEqual(versionFolders('plate'), []);
    assert.deepEqual(await leftovers(), []);
  });

  it('marks a running job interrupted on close, and starts the waiting one after the next start', async () => {
    const { id } = await train('plate', MANY);
    const { id: waiting } = await train('plate', FEW);
    await isTraining(id);
    await stop();
    assert.deepEqual(trainingProcesses(), []);
    assert.equal(told.findLast((job) => job.id === id)?.state, 'interrupted');
    await assert.rejects(train('plate', FEW), { code: 'job-queue-closed' });
    await start();
    assert.match((await queue.get(id)).error!.message, /closed while this training ran/);
    assert.equal((await jobEnded(queue, waiting)).state, 'completed');
    assert.deepEqual(await leftovers(), []);
  });

  it('survives the kill of its own process: the training ends too, and is interrupted after the start', async () => {
    await stop();
    const owner = fork(join(__dirname, 'queue-process.ts'), [folder.path]);
    await new Promise<void>((resolve, reject) => {
      owner.on('message', (job: Job) => {
        if (job.progress) resolve();
      });
      owner.once('exit', (code) => reject(new Error(`the owner of the queue ended with ${code}`)));
    });
    const training = trainingProcesses(owner.pid);
    assert.equal(training.length, 1);
    owner.kill('SIGKILL');
    await waitFor(
      'the end of the training process',
      () => !existsSync(`/proc/${training[0]}`) || isZombie(training[0]),
      TRAINING_LIMIT_MS,
    );
    await start();
    const [job] = await queue.list();
    assert.equal(job.state, 'interrupted');
    assert.match(job.error!.message, /Node-RED ended/);
    assert.deepEqual(versionFolders('plate'), []);
    assert.equal(await models.deployed('plate'), null);
    assert.deepEqual(await leftovers(), []);
  });

  it('reads a folder in natural order, and names the pictures it leaves out', async () => {
    const pictures = join(folder.path, 'good');
    await mkdir(join(pictures, 'sub.jpg'), { recursive: true });
    for (let index = 1; index <= 8; index++) {
      const { picture } = await simulatePart({ product: 'plate', seed: index, defectRate: 0, width: 320, height: 180 });
      await writeFile(join(pictures, `${index}.jpg`), picture);
    }
    await writeFile(join(pictures, '10.jpg'), readFileSync(join(pictures, '1.jpg')).subarray(0, 2000));
    await writeFile(join(pictures, '9.png'), '');
    await writeFile(join(pictures, 'notes.txt'), 'no picture');
    const { id } = await train('plate', { kind: 'folder', folder: 'good' });
    const job = await jobEnded(queue, id);
    assert.equal(job.state, 'completed', job.error?.message);
    assert.deepEqual(job.request.source, { kind: 'folder', folder: pictures });
    const manifest = await verifyFiles(join(folder.path, 'models', 'plate', '1'));
    assert.deepEqual([manifest.dataset.count, manifest.dataset.skipped], [8, 2]);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0], /^2 pictures were left out: 9\.png \(.*\), 10\.jpg \(.*\)$/);
  });

  it('fails with the reason when too few pictures can be read, and makes no version', async () => {
    const pictures = join(folder.path, 'bad');
    await mkdir(pictures);
    for (let index = 0; index < 9; index++) await writeFile(join(pictures, `${index}.jpg`), 'broken');
    const { id } = await train('plate', { kind: 'folder', folder: pictures }, true);
    const job = await jobEnded(queue, id);
    assert.deepEqual([job.state, job.version, job.error?.code], ['failed', null, 'too-few-pictures']);
    assert.match(job.error!.message, /9 more could not be read/);
    assert.deepEqual(versionFolders('plate'), []);
    assert.deepEqual(await leftovers(), []);
  });

  it('has the version on the disk before it goes into production', async () => {
    const deployed = new Promise<void>((resolve) => models.events.on('deployment', () => resolve()));
    const forced = await recordSyncs(async () => {
      await train('plate', FEW, true);
      await deployed;
    });
    for (const made of [join('models', 'plate'), 'models']) {
      assert.ok(forced.includes(join(folder.path, made)), `${made} of ${forced}`);
    }
  });

  it('keeps a version that could not be deployed, and says so', async () => {
    await stop();
    store = await openStore({ dataFolder: folder.path });
    models = new ModelRegistry({
      store,
      check: async () => {
        throw new Error('the golden scores differ');
      },
    });
    queue = new JobQueue({ store, models });
    await queue.open();
    const { id } = await train('plate', FEW, true);
    const job = await jobEnded(queue, id);
    assert.deepEqual([job.state, job.version], ['failed', '1']);
    assert.deepEqual(job.error, {
      code: 'trained-not-deployed',
      message: 'Version 1 was trained, but could not be deployed: the golden scores differ',
      parameters: { version: '1', detail: 'the golden scores differ' },
    });
    assert.equal(await models.deployed('plate'), null);
    assert.equal((await models.list()).length, 1);
  });

  it('trains as the options say', async () => {
    const input = { width: 128, height: 160, mode: 'letterbox' } as const;
    const { id } = await queue.submit({ partType: 'plate', source: FEW, deploy: false, options: { input } }, 'ada');
    const { request, state } = await jobEnded(queue, id);
    assert.deepEqual([state, request.options], ['completed', { input }]);
    const { preprocessing } = await readBankManifest(join(folder.path, 'models', 'plate', '1'));
    assert.deepEqual([preprocessing.width, preprocessing.height, preprocessing.mode], [128, 160, 'letterbox']);
  });

  it('adds to no model where none is in production', async () => {
    const request = { partType: 'plate', source: FEW, deploy: false, options: { update: true } };
    await assert.rejects(queue.submit(request, 'ada'), { code: 'nothing-to-update', httpStatus: 409 });
    await assert.rejects(queue.submit({ ...request, backbone: 'starter' }, 'ada'), { code: 'invalid-input' });
  });

  it('resolves folders of the options in the data folder, and refuses what is not there', async () => {
    const submit = (options: TrainingOptions) =>
      queue.submit({ partType: 'plate', source: FEW, deploy: false, options }, 'ada');
    await assert.rejects(submit({ defectFolder: 'bad' }), { code: 'invalid-input' });
    await assert.rejects(submit({ mask: 'mask.png' }), { code: 'invalid-input' });
    await mkdir(join(folder.path, 'bad'));
    await writeFile(join(folder.path, 'bad', '1.jpg'), 'a picture, by its name');
    const { id, request } = await submit({ defectFolder: 'bad' });
    assert.equal(request.options?.defectFolder, join(folder.path, 'bad'));
    await queue.cancel(id, 'ada');
  });

  it('trains a comparison with golden pictures, and puts it into production', async () => {
    const path = (...parts: string[]) => join(folder.path, ...parts);
    await writeBoards(folder.path);
    const folders = { referenceFolder: 'golden', defectFolder: 'bad', labelFolder: 'labels' };
    const request: TrainingRequest = {
      partType: 'board',
      source: { kind: 'folder', folder: 'good' },
      deploy: true,
      options: { method: 'reference', falseRejectRate: 0.05, ...folders },
    };
    const submit = (options: TrainingOptions, more: Partial<TrainingRequest> = {}) =>
      queue.submit({ ...request, options, ...more }, 'ada');
    const wrong: [TrainingOptions, RegExp][] = [
      [{ method: 'reference' }, /referenceFolder/],
      [{ referenceFolder: 'golden' }, /method/],
      [
        { method: 'reference', referenceFolder: 'golden', tiles: { columns: 2, rows: 1, overlap: 0, banks: 'shared' } },
        /tiles/,
      ],
      [{ method: 'reference', referenceFolder: 'golden', defectFolder: 'bad' }, /labelFolder/],
      [{ method: 'reference', referenceFolder: 'nowhere' }, /nowhere does not exist/],
      [{ method: 'reference', ...folders, labelFolder: 'nowhere' }, /folder of labels nowhere/],
    ];
    for (const [options, message] of wrong) {
      await assert.rejects(submit(options), { code: 'invalid-input', message }, JSON.stringify(options));
    }
    const backbone = submit({ method: 'reference', referenceFolder: 'golden' }, { backbone: 'starter' });
    await assert.rejects(backbone, { code: 'invalid-input' });

    const { id } = await queue.submit(request, 'ada');
    const { state, error, request: kept } = await jobEnded(queue, id);
    assert.deepEqual([state, error], ['completed', null]);
    assert.equal(kept.options?.labelFolder, path('labels'));
    const { summary, manifest } = await models.describe('board', '1');
    assert.ok(manifest.method === 'reference' && summary.deployed);
    assert.deepEqual([manifest.dataset.count, manifest.dataset.defects], [8, 4]);
    assert.equal(manifest.calibration.falseRejectRate, 0.05);
  });

  const refused: readonly [string, string, TrainingSource, string][] = [
    ['a part type that is no folder name', '../plate', FEW, 'invalid-input'],
    ['a part type without a letter', '', FEW, 'invalid-input'],
    ['a folder without pictures', 'plate', { kind: 'folder', folder: 'models' }, 'invalid-input'],
    ['a folder that is not there', 'plate', { kind: 'folder', folder: 'nowhere' }, 'invalid-input'],
    ['an unknown product', 'plate', { ...FEW, product: 'car' } as TrainingSource, 'invalid-input'],
    ['a fraction of a picture', 'plate', { ...FEW, count: 8.5 } as TrainingSource, 'invalid-input'],
    ['a million pictures', 'plate', { ...FEW, count: 1e6 } as TrainingSource, 'invalid-input'],
    ['no picture', 'plate', { ...FEW, count: 0 } as TrainingSource, 'too-few-pictures'],
    ['no labelled pictures', 'plate', { kind: 'labelled' }, 'too-few-pictures'],
  ];
  for (const [what, partType, source, code] of refused) {
    it(`refuses ${what} at once`, async () => {
      await assert.rejects(train(partType, source), { code });
      assert.deepEqual(await queue.list(), []);
    });
  }

  it('fails with the reason when the backbone is unknown', async () => {
    const { id } = await queue.submit({ partType: 'plate', source: FEW, deploy: false, backbone: 'no-such' }, 'ada');
    const job = await jobEnded(queue, id);
    assert.equal(job.state, 'failed');
    assert.match(job.error!.message, /no-such/);
  });

  it('repairs after a start what a dead process left in the store', async () => {
    await stop();
    store = await openStore({ dataFolder: folder.path });
    const id = newId();
    const at = timestamp(Date.now());
    await store.jobs.insert({
      id,
      request: { partType: 'plate', source: FEW, deploy: true },
      state: 'running',
      progress: { stage: 'extract', percent: 40, remainingSeconds: 3 },
      version: null,
      error: null,
      actor: 'ada',
      createdAt: at,
      startedAt: at,
      endedAt: null,
    });
    await store.close();
    await mkdir(join(folder.path, 'training', id, 'plate'), { recursive: true });
    await writeFile(join(folder.path, 'training', id, 'plate', 'rest'), 'rest');
    await start();
    const job = await queue.get(id);
    assert.deepEqual([job.state, job.error?.code, typeof job.endedAt], ['interrupted', 'interrupted', 'string']);
    assert.deepEqual(
      told.map(({ state }) => state),
      ['interrupted'],
    );
    assert.deepEqual(await leftovers(), []);
  });
});

/** Process ids of the trainings that a process (this one unless told) has started. */
function trainingProcesses(parent = process.pid): number[] {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim();
  return (children === '' ? [] : children.split(' ')).map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('training-child');
    } catch {
      return false;
    }
  });
}

function isZombie(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}
