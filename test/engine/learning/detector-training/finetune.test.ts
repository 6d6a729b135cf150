import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobProgress } from '../../../../engine/domain';
import {
  type DetectionDataset,
  type FinetuneResult,
  type Finetuning,
  finetuneDetector,
  NothingToLearn,
  TrainingMemoryExceeded,
} from '../../../../engine/learning/detector-training';
import { type OnnxGraph, readModel, tensorValues } from '../../../../engine/onnx';
import { SIDE, smallDetector, smallDetectorFile } from './small-detector';
import { squares } from './squares';

/** A rate that a network of random weights learns with within seconds. */
const QUICK = {
  level: 'full',
  epochs: 8,
  inputSize: SIDE,
  batch: 4,
  learningRate: 0.01,
  augmentation: 0.2,
  threads: 1,
} as const;

describe('Fine-tuning of a detector', function () {
  this.timeout(120_000);
  let folder: string;
  let dataset: DetectionDataset;
  let trained: FinetuneResult;
  const seen: JobProgress[] = [];
  const finetune = (wishes: Partial<Finetuning> = {}) =>
    finetuneDetector({ base: smallDetectorFile(), dataset, ...QUICK, ...wishes });

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'finetune-'));
    dataset = await squares(join(folder, 'squares'), { train: 24, val: 10 });
    trained = await finetune({ onProgress: (progress) => seen.push(progress) });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('makes a detector that finds what it was shown, and tells by how much it is better', () => {
    const { before, after, gate, curve, level } = trained.report;
    assert.ok(after.map50 > 0.8, `mAP50 ${after.map50}`);
    assert.ok((before?.map50 ?? 1) < 0.1);
    assert.equal(level, 'full');
    assert.deepEqual(gate, { accepted: true, reasons: [] });
    assert.equal(curve.length, QUICK.epochs);
    assert.ok(curve[0].loss > curve[QUICK.epochs - 1].loss);
    assert.deepEqual(trained.pictures, { learnt: 24, heldOut: 10, replayed: 0 });
    assert.deepEqual(trained.dataset, { sha256: dataset.sha256, replay: null });
  });

  it('states the memory before its first step, then tells epoch, loss, quality and time left', () => {
    const first = seen.find(({ stage }) => stage === 'train');
    const stated = first?.memoryBytes ?? 0;
    // the runtime takes 300 MiB; decoded pictures and their features count as many as there are, not as many as there may be
    assert.ok(stated > 300e6 && stated < 450e6, `${stated}`);
    assert.equal(first?.epochs, QUICK.epochs);
    assert.ok(seen.some(({ remainingSeconds }) => remainingSeconds !== null));
    const last = seen[seen.length - 1];
    assert.equal(last.percent, 100);
    assert.equal(last.epoch, QUICK.epochs);
    assert.equal(last.curve?.at(-1)?.map50, trained.report.curve.at(-1)?.map50);
  });

  it('gives the same weights for the same seed, also when it was interrupted and went on', async () => {
    const checkpointFolder = join(folder, 'checkpoint');
    const cancel = new AbortController();
    const onProgress = ({ epoch }: JobProgress) => {
      if (epoch === 3) cancel.abort(new Error('cancelled'));
    };
    await assert.rejects(finetune({ checkpointFolder, signal: cancel.signal, onProgress }), /cancelled/);
    const resumed = await finetune({ checkpointFolder });
    assert.deepEqual(resumed.notes, ['Went on after epoch 3 of an interrupted training.']);
    assert.ok(Buffer.from(resumed.model).equals(Buffer.from(trained.model)));
    assert.deepEqual(resumed.report.curve, trained.report.curve);
  });

  it('does not go on from the checkpoint of another training', async () => {
    const checkpointFolder = join(folder, 'other');
    await finetune({ checkpointFolder, epochs: 1 });
    const other = await finetune({ checkpointFolder, epochs: 1, seed: 2 });
    assert.deepEqual(other.notes, []);
  });

  it('changes at the level head only the head, at the level neck not the backbone', async () => {
    const base = smallDetector();
    const backbone = weightsOf(base.graph as OnnxGraph).slice(0, 5);
    for (const level of ['head', 'neck'] as const) {
      const { model, report } = await finetune({ level, epochs: 2 });
      const after = weightsOf(readModel(model).graph as OnnxGraph);
      assert.equal(report.level, level);
      const before = weightsOf(base.graph as OnnxGraph);
      const changed = before.map((values, index) => !equal(values, after[index]));
      assert.deepEqual(
        changed.slice(0, backbone.length),
        backbone.map(() => false),
      );
      // two convolutions make the neck, then come the head's
      assert.deepEqual(changed.slice(5, 7), [level === 'neck', level === 'neck']);
      assert.ok(changed.slice(7).every(Boolean));
    }
  });

  it('trains only the head, and says so, where an operator cannot be trained through', async () => {
    const { report, notes } = await finetune({ base: smallDetectorFile({ between: 'Celu' }), epochs: 1 });
    assert.equal(report.level, 'head');
    assert.match(notes[0], /^Only the head was trained\. .*Celu/);
  });

  it('names pictures and boxes at fault and learns from the others', async () => {
    const broken = join(folder, 'broken.jpg');
    await writeFile(broken, 'no picture');
    const [first, second, ...others] = dataset.pictures;
    const faulty = {
      ...dataset,
      pictures: [
        { ...first, id: 'broken.jpg', path: broken },
        { ...first, id: 'gone.jpg', path: join(folder, 'gone.jpg') },
        { ...second, boxes: [{ label: 'red', box: { x: 500, y: 0, width: 9, height: 9 } }] },
        ...others,
      ],
    };
    const { skipped, pictures } = await finetune({ dataset: faulty, epochs: 1 });
    assert.deepEqual(
      skipped.map(({ name }) => name),
      ['broken.jpg', 'gone.jpg', second.id],
    );
    assert.match(skipped[2].reason, /red lies outside/);
    assert.equal(pictures.learnt, 23);
  });

  it('refuses a data set without labelled pictures', async () => {
    const nothing = { ...dataset, pictures: dataset.pictures.map((picture) => ({ ...picture, boxes: null })) };
    await assert.rejects(finetune({ dataset: nothing }), NothingToLearn);
  });

  it('refuses to need more memory than it may take', async () => {
    await assert.rejects(finetune({ memoryLimitBytes: 2e6 }), TrainingMemoryExceeded);
  });

  it('keeps what it knew when old pictures are shown again, and forgets it otherwise', async () => {
    const blue = await squares(join(folder, 'blue'), { train: 12, val: 6, classes: ['blue'], seed: 7 });
    const more = { base: trained.model, dataset: blue, epochs: 12, learningRate: 0.005 };
    const kept = await finetune({ ...more, replay: dataset });
    assert.deepEqual(kept.classes, ['red', 'green', 'blue']);
    assert.equal(kept.pictures.replayed, 24);
    const { oldClasses, after } = kept.report;
    assert.ok(after.map50 > 0.6, `new ${after.map50}`);
    assert.ok((oldClasses?.after.map50 ?? 0) > 0.8 * (oldClasses?.before.map50 ?? 1), `old ${oldClasses?.after.map50}`);
    const without = await finetune(more);
    assert.deepEqual(without.classes, ['blue']);
    assert.equal(without.report.before, null);
  });

  it('refuses a candidate that is worse than the model before', async () => {
    const wrong = await squares(join(folder, 'wrong'), { train: 24, val: 0, wrong: true });
    const held = dataset.pictures.filter(({ split }) => split === 'val');
    const misled = { ...wrong, pictures: [...wrong.pictures, ...held] };
    const { report } = await finetune({ base: trained.model, dataset: misled, epochs: 4 });
    assert.equal(report.gate.accepted, false);
    assert.equal(report.gate.reasons[0].code, 'held-out-map50-fell');
  });

  it('searches level, learning rate and augmentation on pictures to learn from, and keeps wishes', async () => {
    const { settings, notes } = await finetune({
      ...{ search: { minutes: 0.15 }, level: 'full', learningRate: undefined, augmentation: 0.2, epochs: 1 },
    });
    assert.match(notes[0], /^The search chose level full/);
    assert.equal(settings.level, 'full');
    assert.equal(settings.augmentation, 0.2);
    assert.ok([0.0006, 0.002, 0.006].some((rate) => Math.abs(rate - settings.learningRate) < 1e-9));
  });
});

/** Weights of all convolutions but the decoding's, in the order in which they are used. */
function weightsOf(graph: OnnxGraph): Float64Array[] {
  const constants = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  return graph.node
    .filter(({ opType }) => opType === 'Conv')
    .flatMap(({ input }) => constants.get(input[1]) ?? [])
    .map(tensorValues);
}

function equal(a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
