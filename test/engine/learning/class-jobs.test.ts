import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeYolo } from '../../../engine/datasets';
import { type Job, modelNameOf, type TrainingRequest } from '../../../engine/domain';
import { encodeJpeg } from '../../../engine/imaging';
import { JobQueue, ModelRegistry, rescore } from '../../../engine/learning';
import { boxesToLearn, classToLearn, openDataset } from '../../../engine/learning/labelled-dataset';
import { trainDetector } from '../../../engine/learning/train-detector';
import type { DetectorOrder } from '../../../engine/learning/training-messages';
import { writeModel } from '../../../engine/onnx';
import { readManifest } from '../../../engine/packages';
import { openStore, type Store } from '../../../engine/store';
import { colourDetector } from '../../support/colour-detector';
import { jobEnded, TRAINING_LIMIT_MS } from '../../support/jobs';
import { classifierOf } from '../../support/networks';
import { boards, standIn } from './external-trainer/boards';
import { temporaryFolder, writeDetector } from './packages';

const COLOURS = { good: [200, 200, 200], stain: [90, 60, 30] } as const;
const EACH = 20;

describe('Trainings of other kinds', function () {
  this.timeout(TRAINING_LIMIT_MS + 60_000);
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let store: Store;
  let models: ModelRegistry;
  let queue: JobQueue;

  beforeEach(async () => {
    folder = await temporaryFolder();
    store = await openStore({ dataFolder: folder.path });
    models = new ModelRegistry({ store });
    await open();
  });
  afterEach(async () => {
    await queue.close();
    await store.close();
    await folder.remove();
  });

  function open(externalTrainer?: readonly string[]): Promise<void> {
    queue = new JobQueue({ store, models, externalTrainer });
    return queue.open();
  }
  const ended = async (request: Omit<TrainingRequest, 'partType' | 'deploy'>) =>
    jobEnded(queue, (await queue.submit({ partType: 'plate', deploy: true, ...request }, 'ada')).id);

  it('make a classifier of a folder of classes, and put it into production', async () => {
    for (const [label, colour] of Object.entries(COLOURS)) {
      await mkdir(join(folder.path, 'classes', label), { recursive: true });
      for (let index = 0; index < EACH; index += 1) {
        const shade = (place: number) => colour[place % 3] + ((place * 7 + index * 13) % 40);
        const rgb = Uint8Array.from({ length: 64 * 64 * 3 }, (_, place) => shade(place));
        await writeFile(join(folder.path, 'classes', label, `${index}.jpg`), await encodeJpeg(rgb, 64, 64));
      }
    }
    const backbone = writeModel(classifierOf('residual', 'Relu', ['n', 3, 'h', 'w']).model);
    await writeFile(join(folder.path, 'backbone.onnx'), backbone);
    const job = await ended({
      kind: 'classifier',
      source: { kind: 'dataset', path: 'classes' },
      classifier: { backbone: 'backbone.onnx', inputSize: 64, verdicts: { good: 'OK', stain: 'REVIEW' } },
    });
    assert.deepEqual([job.state, job.version], ['completed', '1'], job.error?.message);
    assert.ok(job.report?.kind === 'classifier' && job.report.gate.accepted, JSON.stringify(job.report));
    const deployed = await models.deployed('plate', 'classifier');
    assert.deepEqual(
      [deployed?.name, deployed?.classes, deployed?.verdicts],
      [modelNameOf('plate', 'classifier'), ['good', 'stain'], { good: 'OK', stain: 'REVIEW' }],
    );
    const { dataset } = await readManifest(deployed!.folder, 'classifier');
    assert.equal(dataset.source, 'data set classes');
    assert.equal(dataset.count + dataset.heldOut + dataset.skipped, 2 * EACH);
  });

  it('take the detector that another program made, if the gate lets it pass', async () => {
    await queue.close();
    await open(standIn('good'));
    assert.deepEqual(queue.trainers(), ['built-in', 'external']);
    await writeYolo(await boards(folder.path), join(folder.path, 'boards'));
    await writeFile(join(folder.path, 'colours.onnx'), colourDetector());
    const job = await ended({
      kind: 'detector',
      source: { kind: 'dataset', path: join('boards', 'data.yaml') },
      detector: { trainer: 'external', base: 'colours.onnx', epochs: 3 },
    });
    assert.deepEqual([job.state, job.version], ['completed', '1'], job.error?.message);
    assert.ok(job.report?.kind === 'detector' && job.report.level === 'external');
    const { level, training } = await readManifest(models.folderOf('plate.detector', '1'), 'detector');
    assert.deepEqual([level, training], ['external', null]);
  });

  it('are refused at once with a data set of the other kind, or a network that is no detector', async () => {
    await mkdir(join(folder.path, 'classes', 'good'), { recursive: true });
    for (const place of ['classes/good/a.jpg', 'text.onnx']) await writeFile(join(folder.path, place), 'text');
    await writeFile(
      join(folder.path, 'network.onnx'),
      writeModel(classifierOf('residual', 'Relu', [1, 3, 64, 64]).model),
    );
    await writeFile(join(folder.path, 'data.yaml'), 'train: images\nnames: [pit]\n');
    const boxes = { kind: 'dataset', path: 'data.yaml' } as const;
    const classes = { kind: 'dataset', path: 'classes' } as const;
    for (const [request, code] of [
      [{ kind: 'detector', source: classes }, 'dataset-without-boxes'],
      [{ kind: 'detector', source: boxes, detector: { replay: 'classes' } }, 'dataset-without-boxes'],
      [{ kind: 'classifier', source: boxes }, 'dataset-without-classes'],
      [{ kind: 'classifier', source: { kind: 'dataset', path: 'classes/good' } }, 'dataset-unreadable'],
      [{ kind: 'detector', source: boxes, detector: { base: 'network.onnx' } }, 'detector-unsupported'],
      [{ kind: 'detector', source: boxes, detector: { base: 'text.onnx' } }, 'onnx-invalid'],
    ] as const) {
      await assert.rejects(queue.submit({ partType: 'plate', deploy: false, ...request }, 'ada'), {
        code,
        httpStatus: 422,
      });
    }
    assert.deepEqual(await queue.list(), []);
  });

  it('say which network is missing that they start from', async () => {
    const path = join(folder.path, 'starter', 'model.onnx');
    const order: DetectorOrder = {
      kind: 'detector',
      partType: 'plate',
      name: 'plate.detector',
      version: '1',
      parent: null,
      outFolder: join(folder.path, 'out'),
      workFolder: folder.path,
      sourceText: 'simulator',
      dataset: null,
      threads: 1,
      source: { kind: 'simulator', product: 'plate', count: 8, seed: 1 },
      base: { name: 'starter', path },
      replay: null,
      options: {},
      command: null,
    };
    await assert.rejects(
      trainDetector(order, () => {}),
      { code: 'detector-not-found', parameters: { path, detail: 'there is no such file' } },
    );
  });

  it('tell nobody which folders their pictures must lie in, and keep to them', async () => {
    await writeYolo(await boards(folder.path), join(folder.path, 'boards'));
    const told: Job[] = [];
    queue.events.on('job', (job) => told.push(job));
    const within = [join(folder.path, 'elsewhere')];
    await mkdir(within[0]);
    const source = { kind: 'dataset', path: join(folder.path, 'boards', 'data.yaml') } as const;
    const request = { kind: 'detector', partType: 'plate', source: { ...source, within }, deploy: false } as const;
    const { id } = await queue.submit(request, 'ada');
    const job = await jobEnded(queue, id);
    assert.equal(job.state, 'failed', 'no picture could be used');
    for (const { request } of [...told, job, ...(await queue.list())]) assert.deepEqual(request.source, source);
    assert.ok(told.length > 1 && !JSON.stringify(await store.audit.list({ subject: id })).includes('elsewhere'));
  });

  it('draw simulated parts with their defects', async () => {
    const source = { kind: 'simulator', product: 'plate', count: 6, seed: 3 } as const;
    const boxed = await openDataset(source, 'detection', join(folder.path, 'work'));
    const named = await openDataset(source, 'classification', join(folder.path, 'work'));
    assert.equal(boxed.pictures.length, 6);
    const ids = (pictures: typeof boxed.pictures) => pictures.map(({ id, split }) => `${id} ${split}`);
    assert.deepEqual(ids(boxed.pictures), ids(named.pictures));
    for (const [index, { boxes }] of boxed.pictures.entries()) {
      assert.equal(named.pictures[index].class, boxes![0]?.label ?? 'good');
    }
  });

  it('take a good part for background, and nothing from a bad one without a place', () => {
    const small = { label: 'stain', box: { x: 0, y: 0, width: 2, height: 2 } };
    const large = { label: 'crack', box: { x: 0, y: 0, width: 9, height: 1 } };
    assert.deepEqual(boxesToLearn({ label: 'OK', boxes: null }), []);
    assert.deepEqual(boxesToLearn({ label: 'OK', boxes: [small] }), [small], 'not all that is found is a defect');
    assert.deepEqual(boxesToLearn({ label: 'NG', boxes: null }), null);
    assert.deepEqual(boxesToLearn({ label: 'NG', boxes: [] }), null);
    assert.deepEqual(boxesToLearn({ label: 'NG', boxes: [small] }), [small]);
    assert.equal(classToLearn({ label: 'OK', boxes: [small] }), 'good');
    assert.equal(classToLearn({ label: 'NG', boxes: [small, large] }), 'crack');
    assert.equal(classToLearn({ label: 'NG', boxes: null }), 'defect');
  });

  it('are compared with past pictures by no scores: rescoring takes anomaly models only', async () => {
    const modelFolder = await writeDetector(folder.path, '1');
    await assert.rejects(rescore({ dataFolder: folder.path, modelFolder }), {
      code: 'model-invalid',
      message: /of kind detector, and one of kind patchcore is needed here/,
    });
  });
});
