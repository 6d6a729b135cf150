import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { ClassifierModel } from '../../../../engine/classifier';
import { tasks } from '../../../../engine/classifier/task';
import { InvalidInput, type JobProgress, seededRandom } from '../../../../engine/domain';
import { SessionCache, type TaskContext } from '../../../../engine/inference';
import {
  type ClassifierPackaging,
  type ClassPicture,
  TooFewClasses,
  TooFewPerClass,
  trainClassifier,
  trainClassifierPackage,
} from '../../../../engine/learning/classifier-training';
import { GraphBuilder, writeModel } from '../../../../engine/onnx';
import { ModelExists, ModelInvalid } from '../../../../engine/packages';
import { classifierOf } from '../../../support/networks';

const SIZE = 64;

describe('training a classifier', function () {
  this.timeout(120_000);
  let folder: string;
  let backbone: string;
  const path = (...parts: string[]) => join(folder, ...parts);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'classifier-'));
    backbone = path('backbone.onnx');
    await writeFile(backbone, writeModel(classifierOf('residual', 'Relu', ['n', 3, 'h', 'w']).model));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const packaging = (changes: Partial<ClassifierPackaging> = {}): ClassifierPackaging => ({
    partType: 'casting',
    name: 'casting.classifier',
    version: '1',
    source: 'drawn',
    outFolder: path('model'),
    pictures: surfaces(10),
    backbone,
    inputSize: SIZE,
    threads: 1,
    seed: 3,
    ...changes,
  });

  describe('whose package is written', () => {
    let made: Awaited<ReturnType<typeof trainClassifierPackage>>;
    const seen: JobProgress[] = [];

    before(async () => {
      const broken = { name: 'broken.jpg', picture: Buffer.from('no picture'), label: 'good', heldOut: false };
      const missing = {
        name: 'missing.jpg',
        picture: () => Promise.reject(new Error('there is no such file')),
        label: 'pore',
        heldOut: true,
      };
      const pictures = surfaces(10);
      const twin = { ...pictures[0], name: 'twin.jpg', heldOut: false };
      made = await trainClassifierPackage(
        packaging({ pictures: [...pictures, broken, missing, twin], onProgress: (progress) => seen.push(progress) }),
      );
    });

    it('names pictures it has not learnt', async () => {
      const model = await ClassifierModel.load(path('model'), { threads: 1 });
      for (const { picture, label } of surfaces(4, 900)) {
        const result = await model.classify(await fileOf(picture));
        assert.equal(result.label, label);
        assert.equal(result.verdict, label === 'good' ? 'OK' : 'NG');
        const sum = Object.values(result.probabilities).reduce((total, share) => total + share, 0);
        assert.ok(Math.abs(sum - 1) < 1e-5);
        assert.equal(result.confidence, Math.max(...Object.values(result.probabilities)));
        assert.deepEqual(result.picture, { width: 96, height: 80 });
        assert.deepEqual(result.model, { name: 'casting.classifier', version: '1' });
      }
      await model.dispose();
    });

    it('tells how well, and from what it was learnt', () => {
      const { manifest, report, trained } = made;
      assert.deepEqual(manifest.classes, ['good', 'pore', 'scratch']);
      assert.equal(manifest.method, 'linear');
      assert.equal(manifest.evaluation.after?.accuracy, 1);
      assert.deepEqual(
        manifest.evaluation.after?.perClass.map(({ label, count }) => [label, count]),
        [
          ['good', 2],
          ['pore', 2],
          ['scratch', 2],
        ],
      );
      assert.equal(manifest.evaluation.before, null);
      assert.deepEqual(manifest.gate, { accepted: true, reasons: [] });
      assert.equal(manifest.dataset.count, 24);
      assert.equal(manifest.dataset.heldOut, 6);
      assert.equal(manifest.dataset.skipped, 3);
      assert.equal(report.kind, 'classifier');
      assert.equal(report.after.pictures, 6);
      assert.ok(trained.curve.length > 5 && trained.curve.every(({ loss }) => Number.isFinite(loss)));
    });

    it('names the pictures that were left out, and why', () => {
      assert.deepEqual(
        made.trained.skipped.map(({ name }) => name),
        ['missing.jpg', 'broken.jpg', 'twin.jpg'],
      );
      const [missing, , twin] = made.trained.skipped;
      assert.equal(missing.reason, 'there is no such file');
      assert.match(twin.reason, /the same picture as/);
    });

    it('tells its progress with epochs and a curve', () => {
      const percents = seen.map(({ percent }) => percent);
      assert.deepEqual(
        percents,
        [...percents].sort((a, b) => a - b),
      );
      const learning = seen.filter(({ stage, curve }) => stage === 'train' && curve !== undefined);
      assert.ok(learning.length > 0);
      const { epoch, epochs, curve } = learning[0];
      assert.ok(epoch !== undefined && epochs === 200 && curve?.at(-1)?.epoch === epoch);
    });

    it('is refused when a file of it was changed', async () => {
      const file = path('model', 'model.onnx');
      const bytes = await readFile(file);
      const changed = Buffer.from(bytes);
      changed[bytes.length - 3] ^= 1;
      await writeFile(file, changed);
      try {
        await assert.rejects(ClassifierModel.load(path('model'), { threads: 1 }), ModelInvalid);
      } finally {
        await writeFile(file, bytes);
      }
    });

    it('is never overwritten', async () => {
      await assert.rejects(trainClassifierPackage(packaging()), ModelExists);
    });

    it('serves the compute child', async () => {
      const sessions = new SessionCache(1e9);
      const context = { sessions, threads: 1, signal: new AbortController().signal } as TaskContext;
      const manifest = await tasks['classifier/load']({ folder: path('model') }, context);
      assert.equal(manifest.version, '1');
      const [{ picture, label }] = surfaces(1, 950);
      const request = { folder: path('model'), picture: new Uint8Array(await fileOf(picture)) };
      assert.equal((await tasks['classifier/classify'](request, context)).label, label);
      assert.equal(sessions.keys.length, 1);
      await sessions.clear();
      await assert.rejects(tasks['classifier/load']({ folder: path('nowhere') }, context), ModelInvalid);
    });

    it('is compared with its parent on the same pictures', async () => {
      const relabelled = surfaces(10, 40).map((picture) =>
        picture.heldOut || picture.label === 'good'
          ? picture
          : { ...picture, label: picture.label === 'pore' ? 'scratch' : 'pore' },
      );
      const next = { outFolder: path('second'), version: '2', parent: '1', parentFolder: path('model') };
      const { manifest } = await trainClassifierPackage(packaging({ ...next, pictures: relabelled }));
      assert.equal(manifest.evaluation.before?.accuracy, 1);
      assert.ok((manifest.evaluation.after?.accuracy ?? 1) < 0.5);
      assert.equal(manifest.gate.accepted, false);
      const codes = manifest.gate.reasons.map(({ code }) => code);
      assert.ok(codes.includes('held-out-accuracy-fell') && codes.includes('held-out-class-fell'), `${codes}`);
    });
  });

  it('gives the same file with the same seed', async () => {
    const train = (seed: number) => trainClassifier(packaging({ seed }));
    const [one, same, other] = [await train(3), await train(3), await train(4)];
    assert.ok(Buffer.from(one.model).equals(Buffer.from(same.model)));
    assert.ok(!Buffer.from(one.model).equals(Buffer.from(other.model)));
  });

  it('takes the verdicts it is told', async () => {
    const { verdicts } = await trainClassifier(packaging({ verdicts: { pore: 'REVIEW', good: 'NG' } }));
    assert.deepEqual(verdicts, { good: 'NG', pore: 'REVIEW', scratch: 'NG' });
    await assert.rejects(trainClassifier(packaging({ verdicts: { dent: 'OK' } })), InvalidInput);
  });

  it('refuses what is too little to learn from, and names the class', async () => {
    const few = surfaces(10).filter(({ label, heldOut }, at) => label !== 'pore' || heldOut || at < 14);
    await assert.rejects(trainClassifier(packaging({ pictures: few })), (error: unknown) => {
      assert.ok(error instanceof TooFewPerClass);
      assert.equal(error.parameters.label, 'pore');
      return true;
    });
    const one = surfaces(10).filter(({ label }) => label === 'good');
    await assert.rejects(trainClassifier(packaging({ pictures: one })), TooFewClasses);
  });

  it('refuses a candidate that nothing was held out for', async () => {
    const pictures = surfaces(6).map((picture) => ({ ...picture, heldOut: false }));
    const { gate, evaluation } = await trainClassifier(packaging({ pictures }));
    assert.deepEqual([gate.accepted, gate.reasons[0].code], [false, 'nothing-to-measure-with']);
    assert.equal(evaluation.after.pictures, 0);
  });

  for (const [option, value] of Object.entries({
    epochs: 0,
    learningRate: 2,
    inputSize: 100,
    seed: -1,
    augmentation: 2,
  })) {
    it(`refuses ${option} ${value}`, async () => {
      await assert.rejects(trainClassifier(packaging({ [option]: value })), (error: unknown) => {
        assert.ok(error instanceof InvalidInput);
        assert.equal(error.parameters.option, option);
        return true;
      });
    });
  }

  it('ends when it is cancelled, and leaves nothing behind', async () => {
    const cancel = new AbortController();
    const outFolder = path('cancelled', 'model');
    const onProgress = ({ stage }: JobProgress) => stage === 'train' && cancel.abort(new Error('enough'));
    await assert.rejects(trainClassifierPackage(packaging({ outFolder, onProgress, signal: cancel.signal })), /enough/);
    await assert.rejects(readdir(path('cancelled')), /ENOENT/);
  });

  describe('together with its backbone', () => {
    it('learns, and keeps what named the pictures left out best', async () => {
      const wish = {
        pictures: surfaces(24),
        fineTune: true,
        epochs: 12,
        learningRate: 0.002,
        augmentation: 0.1,
      };
      const progress: JobProgress[] = [];
      const tuned = await trainClassifier(packaging({ ...wish, onProgress: (at) => progress.push(at) }));
      assert.equal(tuned.method, 'fine-tuned');
      const losses = tuned.curve.map(({ loss }) => loss);
      assert.ok(Math.min(...losses) < 0.7 * losses[0], JSON.stringify(losses));
      assert.equal(tuned.training.epochs, losses.indexOf(Math.min(...losses)) + 1);
      assert.ok(tuned.evaluation.after.accuracy > 0.5);
      assert.ok(progress.some(({ memoryBytes = 0 }) => memoryBytes > 100_000));
    });

    for (const [kind, activation, dims] of [
      ['depthwise', 'Clip', ['n', 3, 'h', 'w']],
      ['squeeze-excite', 'HardSwish', [1, 3, SIZE, SIZE]],
    ] as const) {
      it(`learns with a ${kind} network (${activation})`, async () => {
        const file = path(`${kind}.onnx`);
        await writeFile(file, writeModel(classifierOf(kind, activation, dims).model));
        const options = { backbone: file, fineTune: true, epochs: 1, pictures: surfaces(5) };
        const { method, notes, preprocessing } = await trainClassifier(packaging(options));
        assert.deepEqual([method, notes], ['fine-tuned', []]);
        assert.deepEqual([preprocessing.width, preprocessing.height], [SIZE, SIZE]);
      });
    }

    it('learns with the embedded backbone, whose weights are stored with half precision', async () => {
      const wish = { backbone: undefined, fineTune: true, epochs: 1, pictures: surfaces(5) };
      const { method, notes, backbone: used } = await trainClassifier(packaging(wish));
      assert.deepEqual([method, notes, used.id], ['fine-tuned', [], 'starter']);
    });

    it('falls back to the layer alone where the backbone cannot be trained, and says so', async () => {
      const strange = path('strange.onnx');
      await writeFile(strange, writeModel(withNeighbourhood()));
      const result = await trainClassifier(packaging({ backbone: strange, fineTune: true }));
      assert.equal(result.method, 'linear');
      assert.match(result.notes[0], /Only the layer on top of the backbone was trained.*LRN/);
    });
  });
});

/** A small backbone whose features pass an operator that no trainer knows. */
function withNeighbourhood() {
  const graph = new GraphBuilder('strange');
  const x = graph.input('x', ['n', 3, 'h', 'w']);
  const random = seededRandom(9);
  const weights = Float32Array.from({ length: 6 * 3 * 64 }, () => 0.2 * (random() - 0.5));
  const filter = graph.floats([6, 3, 8, 8], weights);
  const convolved = graph.node('Conv', [x, filter], { kernel_shape: [8, 8], strides: [8, 8] });
  graph.output('y', graph.node('Relu', [graph.node('LRN', [convolved], { size: 3 })]), ['n', 6, 'rows', 'columns']);
  return graph.build();
}

/** Grey surfaces: good ones, some with a dark spot, some with bright stripes; one in five of each kind is held out. */
function surfaces(count: number, firstSeed = 1): ClassPicture[] {
  const pictures: ClassPicture[] = [];
  for (const [kind, label] of ['good', 'pore', 'scratch'].entries()) {
    for (let index = 0; index < count; index += 1) {
      const seed = firstSeed * 100 + kind * 10_000 + index;
      pictures.push({
        name: `${label}-${index}.png`,
        picture: () => drawn(seed, label),
        label,
        heldOut: index % 5 === 0,
      });
    }
  }
  return pictures;
}

async function fileOf(picture: ClassPicture['picture']): Promise<Buffer> {
  return typeof picture === 'function' ? picture() : picture;
}

function drawn(seed: number, label: string): Promise<Buffer> {
  const [width, height] = [96, 80];
  const random = seededRandom(seed);
  const [x, y, radius] = [20 + 56 * random(), 20 + 40 * random(), 8 + 5 * random()];
  const light = 110 + 40 * random();
  const pixels = new Uint8Array(width * height);
  for (let at = 0; at < pixels.length; at += 1) {
    const [column, row] = [at % width, Math.floor(at / width)];
    let value = light + 12 * (random() - 0.5);
    if (label === 'pore' && Math.hypot(column - x, row - y) < radius) value *= 0.3;
    if (label === 'scratch' && Math.abs(row - y) < 10 && (row + column) % 8 < 3) value += 90;
    pixels[at] = Math.min(255, value);
  }
  return sharp(pixels, { raw: { width, height, channels: 1 } })
    .png()
    .toBuffer();
}
