import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Problem } from '../../../engine/api';
import type { ClassifierDetails, DetectorDetails } from '../../../engine/api/model-details';
import { job, modelDetails, modelList, reviewItem } from '../../../engine/api/schemas';
import { readDataset } from '../../../engine/datasets';
import type { DeploymentRecord, Job, LabelledBox, ModelVersion, ReviewItem } from '../../../engine/domain';
import { jobEnded, TRAINING_LIMIT_MS } from '../../support/jobs';
import { unzip } from '../../support/unzip';
import { writeClassifier, writeDetector, writeVersion } from '../learning/packages';
import { sampleClassifier, sampleDetector, sampleFigures } from '../packages/class-samples';
import { aPicture, type Line, openLine, type RunningApi, serveApi } from './line';

const CRACK: LabelledBox = { label: 'crack', box: { x: 4, y: 6.5, width: 20, height: 10 } };
const STAIN: LabelledBox = { label: 'stain', box: { x: 30, y: 20, width: 34, height: 28 } };

describe('the API, of detectors and classifiers', function () {
  this.timeout(TRAINING_LIMIT_MS + 60_000);
  let line: Line;
  let api: RunningApi;

  before(async () => {
    line = await openLine();
    api = await serveApi(() => [line.station]);
  });
  after(async () => {
    await api.close();
    await line.close();
  });

  const get = (path: string) => fetch(api.url + path);
  const post = (path: string, body: unknown = {}) =>
    fetch(api.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  async function read<T>(response: Promise<Response>, status = 200): Promise<T> {
    const answer = await response;
    const text = await answer.text();
    assert.equal(answer.status, status, text);
    return JSON.parse(text) as T;
  }
  async function problem(response: Promise<Response>, status: number, code: string): Promise<Problem> {
    const answer = await response;
    const body = (await answer.json()) as Problem;
    assert.deepEqual([answer.status, body.code], [status, code], body.detail);
    return body;
  }

  describe('models', () => {
    before(async () => {
      await writeVersion(line.dataFolder, 'plate', '1');
      for (const version of ['1', '2']) await writeDetector(line.dataFolder, version);
      await writeClassifier(line.dataFolder, '1');
    });

    it('are listed with what they tell apart and how well, of all kinds or of one', async () => {
      const all = await read<{ items: ModelVersion[] }>(get('/models/list?partType=plate'));
      assert.ok(modelList.safeParse(all).success);
      assert.equal(all.items.length, 4);
      const { items } = await read<{ items: ModelVersion[] }>(get('/models/list?partType=plate&kind=detector'));
      assert.deepEqual(
        items.map(({ name, version, classes, figures, thresholds }) => [name, version, classes, figures, thresholds]),
        ['2', '1'].map((version) => [
          'plate.detector',
          version,
          ['stain', 'scratch'],
          { map50: 0.8, map5095: 0.5, recall: 0.75 },
          null,
        ]),
      );
      await problem(get('/models/list?kind=oracle'), 400, 'invalid-input');
    });

    it('are described by how they were made and what they achieved', async () => {
      const detector = await read<DetectorDetails>(get('/models/plate.detector/versions/1'));
      const { success, error } = modelDetails.safeParse(detector);
      assert.ok(success, error?.message);
      const { thresholds, level, training, gate, input, iou } = sampleDetector;
      assert.deepEqual(detector.detectionThresholds, thresholds);
      assert.deepEqual(
        [detector.method, detector.level, detector.training, detector.gate, detector.input, detector.iou],
        ['yolo', level, training, gate, input, iou],
      );
      assert.deepEqual(detector.evaluation.after, sampleFigures);
      const classifier = await read<ClassifierDetails>(get('/models/plate.classifier/versions/1'));
      const parsed = modelDetails.safeParse(classifier);
      assert.ok(parsed.success, parsed.error?.message);
      assert.deepEqual(
        [classifier.method, classifier.verdicts, classifier.evaluation, classifier.temperature],
        ['linear', { good: 'OK', porosity: 'NG' }, sampleClassifier.evaluation, 1.2],
      );
    });

    it('go into production, back, and have a history, each kind by its own name', async () => {
      await read(post('/models/plate/deploy', { version: '1' }));
      for (const version of ['1', '2']) await read(post('/models/plate.detector/deploy', { version }));
      const back = await read<DeploymentRecord>(post('/models/plate.detector/rollback'));
      assert.deepEqual([back.kind, back.partType, back.version, back.action], ['detector', 'plate', '1', 'rollback']);
      const { items } = await read<{ items: DeploymentRecord[] }>(get('/models/plate.detector/history'));
      assert.deepEqual(
        items.map(({ version }) => version),
        ['1', '2', '1'],
      );
      await problem(post('/models/plate/rollback'), 409, 'nothing-to-roll-back');
      await problem(post('/models/plate.classifier/rollback'), 409, 'nothing-to-roll-back');
      const { items: partTypes } = await read<{ items: { partType: string; deployedModel: string; models: object }[] }>(
        get('/part-types'),
      );
      const plate = partTypes.find(({ partType }) => partType === 'plate');
      assert.equal(plate?.deployedModel, 'plate');
      assert.deepEqual(plate?.models, [
        { kind: 'patchcore', name: 'plate', version: '1' },
        { kind: 'detector', name: 'plate.detector', version: '1', classes: ['stain', 'scratch'] },
      ]);
    });
  });

  describe('labels', () => {
    const partType = 'cable';
    const label = (id: string, body: unknown) => post(`/labeling-queue/${id}/label`, body);
    const inspect = (type = partType) =>
      aPicture(64, 48).then((picture) => line.inspect(1.5, { partType: type, picture }));

    const exported = async (type: string, format: string) => {
      const response = await get(`/labeling-queue/export?partType=${type}&format=${format}`);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), 'application/zip');
      assert.match(response.headers.get('content-disposition')!, new RegExp(`"${type}-${format}\\.zip"`));
      return unzip(Buffer.from(await response.arrayBuffer()));
    };

    it('take boxes in pixels of the picture, and give them back', async () => {
      const { id } = await inspect();
      const item = await read<ReviewItem>(label(id, { label: 'NG', boxes: [CRACK, STAIN] }));
      assert.deepEqual(item.boxes, [CRACK, STAIN]);
      const stored = await read<ReviewItem>(get(`/labeling-queue/${id}`));
      assert.ok(reviewItem.safeParse(stored).success);
      assert.deepEqual(stored.boxes, [CRACK, STAIN]);
      const { items } = await read<{ items: string[] }>(get(`/part-types/${partType}/classes`));
      assert.deepEqual(items, ['crack', 'stain']);
    });

    it('refuse boxes that cannot be, and leave the item waiting', async () => {
      const { id } = await inspect('refused');
      const outside = { ...STAIN, box: { ...STAIN.box, x: 31 } };
      const told = await problem(label(id, { label: 'NG', boxes: [CRACK, outside] }), 400, 'invalid-input');
      assert.match(told.detail, /Box 2 \(stain\) leaves the picture, which has 64 x 48 pixels/);
      for (const boxes of [
        [{ ...CRACK, label: '' }],
        [{ ...CRACK, label: 'two\nlines' }],
        [{ ...CRACK, box: { x: 1, y: 1, width: 0, height: 5 } }],
        [{ ...CRACK, colour: 'red' }],
        'crack',
      ]) {
        await problem(label(id, { label: 'NG', boxes }), 400, 'invalid-input');
      }
      assert.equal((await read<ReviewItem>(get(`/labeling-queue/${id}`))).state, 'pending');
    });

    it('are exported as a data set that reads as they were drawn', async () => {
      const boxed = await inspect('exported');
      const background = await inspect('exported');
      const unclear = await inspect('exported');
      await inspect('exported');
      await read(label(boxed.id, { label: 'NG', boxes: [STAIN, CRACK] }));
      await read(label(background.id, { label: 'OK' }));
      await read(label(unclear.id, { label: 'NG' }));
      const yolo = await exported('exported', 'yolo');
      const folder = await mkdtemp(join(tmpdir(), 'export-'));
      try {
        for (const [name, bytes] of yolo) {
          await mkdir(join(folder, name.endsWith('/') ? name : dirname(name)), { recursive: true });
          if (!name.endsWith('/')) await writeFile(join(folder, name), bytes);
        }
        const { pictures, classes, skipped } = await readDataset(join(folder, 'data.yaml'));
        assert.deepEqual([classes, skipped], [['crack', 'stain'], []]);
        const boxes = new Map(pictures.map((picture) => [picture.id, picture.boxes ?? []]));
        assert.deepEqual([...boxes.keys()].sort(), [`${boxed.id}.jpg`, `${background.id}.jpg`].sort());
        near(boxes.get(`${boxed.id}.jpg`) ?? [], [STAIN, CRACK]);
        assert.deepEqual(boxes.get(`${background.id}.jpg`), []);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
      const coco = await exported('exported', 'coco');
      const documents = ['train', 'val'].map((split) => coco.get(`annotations/instances_${split}.json`));
      const annotations = documents.flatMap((text) => JSON.parse(String(text)).annotations as { bbox: number[] }[]);
      assert.deepEqual(
        annotations.map(({ bbox }) => bbox),
        [
          [30, 20, 34, 28],
          [4, 6.5, 20, 10],
        ],
      );
      const picture = await fetch(`${api.url}/inspections/${boxed.id}/picture`);
      assert.deepEqual(coco.get(`images/${boxed.id}.jpg`), Buffer.from(await picture.arrayBuffer()));
    });

    it('of a part type without any cannot be exported', async () => {
      await problem(get('/labeling-queue/export?partType=nothing'), 409, 'nothing-to-export');
      await problem(get('/labeling-queue/export?partType=cable&format=voc'), 400, 'invalid-input');
      await problem(get('/labeling-queue/export'), 400, 'invalid-input');
    });
  });

  describe('trainings', () => {
    const train = (body: object) => post('/training/start', { partType: 'plate', deploy: false, ...body });
    const simulator = { kind: 'simulator', product: 'plate', count: 8 };

    it('are refused with what does not fit their kind', async () => {
      for (const body of [
        { kind: 'detector', source: simulator, options: {} },
        { kind: 'classifier', source: simulator, detector: {} },
        { source: simulator, detector: {} },
        { kind: 'detector', source: simulator, backbone: 'starter' },
        { source: { kind: 'dataset', path: '.' } },
        { kind: 'detector', source: { kind: 'folder', folder: '.' } },
        { kind: 'detector', partType: 'plate.detector', source: simulator },
        { kind: 'detector', partType: 'p'.repeat(60), source: simulator },
        { kind: 'detector', partType: 'cable', source: simulator, detector: { base: 'deployed' } },
      ]) {
        await problem(train(body), 400, 'invalid-input');
      }
      await problem(
        train({ kind: 'detector', partType: 'empty', source: { kind: 'labelled' } }),
        422,
        'too-few-labelled-boxes',
      );
      await problem(
        train({ kind: 'classifier', partType: 'empty', source: { kind: 'labelled' } }),
        422,
        'too-few-labelled-classes',
      );
    });

    it('name the option that is out of range', async () => {
      for (const [pointer, body] of [
        ['/detector/epochs', { kind: 'detector', source: simulator, detector: { epochs: 0 } }],
        ['/detector/inputSize', { kind: 'detector', source: simulator, detector: { inputSize: 100 } }],
        ['/detector/level', { kind: 'detector', source: simulator, detector: { level: 'toe' } }],
        ['/classifier/learningRate', { kind: 'classifier', source: simulator, classifier: { learningRate: 2 } }],
      ] as const) {
        const { errors } = await problem(train(body), 400, 'invalid-input');
        assert.deepEqual(
          errors?.map((error) => error.pointer),
          [`#${pointer}`],
        );
      }
    });

    it('read nothing outside the folders of the station', async () => {
      const dataset = { kind: 'dataset', path: '/etc' };
      for (const body of [
        { kind: 'detector', source: dataset },
        { kind: 'detector', source: simulator, detector: { base: '/etc/model.onnx' } },
        { kind: 'detector', source: simulator, detector: { replay: '..' } },
        { kind: 'classifier', source: simulator, classifier: { backbone: '/etc/backbone.onnx' } },
      ]) {
        await problem(train(body), 403, 'folder-not-allowed');
      }
    });

    it('answer with what was asked for, not with the folders of the station', async () => {
      await mkdir(join(line.dataFolder, 'set', 'images'), { recursive: true });
      await writeFile(join(line.dataFolder, 'set', 'data.yaml'), 'train: images\nnames: [pit]\n');
      const source = { kind: 'dataset', path: join('set', 'data.yaml') };
      const started = await read<Job>(train({ kind: 'detector', source }), 202);
      assert.ok(job.safeParse(started).success);
      assert.deepEqual(Object.keys(started.request.source).sort(), ['kind', 'path']);
      const stored = (await line.store.jobs.get(started.id))?.request.source;
      assert.ok(stored?.kind === 'dataset' && stored.within?.includes(line.dataFolder), 'it is held to them');
      const { error } = await jobEnded(line.jobs, started.id);
      assert.equal(error?.code, 'dataset-unreadable');
      assert.match(String(error?.parameters?.detail), /names no pictures/);
      const ended = await read<Job>(get(`/training/jobs/${started.id}`));
      assert.deepEqual([job.safeParse(ended).success, ended.error], [true, error]);
    });

    it('by an external trainer need its command in the settings of the station', async () => {
      assert.deepEqual(await read(get('/training/trainers')), { items: ['built-in'] });
      const body = { kind: 'detector', source: simulator, detector: { trainer: 'external' } };
      await problem(train(body), 409, 'no-external-trainer');
    });
  });
});

/** Formats keep boxes as fractions, with twelve decimals. */
function near(actual: readonly LabelledBox[], expected: readonly LabelledBox[]): void {
  const rounded = (boxes: readonly LabelledBox[]) =>
    boxes.map(({ label, box }) => [label, ...[box.x, box.y, box.width, box.height].map((side) => side.toFixed(6))]);
  assert.deepEqual(rounded(actual), rounded(expected));
}
