import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resized, TrainingSession } from '../../../../engine/learning/trainer';
import { feeds, type OnnxGraph, type OnnxModel, readModel } from '../../../../engine/onnx';
import { needShared } from '../../../support/shared-data';
import { checkGradients, numbers } from './gradient-check';

const [WIDTH, HEIGHT] = [64, 96];

/** The convolutions that end the detect head. */
function logits(branches: readonly string[]): readonly string[] {
  return branches.flatMap((branch) =>
    [0, 1, 2].map((level) => `/model.23/${branch}.${level}/${branch}.${level}.2/Conv_output_0`),
  );
}

function sharedModel(context: Mocha.Context, file: string): OnnxModel {
  return readModel(readFileSync(needShared(context, `models/${file}`)));
}

/**
 * One step of plain gradient descent on half the mean square of all outputs, as long as should lower it by a hundredth.
 *
 * @returns the part of that by which it did
 */
async function stepDown(model: OnnxModel, outputs: readonly string[]): Promise<number> {
  const [{ name }] = feeds(model.graph as OnnxGraph);
  const dims = [2, 3, HEIGHT, WIDTH];
  const session = await TrainingSession.open(model, {
    inputs: { [name]: dims },
    outputs,
    trainable: (weight) => /weight|bias/.test(weight),
    threads: 2,
  });
  const pictures = { [name]: { data: numbers(2 * 3 * HEIGHT * WIDTH, 1).map((value) => (value + 1) / 2), dims } };
  const halfMeanSquare = (results: Awaited<ReturnType<TrainingSession['forward']>>) => {
    const all = outputs.flatMap((output) => [...results[output].data]);
    return all.reduce((sum, value) => sum + value * value, 0) / all.length / 2;
  };
  const results = await session.forward(pictures);
  const count = outputs.reduce((sum, output) => sum + results[output].data.length, 0);
  const before = halfMeanSquare(results);
  await session.backward(
    Object.fromEntries(
      outputs.map((output) => [
        output,
        { data: results[output].data.map((value) => value / count), dims: results[output].dims },
      ]),
    ),
  );
  const steepness = session.parameters.reduce(
    (sum, { gradient }) => sum + gradient.reduce((part, value) => part + value * value, 0),
    0,
  );
  const rate = (0.01 * before) / steepness;
  for (const { data, gradient } of session.parameters) {
    for (const [place, slope] of gradient.entries()) data[place] -= rate * slope;
  }
  const after = halfMeanSquare(await session.forward(pictures));
  await session.close();
  return (before - after) / (0.01 * before);
}

function assertAsExpected(part: number): void {
  assert.ok(part > 0.8 && part < 1.2, `a step lowers the loss by ${part} of what the gradient promises`);
}

describe('The body of YOLO11n', function () {
  this.timeout(120_000);

  it('has gradients that agree with finite differences, from the first weights to the last', async function () {
    const trained = [
      'model.0.conv.weight',
      'model.2.m.0.cv1.conv.weight',
      'model.5.conv.weight',
      'model.9.cv1.conv.weight',
      'model.10.m.0.attn.qkv.conv.weight',
      'model.13.cv1.conv.bias',
      'model.23.cv2.1.0.conv.weight',
      'model.23.cv3.0.0.0.conv.weight',
      'model.23.cv3.2.2.bias',
    ];
    const model = sharedModel(this, 'yolo11n-synthetic/model.onnx');
    await checkGradients(resized(model, { width: WIDTH, height: HEIGHT, batch: 2 }), {
      inputs: { images: [2, 3, HEIGHT, WIDTH] },
      outputs: logits(['cv2', 'cv3']),
      trained,
      whole: true,
      step: 0.0005,
      tolerance: 0.03,
    });
  });
});

describe('One training step lowers the loss by what its gradient promises:', function () {
  this.timeout(120_000);
  const size = { width: WIDTH, height: HEIGHT, batch: 2 };

  it('YOLO11n', async function () {
    const model = resized(sharedModel(this, 'yolo11n-synthetic/model.onnx'), size);
    assertAsExpected(await stepDown(model, logits(['cv2', 'cv3'])));
  });

  it('YOLO26n', async function () {
    const model = resized(sharedModel(this, 'yolo26n-untrained.onnx'), size);
    assertAsExpected(await stepDown(model, logits(['one2one_cv2', 'one2one_cv3'])));
  });

  it('YOLO11n-seg, masks included', async function () {
    const model = resized(sharedModel(this, 'yolo11n-seg-untrained.onnx'), size);
    assertAsExpected(await stepDown(model, [...logits(['cv2', 'cv3', 'cv4']), 'output1']));
  });

  it('MobileNet V1', async function () {
    const model = resized(sharedModel(this, 'mobilenet_v1_imagenet_features.onnx'), size);
    assertAsExpected(await stepDown(model, ['stride8', 'stride16']));
  });
});
