import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { loadRuntime } from '../../../../engine/inference';
import { resized, type Tensor } from '../../../../engine/learning/trainer';
import { GraphBuilder, OnnxInvalid, type OnnxModel, readModel, writeModel } from '../../../../engine/onnx';
import { needShared } from '../../../support/shared-data';
import { numbers } from './gradient-check';

async function infer(model: OnnxModel, input: string, { data, dims }: Tensor): Promise<Tensor> {
  const { InferenceSession, Tensor: RuntimeTensor } = loadRuntime();
  const session = await InferenceSession.create(writeModel(model));
  const results = await session.run({ [input]: new RuntimeTensor('float32', data, dims) });
  await session.release();
  const [output] = Object.values(results);
  return { data: output.data as Float32Array, dims: output.dims };
}

/** Twice the size down, then cells in a row and back, as attention has them, written down for 8 x 12 pixels and one picture. */
function attentive(): OnnxModel {
  const graph = new GraphBuilder('attentive');
  const image = graph.input('image', [1, 3, 8, 12]);
  const small = graph.node('MaxPool', [image], { kernel_shape: [2, 2], strides: [2, 2] });
  const flat = graph.node('Reshape', [small, graph.integers([1, 3, 24])]);
  const mixed = graph.node('Softmax', [graph.node('Transpose', [flat], { perm: [0, 2, 1] })], { axis: 1 });
  const back = graph.node('Reshape', [
    graph.node('Transpose', [mixed], { perm: [0, 2, 1] }),
    graph.integers([1, 3, 4, 6]),
  ]);
  graph.output('y', back, [1, 3, 4, 6]);
  return graph.build();
}

describe('A resized model', () => {
  it('has the shapes of another size and batch where one was written down', async () => {
    const model = resized(attentive(), { width: 4, height: 10, batch: 2 });
    const { dims } = await infer(model, 'image', { data: numbers(240, 1), dims: [2, 3, 10, 4] });
    assert.deepEqual(dims, [2, 3, 5, 2]);
  });

  it('computes at the size it had what it computed before, for each picture of a batch', async () => {
    const both = numbers(576, 1);
    const model = resized(attentive(), { width: 12, height: 8, batch: 2 });
    const together = await infer(model, 'image', { data: both, dims: [2, 3, 8, 12] });
    for (const picture of [0, 1]) {
      const data = both.slice(picture * 288, (picture + 1) * 288);
      const alone = await infer(attentive(), 'image', { data, dims: [1, 3, 8, 12] });
      assert.deepEqual(together.data.slice(picture * 72, (picture + 1) * 72), alone.data);
    }
  });

  it('refuses a size that cuts a cell', () => {
    assert.throws(() => resized(attentive(), { width: 13, height: 8, batch: 1 }), OnnxInvalid);
  });

  it('stays the same when nothing was written down', () => {
    const graph = new GraphBuilder('free');
    graph.output('y', graph.node('Relu', [graph.input('image', ['n', 3, 'h', 'w'])]), ['n', 3, 'h', 'w']);
    const model = graph.build();
    assert.deepEqual(resized(model, { width: 5, height: 7, batch: 2 }).graph?.node, model.graph?.node);
  });

  it('needs one picture input', () => {
    const graph = new GraphBuilder('numbers');
    graph.output('y', graph.node('Relu', [graph.input('numbers', [4, 5])]), [4, 5]);
    assert.throws(() => resized(graph.build(), { width: 5, height: 7, batch: 2 }), OnnxInvalid);
  });

  it('frees the attention of YOLO11n', async function () {
    const file = needShared(this, 'models/yolo11n-synthetic/model.onnx');
    const model = resized(readModel(readFileSync(file)), { width: 96, height: 64, batch: 3 });
    const shapes = model.graph?.initializer
      .filter(({ name }) => name.endsWith('sizes'))
      .map(({ rawData }) => Array.from(new BigInt64Array(rawData.slice().buffer), Number));
    // At a 32nd of the size: 2 x 3 cells, two heads of 128 channels.
    assert.deepEqual(shapes?.slice(0, 3), [
      [3, 2, 128, 6],
      [3, 128, 2, 3],
      [3, 128, 2, 3],
    ]);
  });
});
