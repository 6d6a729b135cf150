import assert from 'node:assert/strict';
import { loadRuntime, sessionOptions } from '../../../engine/inference';
import {
  DataType,
  floatTensor,
  foldBatchNormalization,
  GraphBuilder,
  OnnxInvalid,
  type OnnxModel,
  rawTensor,
  tensorValues,
  writeModel,
} from '../../../engine/onnx';

describe('BatchNormalization drawn into the convolution before it', () => {
  it('gives the weight and bias that come out by hand', () => {
    const folded = foldBatchNormalization(network({ bias: [3, -1] }));
    // channel 0: (2x + 3 - 4) * 0.5 / sqrt(3 + 1) + 1 = 0.5x + 0.75; channel 1: (-x - 1 - 2) * 6 / sqrt(8 + 1) - 5 = -2x - 11
    const [weight, bias] = constants(folded);
    assert.deepEqual(weight, [0.5, -2]);
    assert.deepEqual(bias, [0.75, -11]);
    assert.deepEqual(operators(folded), ['Conv', 'Relu', 'Identity']);
  });

  it('makes a bias where the convolution has none', () => {
    // channel 0: (2x - 4) * 0.25 + 1; channel 1: (-x - 2) * 2 - 5
    assert.deepEqual(constants(foldBatchNormalization(network({}))), [
      [0.5, -2],
      [0, -9],
    ]);
  });

  it('computes the same, and changes nothing of the network given', async () => {
    const model = network({ bias: [3, -1] });
    const before = writeModel(model);
    const folded = foldBatchNormalization(model);
    assert.deepEqual(writeModel(model), before);
    const [plain, drawn] = [await run(model), await run(folded)];
    plain.forEach((value, index) => {
      assert.ok(Math.abs(value - drawn[index]) < 1e-6, `${value} ${drawn[index]}`);
    });
  });

  it('leaves it alone where the convolution is used a second time', () => {
    const model = network({ alsoRaw: true });
    assert.deepEqual(operators(foldBatchNormalization(model)), operators(model));
  });

  it('refuses weights that are no float numbers it can read', () => {
    const half = rawTensor('half', [2, 1, 1, 1], DataType.float16, new Uint16Array(2));
    assert.throws(() => foldBatchNormalization(network({ weight: half })), OnnxInvalid);
  });
});

function network({
  bias,
  alsoRaw = false,
  weight,
}: {
  bias?: readonly number[];
  alsoRaw?: boolean;
  weight?: ReturnType<typeof floatTensor>;
}): OnnxModel {
  const graph = new GraphBuilder('folded');
  const x = graph.input('x', [1, 1, 2, 3]);
  const filter = graph.constant(weight ?? floatTensor('filter', [2, 1, 1, 1], Float32Array.of(2, -1)));
  const convolved = graph.node('Conv', [x, filter, ...(bias ? [graph.floats([2], bias)] : [])], {
    kernel_shape: [1, 1],
  });
  const statistics = [
    [0.5, 6],
    [1, -5],
    [4, 2],
    [3, 8],
  ].map((values) => graph.floats([2], values));
  const epsilon = { epsilon: { float: 1 } };
  const result = graph.node('Relu', [graph.node('BatchNormalization', [convolved, ...statistics], epsilon)]);
  graph.output('y', result, [1, 2, 2, 3]);
  if (alsoRaw) graph.output('raw', convolved, [1, 2, 2, 3]);
  return graph.build();
}

function constants({ graph }: OnnxModel): number[][] {
  const [, weight, bias] = graph?.node.find(({ opType }) => opType === 'Conv')?.input ?? [];
  return [weight, bias].map((name) => {
    const tensor = graph?.initializer.find((each) => each.name === name);
    assert.ok(tensor);
    return [...tensorValues(tensor)];
  });
}

function operators({ graph }: OnnxModel): string[] {
  return (graph?.node ?? []).map(({ opType }) => opType);
}

async function run(model: OnnxModel): Promise<number[]> {
  const runtime = loadRuntime();
  const session = await runtime.InferenceSession.create(writeModel(model), sessionOptions(1));
  const x = new runtime.Tensor('float32', Float32Array.of(-3, -1, 0, 0.5, 2, 7), [1, 1, 2, 3]);
  const { y } = await session.run({ x });
  await session.release();
  return [...(y.data as Float32Array)];
}
