import assert from 'node:assert/strict';
import { TrainingSession, UntrainableOperator } from '../../../../engine/learning/trainer';
import { floatTensor, GraphBuilder, type OnnxModel } from '../../../../engine/onnx';
import { checkGradients, numbers } from './gradient-check';

type Dims = readonly number[];

/** A model of the weights a, b, ... and what is computed from them. */
function modelOf(
  weights: readonly Dims[],
  compute: (graph: GradientSource, names: readonly string[]) => string,
  opset = 17,
  apart = 0,
) {
  const graph = new GraphBuilder('operators', opset);
  graph.input('nothing', [1]);
  const names = weights.map((dims, place) =>
    graph.constant(
      floatTensor(
        'abcd'[place],
        dims,
        numbers(
          dims.reduce((size, dim) => size * dim, 1),
          place + 1,
          apart,
        ),
      ),
    ),
  );
  graph.output('y', compute(graph, names), []);
  return graph.build();
}
type GradientSource = GraphBuilder;

interface Form {
  readonly says: string;
  readonly weights: readonly Dims[];
  readonly compute: (graph: GraphBuilder, names: readonly string[]) => string;
  readonly opset?: number;
  /** Least difference of any two numbers, for operators with edges. */
  readonly apart?: number;
}

const PICTURE: Dims = [2, 3, 4, 6];

/** An operator of one input. */
function one(opType: string, attributes: Parameters<GraphBuilder['node']>[2] = {}, apart = 0.13): Form {
  return { says: opType, weights: [[3, 7]], compute: (graph, [a]) => graph.node(opType, [a], attributes), apart };
}

const FORMS: readonly Form[] = [
  one('Sigmoid'),
  one('Relu'),
  one('LeakyRelu', { alpha: { float: 0.1 } }),
  one('HardSigmoid', { alpha: { float: 0.3 } }),
  one('HardSwish', {}, 0.43),
  one('Tanh'),
  one('Exp'),
  one('Abs'),
  one('Erf'),
  one('Softplus'),
  one('Neg'),
  one('Identity'),
  {
    says: 'Clip between 0 and 6',
    weights: [[3, 7]],
    apart: 0.83,
    compute: (graph, [a]) => graph.node('Clip', [a, graph.floats([], [0]), graph.floats([], [6])]),
  },
  {
    says: 'Clip from below',
    weights: [[3, 7]],
    apart: 0.13,
    compute: (graph, [a]) => graph.node('Clip', [a, graph.floats([], [0])]),
  },
  {
    says: 'Log and Sqrt',
    weights: [[3, 7]],
    compute: (graph, [a]) => {
      const shifted = graph.node('Add', [a, graph.floats([], [2])]);
      return graph.node('Mul', [graph.node('Log', [shifted]), graph.node('Sqrt', [shifted])]);
    },
  },
  { says: 'Pow', weights: [[3, 7]], compute: (graph, [a]) => graph.node('Pow', [a, graph.floats([], [3])]) },
  { says: 'SiLU', weights: [[3, 7]], compute: (graph, [a]) => graph.node('Mul', [a, graph.node('Sigmoid', [a])]) },
  {
    says: 'a gate of another value',
    weights: [
      [3, 7],
      [3, 7],
    ],
    compute: (graph, [a, b]) => graph.node('Mul', [a, graph.node('Sigmoid', [b])]),
  },
  { says: 'Add with a row', weights: [PICTURE, [6]], compute: (graph, [a, b]) => graph.node('Add', [a, b]) },
  { says: 'Sub with a channel', weights: [[3, 1, 1], PICTURE], compute: (graph, [a, b]) => graph.node('Sub', [a, b]) },
  {
    says: 'Mul with a channel weight',
    weights: [PICTURE, [2, 3, 1, 1]],
    compute: (graph, [a, b]) => graph.node('Mul', [a, b]),
  },
  { says: 'Mul with itself', weights: [[3, 7]], compute: (graph, [a]) => graph.node('Mul', [a, a]) },
  {
    says: 'Div',
    weights: [PICTURE, [1, 3, 1, 1]],
    compute: (graph, [a, b]) => graph.node('Div', [a, graph.node('Add', [b, graph.floats([], [3])])]),
  },
  { says: 'Sum of three', weights: [[3, 7], [7], [3, 1]], compute: (graph, names) => graph.node('Sum', names) },
  {
    says: 'Concat',
    weights: [
      [2, 3, 4],
      [2, 1, 4],
    ],
    compute: (graph, names) => graph.node('Sigmoid', [graph.node('Concat', names, { axis: 1 })]),
  },
  {
    says: 'Concat with a constant',
    weights: [[2, 3, 4]],
    compute: (graph, [a]) => graph.node('Concat', [graph.floats([2, 1, 4], numbers(8, 5)), a], { axis: -2 }),
  },
  {
    says: 'Split, one part of it unused',
    weights: [[2, 6, 4]],
    compute: (graph, [a]) => {
      const parts = graph.nodes('Split', [a, graph.integers([1, 2, 3])], 3, { axis: 1 });
      return graph.node('Concat', [parts[2], parts[0]], { axis: 1 });
    },
  },
  {
    says: 'Reshape and Transpose',
    weights: [PICTURE],
    compute: (graph, [a]) =>
      graph.node('Transpose', [graph.node('Reshape', [a, graph.integers([2, -1, 12])])], { perm: [2, 0, 1] }),
  },
  {
    says: 'Reshape to a shape that is computed',
    weights: [PICTURE, [6, 24]],
    compute: (graph, [a, b]) => graph.node('Reshape', [a, graph.node('Shape', [b])]),
  },
  { says: 'Flatten', weights: [PICTURE], compute: (graph, [a]) => graph.node('Flatten', [a], { axis: 1 }) },
  {
    says: 'Unsqueeze and Squeeze',
    weights: [[3, 1, 4]],
    compute: (graph, [a]) =>
      graph.node('Squeeze', [graph.node('Unsqueeze', [a, graph.integers([0])]), graph.integers([2])]),
  },
  {
    says: 'Slice',
    weights: [PICTURE],
    compute: (graph, [a]) =>
      graph.node('Slice', [a, graph.integers([1, -3]), graph.integers([3, 9999]), graph.integers([1, 3])]),
  },
  { says: 'Pad', weights: [[2, 3]], compute: (graph, [a]) => graph.node('Pad', [a, graph.integers([0, 1, 2, -1])]) },
  {
    says: 'Resize to twice the size',
    weights: [PICTURE],
    compute: (graph, [a]) =>
      graph.node('Resize', [a, '', graph.floats([4], [1, 1, 2, 3])], {
        mode: 'nearest',
        coordinate_transformation_mode: 'asymmetric',
        nearest_mode: 'floor',
      }),
  },
  { says: 'Expand', weights: [[3, 1]], compute: (graph, [a]) => graph.node('Expand', [a, graph.integers([2, 3, 4])]) },
  {
    says: 'MatMul of batches',
    weights: [
      [2, 3, 4],
      [2, 4, 5],
    ],
    compute: (graph, names) => graph.node('MatMul', names),
  },
  {
    says: 'MatMul of a batch with a matrix',
    weights: [
      [2, 3, 4],
      [4, 5],
    ],
    compute: (graph, names) => graph.node('MatMul', names),
  },
  {
    says: 'MatMul of a matrix with a batch',
    weights: [
      [3, 4],
      [2, 4, 5],
    ],
    compute: (graph, names) => graph.node('MatMul', names),
  },
  {
    says: 'Gemm',
    weights: [[3, 4], [5, 4], [5]],
    compute: (graph, names) => graph.node('Gemm', names, { transB: 1, alpha: { float: 0.5 }, beta: { float: 2 } }),
  },
  {
    says: 'Gemm, turned',
    weights: [
      [4, 3],
      [4, 5],
    ],
    compute: (graph, names) => graph.node('Gemm', names, { transA: 1 }),
  },
  { says: 'Softmax', weights: [[2, 3, 4]], compute: (graph, [a]) => graph.node('Softmax', [a], { axis: 1 }) },
  {
    says: 'Softmax of operators 12',
    opset: 12,
    weights: [[2, 3, 4]],
    compute: (graph, [a]) => graph.node('Softmax', [a]),
  },
  {
    says: 'ReduceMean',
    weights: [PICTURE],
    compute: (graph, [a]) => graph.node('ReduceMean', [a], { axes: [2, -1], keepdims: 0 }),
  },
  { says: 'ReduceSum', weights: [PICTURE], compute: (graph, [a]) => graph.node('ReduceSum', [a, graph.integers([1])]) },
  {
    says: 'ReduceL2, of zeros too',
    weights: [[2, 3, 4]],
    compute: (graph, [a]) => {
      const apart = graph.node('Concat', [a, graph.node('Mul', [a, graph.floats([], [0])])], { axis: 0 });
      return graph.node('ReduceL2', [apart], { axes: [1], keepdims: 0 });
    },
  },
  {
    says: 'Pad that repeats the edge',
    weights: [PICTURE],
    compute: (graph, [a]) => graph.node('Pad', [a, graph.integers([0, 0, 2, 1, 0, 0, 0, 3])], { mode: 'edge' }),
  },
  {
    says: 'Pad that reflects',
    weights: [PICTURE],
    compute: (graph, [a]) => graph.node('Pad', [a, graph.integers([0, 0, 2, 1, 0, 0, 1, 3])], { mode: 'reflect' }),
  },
  ...['half_pixel', 'align_corners', 'asymmetric', 'pytorch_half_pixel'].map((mode) => ({
    says: `Resize by linear interpolation, ${mode}`,
    weights: [PICTURE],
    compute: (graph: GraphBuilder, [a]: readonly string[]) =>
      graph.node('Resize', [a, '', '', graph.integers([2, 3, 7, 3])], {
        mode: 'linear',
        coordinate_transformation_mode: mode,
      }),
  })),
  { says: 'GlobalAveragePool', weights: [PICTURE], compute: (graph, [a]) => graph.node('GlobalAveragePool', [a]) },
  {
    says: 'AveragePool',
    weights: [PICTURE],
    compute: (graph, [a]) => graph.node('AveragePool', [a], { kernel_shape: [2, 2], strides: [2, 2] }),
  },
  {
    says: 'AveragePool over a border',
    weights: [PICTURE],
    compute: (graph, [a]) =>
      graph.node('AveragePool', [a], { kernel_shape: [3, 3], strides: [1, 2], pads: [1, 1, 1, 1] }),
  },
  {
    says: 'AveragePool with the border',
    weights: [PICTURE],
    compute: (graph, [a]) =>
      graph.node('AveragePool', [a], {
        kernel_shape: [3, 3],
        strides: [2, 2],
        pads: [1, 1, 1, 1],
        count_include_pad: 1,
      }),
  },
  {
    says: 'MaxPool',
    apart: 0.05,
    weights: [PICTURE],
    compute: (graph, [a]) => graph.node('MaxPool', [a], { kernel_shape: [2, 2], strides: [2, 2] }),
  },
  {
    says: 'MaxPool of overlapping windows',
    apart: 0.05,
    weights: [PICTURE],
    compute: (graph, [a]) => graph.node('MaxPool', [a], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  },
  {
    says: 'MaxPool that leaves cells over',
    apart: 0.05,
    weights: [[1, 2, 6, 5]],
    compute: (graph, [a]) => graph.node('MaxPool', [a], { kernel_shape: [3, 2], strides: [2, 2] }),
  },
  {
    says: 'MaxPool, rounded up',
    apart: 0.05,
    weights: [[1, 2, 6, 7]],
    compute: (graph, [a]) => graph.node('MaxPool', [a], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
  },
  {
    says: 'MaxPool one after the other',
    apart: 0.05,
    weights: [PICTURE],
    compute: (graph, [a]) => {
      const pool = (value: string) => graph.node('MaxPool', [value], { kernel_shape: [5, 5], pads: [2, 2, 2, 2] });
      const first = pool(a);
      return graph.node('Concat', [a, first, pool(first)], { axis: 1 });
    },
  },
  {
    says: 'ConvTranspose',
    weights: [[2, 3, 4, 5], [3, 2, 2, 2], [2]],
    compute: (graph, names) => graph.node('ConvTranspose', names, { strides: [2, 2], kernel_shape: [2, 2] }),
  },
  {
    says: 'ConvTranspose, padded',
    weights: [[1, 3, 4, 5], [3, 2, 3, 3], [2]],
    compute: (graph, names) =>
      graph.node('ConvTranspose', names, {
        strides: [2, 2],
        kernel_shape: [3, 3],
        pads: [1, 1, 1, 1],
        output_padding: [1, 1],
      }),
  },
];

/** A batch normalisation of a weight `a`, with a scale and a bias. */
function normalised(): OnnxModel {
  return modelOf([[3, 2, 4, 5], [2], [2]], (graph, names) => {
    const statistics = [graph.floats([2], [0.1, -0.2]), graph.floats([2], [0.5, 2])];
    return graph.node('Sigmoid', [graph.node('BatchNormalization', [...names, ...statistics])]);
  });
}

describe('Gradients of operators agree with finite differences:', () => {
  for (const { says, weights, compute, opset, apart } of FORMS) {
    it(says, async () => checkGradients(modelOf(weights, compute, opset, apart), { inputs: {} }));
  }
});

describe('Gradients of batch normalisation agree with finite differences', () => {
  it('in its training form', () => checkGradients(normalised(), { inputs: {} }));
  it('with fixed statistics', () => checkGradients(normalised(), { inputs: {}, trained: ['a'] }));
});

describe('MaxPool', () => {
  it('shares the gradient of a window among its equal largest cells', async () => {
    const graph = new GraphBuilder('ties');
    graph.constant(floatTensor('a', [1, 1, 2, 4], Float32Array.of(1, 1, 5, 0, 1, 1, 5, 5)));
    graph.output('y', graph.node('MaxPool', ['a'], { kernel_shape: [2, 2], strides: [2, 2] }), []);
    const session = await TrainingSession.open(graph.build(), {
      inputs: {},
      outputs: ['y'],
      trainable: () => true,
      threads: 1,
    });
    await session.forward({});
    await session.backward({ y: { data: Float32Array.of(4, 8), dims: [1, 1, 1, 2] } });
    // By hand: rows first. Row maxima of the second window are 5 and 5, each gets 4; its second row shares them among two.
    assert.deepEqual([...session.parameters[0].gradient], [1, 1, 4, 0, 1, 1, 2, 2]);
    await session.close();
  });
});

describe('An operator without a rule', () => {
  it('is refused by name when a gradient would have to pass it', async () => {
    const model = modelOf([[3, 7]], (graph, [a]) => graph.node('Sinh', [a]));
    await assert.rejects(
      TrainingSession.open(model, { inputs: {}, outputs: ['y'], trainable: () => true, threads: 1 }),
      (error: unknown) => {
        assert.ok(error instanceof UntrainableOperator);
        assert.equal(error.parameters.operator, 'Sinh');
        assert.match(error.message, /Sinh \(Sinh_/);
        return true;
      },
    );
  });

  it('does no harm below the lowest trained weight', async () => {
    const model = modelOf(
      [
        [3, 7],
        [3, 7],
      ],
      (graph, [a, b]) => graph.node('Mul', [graph.node('Sinh', [a]), b]),
    );
    await checkGradients(model, { inputs: {}, trained: ['b'] });
  });
});
