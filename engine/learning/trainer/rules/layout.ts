import { integerOf, integersOf, type OnnxNode } from '../../../onnx';
import { UntrainableOperator } from '../errors';
import { type Rule, type RuleContext, textOf } from './rule';

/** Operators that move numbers without changing them. */
const reshaped: Rule = ({ node, graph, gradient }) => [graph.reshape(gradient, graph.dims(node.input[0]))];

const transpose: Rule = ({ node, graph, gradient }) => {
  const rank = graph.dims(gradient).length;
  const given = integersOf(node, 'perm');
  const perm = given.length > 0 ? given : [...Array(rank).keys()].reverse();
  return [
    graph.transpose(
      gradient,
      perm.map((_, axis) => perm.indexOf(axis)),
    ),
  ];
};

const concat: Rule = ({ node, graph, gradient, wanted }) => {
  const axis = axisOf(node, graph.dims(gradient).length, 0);
  const sizes = node.input.map((name) => graph.dims(name)[axis]);
  const starts = sizes.map((_, place) => sizes.slice(0, place).reduce((sum, size) => sum + size, 0));
  if (!wanted.every(Boolean)) {
    return sizes.map((size, place) => (wanted[place] ? graph.window(gradient, [axis], [starts[place]], [size]) : null));
  }
  const dims = node.input.map((name) => graph.dims(name));
  return graph.opset < 13
    ? graph.several('Split', [gradient], dims, { axis, split: sizes })
    : graph.several('Split', [gradient, graph.integers(sizes)], dims, { axis });
};

const split: Rule = ({ node, graph, gradients }) => {
  const axis = axisOf(node, graph.dims(node.input[0]).length, 0);
  const parts = node.output.map((name, place) => gradients[place] ?? graph.zeros(graph.dims(name)));
  return [graph.node('Concat', parts, graph.dims(node.input[0]), { axis })];
};

/** The gradient of the part taken out lies within zeros. */
const slice: Rule = (context) => {
  const { node, graph, gradient } = context;
  const from = graph.dims(node.input[0]);
  const [starts, , axes, steps] = [1, 2, 3, 4].map((place) => context.constant(node.input[place]));
  if (starts === undefined) throw new UntrainableOperator(node, 'its bounds depend on the picture');
  const before = from.map(() => 0);
  const after = from.map(() => 0);
  for (const [place, start] of starts.entries()) {
    const axis = positive(axes?.[place] ?? place, from.length);
    if ((steps?.[place] ?? 1) !== 1) throw new UntrainableOperator(node, 'it skips cells');
    const first = Math.min(Math.max(start < 0 ? start + from[axis] : start, 0), from[axis]);
    before[axis] = first;
    after[axis] = from[axis] - first - graph.dims(gradient)[axis];
  }
  return [graph.pad(gradient, before, after)];
};

const pad: Rule = (context) => {
  const { node, graph, gradient } = context;
  const pads = context.constant(node.input[1]);
  if (textOf(node, 'mode', 'constant') !== 'constant') throw new UntrainableOperator(node, 'it repeats the edge');
  if (pads === undefined) throw new UntrainableOperator(node, 'its counts depend on the picture');
  const dims = graph.dims(node.input[0]);
  const axes = context.constant(node.input[3]) ?? Float64Array.from(dims.keys());
  const before = dims.map(() => 0);
  const after = dims.map(() => 0);
  for (const [place, axis] of axes.entries()) {
    before[positive(axis, dims.length)] = -pads[place];
    after[positive(axis, dims.length)] = -pads[place + axes.length];
  }
  return [graph.pad(gradient, before, after)];
};

/** Each cell repeated a whole number of times: the gradients of the copies are summed. */
const resize: Rule = ({ node, graph, gradient }) => {
  const from = graph.dims(node.input[0]);
  const to = graph.dims(gradient);
  const times = to.map((dim, axis) => dim / from[axis]);
  const form = [
    textOf(node, 'mode', 'nearest'),
    textOf(node, 'coordinate_transformation_mode', node.opType === 'Upsample' ? 'asymmetric' : 'half_pixel'),
    textOf(node, 'nearest_mode', node.opType === 'Upsample' ? 'floor' : 'round_prefer_floor'),
  ].join();
  if (!REPEATS.has(form) || !times.every(Number.isInteger)) {
    throw new UntrainableOperator(node, `only whole repetitions of the nearest cell are known, not ${form}`);
  }
  const apart = from.flatMap((dim, axis) => [dim, times[axis]]);
  const copies = from.map((_, axis) => 2 * axis + 1).filter((axis) => apart[axis] > 1);
  return [graph.reshape(graph.sum(graph.reshape(gradient, apart), copies), from)];
};

const REPEATS = new Set([
  'nearest,asymmetric,floor',
  'nearest,half_pixel,round_prefer_floor',
  'nearest,half_pixel,round_prefer_ceil',
]);

function axisOf(node: OnnxNode, rank: number, fallback: number): number {
  return positive(integerOf(node, 'axis', fallback), rank);
}

export function positive(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

export const layoutRules: Readonly<Record<string, Rule>> = {
  Reshape: reshaped,
  Flatten: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Slice: slice,
  Pad: pad,
  Resize: resize,
  Upsample: resize,
  Expand: ({ node, graph, gradient }: RuleContext) => [graph.sumTo(gradient, graph.dims(node.input[0]))],
};
