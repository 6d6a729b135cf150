import assert from 'node:assert/strict';
import {
  describeDetector,
  detectHead,
  STARTER_BINS,
  STARTER_STRIDES,
  starterBody,
  withTail,
} from '../../../engine/detector';
import { seededRandom } from '../../../engine/domain';
import { loadRuntime, sessionOptions } from '../../../engine/inference';
import { foldBatchNormalization, readModel, writeModel } from '../../../engine/onnx';

describe('the network of the starter detector', () => {
  const { model, levels } = starterBody(4, seededRandom(7));

  it('gives distances and classes for each place at strides 8, 16 and 32, whatever the size of the picture', async () => {
    for (const [width, height] of [
      [448, 256],
      [96, 64],
    ]) {
      const results = await run(writeModel(model), width, height);
      assert.deepEqual(
        levels.map(({ stride }) => stride),
        [...STARTER_STRIDES],
      );
      for (const { stride, boxes, classes } of levels) {
        const [rows, columns] = [height / stride, width / stride];
        assert.deepEqual(results[boxes].dims, [2, 4 * STARTER_BINS, rows, columns]);
        assert.deepEqual(results[classes].dims, [2, 4, rows, columns]);
      }
    }
  });

  it('has the same weights again with the same seed, and others with another', () => {
    const bytes = (seed: number) => Buffer.from(writeModel(starterBody(4, seededRandom(seed)).model));
    assert.ok(bytes(7).equals(bytes(7)));
    assert.ok(!bytes(7).equals(bytes(8)));
  });

  it('takes hardly any place for a defect before it has learnt', async () => {
    const results = await run(writeModel(model), 128, 128);
    for (const { classes } of levels) {
      const values = results[classes].data;
      const mean = values.reduce((sum, logit) => sum + 1 / (1 + Math.exp(-logit)), 0) / values.length;
      assert.ok(mean < 0.02, `${mean}`);
    }
  });

  it('is small, and computes the same with its normalisation drawn in', async () => {
    const folded = foldBatchNormalization(model);
    assert.ok(folded.graph?.node.every(({ opType }) => opType !== 'BatchNormalization'));
    const bytes = writeModel(folded);
    assert.ok(bytes.length < 6e6, `${bytes.length} bytes`);
    const [plain, drawn] = [await run(writeModel(model), 96, 96), await run(bytes, 96, 96)];
    for (const name of Object.keys(plain)) {
      plain[name].data.forEach((value, index) => {
        assert.ok(Math.abs(value - drawn[name].data[index]) < 1e-4);
      });
    }
  });

  it('is read like any other detector once it has its tail, so that it can be fine-tuned', () => {
    const classes = ['defect', 'fracture', 'stain', 'misalignment'];
    const whole = readModel(
      writeModel(withTail(foldBatchNormalization(model), levels, { classes, bins: STARTER_BINS })),
    );
    const description = describeDetector(whole);
    assert.equal(description.layout, 'rows');
    assert.deepEqual(description.classes, classes);
    const head = detectHead(whole);
    assert.deepEqual(
      head.levels.map(({ stride, bins }) => [stride, bins]),
      STARTER_STRIDES.map((stride) => [stride, STARTER_BINS]),
    );
  });

  it('refuses to tell nothing apart', () => {
    assert.throws(() => starterBody(0, seededRandom(1)), RangeError);
  });
});

async function run(bytes: Uint8Array, width: number, height: number) {
  const runtime = loadRuntime();
  const session = await runtime.InferenceSession.create(bytes, sessionOptions(1));
  const random = seededRandom(1);
  const data = Float32Array.from({ length: 2 * 3 * width * height }, random);
  const results = await session.run({ images: new runtime.Tensor('float32', data, [2, 3, height, width]) });
  await session.release();
  return Object.fromEntries(
    Object.entries(results).map(([name, { data, dims }]) => [name, { data: data as Float32Array, dims }]),
  );
}
