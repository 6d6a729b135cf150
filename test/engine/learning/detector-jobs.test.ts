import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { job as jobSchema } from '../../../engine/api/schemas';
import { writeYolo } from '../../../engine/datasets';
import {
  type DetectorTrainingOptions,
  type Inspection,
  type Job,
  newId,
  type TrainingSource,
  timestamp,
} from '../../../engine/domain';
import { inspectPicture } from '../../../engine/imaging';
import { JobQueue, ModelRegistry } from '../../../engine/learning';
import type { DetectionDataset } from '../../../engine/learning/detector-training';
import { readManifest, verifyFiles } from '../../../engine/packages';
import { ReviewQueue } from '../../../engine/review';
import { openStore, type Store } from '../../../engine/store';
import { jobEnded, TRAINING_LIMIT_MS } from '../../support/jobs';
import { painted } from '../../support/pictures-of-marks';
import { SIDE, smallDetectorFile } from './detector-training/small-detector';
import { squares } from './detector-training/squares';
import { temporaryFolder } from './packages';

const DATASET: TrainingSource = { kind: 'dataset', path: join('squares', 'data.yaml') };
/** A network of random weights learns with these within seconds. */
const QUICK: DetectorTrainingOptions = {
  base: 'small.onnx',
  level: 'full',
  epochs: 10,
  inputSize: SIDE,
  batch: 4,
  learningRate: 0.01,
  augmentation: 0.2,
};

describe('Trainings of detectors', function () {
  this.timeout(2 * TRAINING_LIMIT_MS);
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let drawn: DetectionDataset;
  let store: Store;
  let models: ModelRegistry;
  let queue: JobQueue;
  let told: Job[];

  before(async () => {
    folder = await temporaryFolder();
    drawn = await squares(join(folder.path, 'drawn'), { train: 12, val: 6 });
    const pictures = drawn.pictures.map((picture) => ({ ...picture, width: SIDE, height: SIDE }));
    await writeYolo({ kind: 'detection', classes: drawn.classes, pictures }, join(folder.path, 'squares'));
    await writeFile(join(folder.path, 'small.onnx'), smallDetectorFile());
  });
  after(() => folder.remove());
  beforeEach(start);
  afterEach(async () => {
    await stop();
    for (const name of ['models', 'training', 'inspection.sqlite']) {
      await rm(join(folder.path, name), { recursive: true, force: true });
    }
  });

  async function start(more: { externalTrainer?: readonly string[] } = {}): Promise<void> {
    store = await openStore({ dataFolder: folder.path });
    models = new ModelRegistry({ store });
    queue = new JobQueue({ store, models, externalTrainer: more.externalTrainer });
    told = [];
    queue.events.on('job', (job) => told.push(job));
    await queue.open();
  }
  async function stop(): Promise<void> {
    await queue.close();
    await store.close();
  }

  const train = (detector: DetectorTrainingOptions = QUICK, source: TrainingSource = DATASET, deploy = true) =>
    queue.submit({ kind: 'detector', partType: 'plate', source, deploy, detector }, 'ada');
  /** Resolves at the moment in which a job tells of an epoch: it has others before it. */
  const epochsDone = (id: string, count: number) =>
    new Promise<void>((resolve) => {
      const remove = queue.events.on('job', (job) => {
        if (job.id !== id || (job.progress?.epoch ?? 0) < count) return;
        remove();
        resolve();
      });
    });
  const versionFolder = (version: string) => join(folder.path, 'models', 'plate.detector', version);
  const leftovers = () => {
    const work = join(folder.path, 'training');
    return existsSync(work) ? readdirSync(work) : [];
  };

  it('tell epochs and the curve, make a version with all that is known of it, and put it into production', async () => {
    const { id } = await train();
    const job = await jobEnded(queue, id);
    assert.deepEqual([job.state, job.version, job.error], ['completed', '1', null], job.error?.message);
    const training = told.flatMap(({ progress }) => (progress?.stage === 'train' ? [progress] : []));
    assert.ok(training.some(({ epoch, epochs, curve }) => epoch === 2 && epochs === 10 && curve?.length === 2));
    assert.ok((training[0].memoryBytes ?? 0) > 1e6);
    const percents = told.flatMap(({ progress }) => (progress ? [progress.percent] : []));
    assert.deepEqual(
      percents,
      [...percents].sort((a, b) => a - b),
    );
    assert.ok(job.report?.kind === 'detector' && job.report.curve.length === 10 && job.report.gate.accepted);
    assert.equal(job.report.after.curves, undefined);
    for (const one of [...told, job]) {
      const { success, error } = jobSchema.safeParse(JSON.parse(JSON.stringify(one)));
      assert.ok(success, error?.message);
    }

    const manifest = await readManifest(versionFolder('1'), 'detector');
    assert.deepEqual(await verifyFiles(versionFolder('1')), manifest);
    const { name, partType, classes, level, base, parent, dataset, evaluation, golden } = manifest;
    assert.deepEqual(
      [name, partType, parent, level, classes],
      ['plate.detector', 'plate', null, 'full', drawn.classes],
    );
    assert.equal(base?.name, 'small.onnx');
    const boxes = drawn.pictures.filter(({ split }) => split === 'train').flatMap((picture) => picture.boxes ?? []);
    assert.deepEqual(
      [dataset.source, dataset.count, dataset.heldOut, dataset.boxes, dataset.replayed],
      ['data set data.yaml', 12, 6, boxes.length, 0],
    );
    assert.equal(manifest.training?.learningRate, QUICK.learningRate);
    assert.ok((evaluation.after?.curves?.length ?? 0) > 0);
    assert.equal(golden.length, 3);
    assert.equal((await models.deployed('plate', 'detector'))?.version, '1');
    assert.equal(await models.deployed('plate'), null);
    assert.deepEqual(leftovers(), []);
  });

  it('begin with the version in production, and keep the one that the gate refuses out of production', async () => {
    const first = await jobEnded(queue, (await train()).id);
    assert.equal(first.state, 'completed', first.error?.message);
    // colours labelled as the other one: what is learnt from them is worse on the same pictures
    const wrong = await squares(join(folder.path, 'wrong-drawn'), { train: 12, val: 0, wrong: true });
    const held = drawn.pictures.filter(({ split }) => split === 'val');
    const pictures = [...wrong.pictures, ...held.map((picture) => ({ ...picture, id: `held-${picture.id}` }))];
    const sized = pictures.map((picture) => ({ ...picture, width: SIDE, height: SIDE }));
    await writeYolo({ kind: 'detection', classes: drawn.classes, pictures: sized }, join(folder.path, 'wrong'));
    const { base: _base, ...fromProduction } = QUICK;
    const source = { kind: 'dataset', path: join('wrong', 'data.yaml') } as const;
    const job = await jobEnded(queue, (await train({ ...fromProduction, epochs: 3 }, source)).id);
    assert.deepEqual([job.state, job.version], ['completed', '2'], job.error?.message);
    assert.ok(job.report?.gate.accepted === false && job.report.gate.reasons.length > 0);
    assert.match(job.notes?.join(' ') ?? '', /Version 2 is not in production: the gate refused it/);
    const { parent, base } = await readManifest(versionFolder('2'), 'detector');
    assert.deepEqual([parent, base?.name], ['1', 'plate.detector 1']);
    assert.equal((await models.deployed('plate', 'detector'))?.version, '1');
    assert.deepEqual(
      (await models.list('plate')).map(({ version, accepted }) => [version, accepted]),
      [
        ['2', false],
        ['1', true],
      ],
    );
    await models.deploy('plate.detector', '2', 'grace');
    assert.equal((await models.deployed('plate', 'detector'))?.version, '2');
  });

  it('go on from the last epoch when the process was killed, to the same weights', async () => {
    const wishes = { ...QUICK, epochs: 8 };
    const whole = await jobEnded(queue, (await train(wishes, DATASET, false)).id);
    assert.equal(whole.state, 'completed', whole.error?.message);
    const { id } = await train(wishes, DATASET, false);
    await epochsDone(id, 2);
    process.kill(trainingProcess(), 'SIGKILL');
    const job = await jobEnded(queue, id);
    assert.deepEqual([job.state, job.version, job.resumed], ['completed', '2', 1], job.error?.message);
    assert.match(job.notes![0], /The training process was ended; it goes on from its last checkpoint/);
    const weights = (version: string) => readFile(join(versionFolder(version), 'model.onnx'));
    assert.ok((await weights('1')).equals(await weights('2')));
    assert.deepEqual(leftovers(), []);
  });

  it('go on after the next start when the station was closed', async () => {
    const { id } = await train({ ...QUICK, epochs: 8 }, DATASET, false);
    await epochsDone(id, 2);
    await stop();
    assert.equal(told.findLast((job) => job.id === id)?.state, 'queued');
    assert.deepEqual(leftovers(), [id]);
    await start();
    const job = await jobEnded(queue, id);
    assert.deepEqual([job.state, job.version, job.resumed], ['completed', '1', 1], job.error?.message);
    assert.deepEqual(leftovers(), []);
  });

  it('that were running when Node-RED died go on with a checkpoint, and are interrupted without one', async () => {
    const { id } = await train({ ...QUICK, epochs: 8 }, DATASET, false);
    await epochsDone(id, 2);
    await stop();
    const other = newId();
    store = await openStore({ dataFolder: folder.path });
    const job = await store.jobs.get(id);
    // as they stand in the store after a kill
    await store.jobs.update({ ...job!, state: 'running', notes: [], resumed: 0 });
    await store.jobs.insert({ ...job!, id: other, state: 'running', notes: [], resumed: 0 });
    await store.close();
    await start();
    assert.equal((await queue.get(other)).state, 'interrupted');
    const ended = await jobEnded(queue, id);
    assert.deepEqual([ended.state, ended.resumed], ['completed', 1], ended.error?.message);
    assert.match(ended.notes![0], /Node-RED ended while this training ran/);
  });

  it('leave nothing when they are cancelled, also while they wait to go on', async () => {
    const { id } = await train({ ...QUICK, epochs: 50 }, DATASET, false);
    await epochsDone(id, 1);
    assert.equal((await queue.cancel(id, 'ada')).state, 'cancelled');
    assert.deepEqual(leftovers(), []);
    assert.deepEqual(readdirSync(join(folder.path)).includes('models') ? await models.list('plate') : [], []);
  });

  it('learn from the boxes that people drew, with good parts as background', async () => {
    const reviews = new ReviewQueue(store);
    for (const { path, boxes } of drawn.pictures) await review(reviews, await readFile(path), boxes);
    await review(reviews, await painted(SIDE, SIDE, []), null);
    const { id } = await train({ ...QUICK, epochs: 1 }, { kind: 'labelled' }, false);
    const job = await jobEnded(queue, id);
    assert.equal(job.state, 'completed', job.error?.message);
    const { dataset, classes } = await readManifest(versionFolder('1'), 'detector');
    assert.deepEqual([classes, dataset.source], [['red', 'green'], 'labelled pictures']);
    assert.equal(dataset.count + dataset.heldOut, drawn.pictures.length + 1);
    assert.deepEqual([dataset.snapshot, job.dataset?.hash.length], [job.dataset, 64]);
  });

  async function review(reviews: ReviewQueue, picture: Buffer, boxes: DetectionDataset['pictures'][number]['boxes']) {
    const id = newId();
    const at = timestamp(Date.now());
    const image = await inspectPicture(picture);
    const inspection: Inspection = {
      id,
      station: 's',
      partType: 'plate',
      trigger: { source: 'message' },
      capturedAt: at,
      deadlineAt: at,
      image,
      findings: [],
      decision: { verdict: 'REVIEW', confidence: 0, reasons: ['no-positive-evidence'], by: 'model', at },
    };
    const path = await store.pictures.save(id, at, picture, image.format);
    await store.inspections.settle(inspection, { picturePath: path, settledAt: at, delivered: true });
    await reviews.add(inspection);
    await reviews.label(id, { label: boxes === null ? 'OK' : 'NG', boxes }, 'ada');
  }
});

/** Process id of the one training that this process has started. */
function trainingProcess(): number {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ');
  const found = children.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('training-child');
    } catch {
      return false; // it has ended meanwhile
    }
  });
  assert.equal(found.length, 1);
  return Number(found[0]);
}
