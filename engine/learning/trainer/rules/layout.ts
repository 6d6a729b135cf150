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

/** A cell that was repeated at the border gets the gradients of its copies. */
const pad: Rule = (context) => {
  const { node, graph, gradient } = context;
  const pads = context.constant(node.input[1]);
  const mode = textOf(node, 'mode', 'constant');
  if (!PADDINGS.has(mode)) throw new UntrainableOperator(node, `its padding is ${mode}`);
  if (pads === undefined) throw new UntrainableOperator(node, 'its counts depend on the picture');
  const dims = graph.dims(node.input[0]);
  const axes = context.constant(node.input[3]) ?? Float64Array.from(dims.keys());
  const whole = [...axes].reduce((value, given, place) => {
    const axis = positive(given, dims.length);
    const [before, after] = [pads[place], pads[place + axes.length]];
    const cut = (from: string, start: number, end: number) => {
      const only = (count: number) => graph.dims(value).map((_, other) => (other === axis ? count : 0));
      return graph.pad(from, only(start), only(end));
    };
    const inner = cut(value, -before, -after);
    if (mode === 'constant') return inner;
    const length = dims[axis];
    const outer = [
      ...Array(Math.max(0, before)).keys(),
      ...[...Array(Math.max(0, after)).keys()].map((cell) => before + length + cell),
    ];
    return outer.reduce((sum, cell) => {
      const source = sourceOf(cell - before, length, mode);
      return graph.add(sum, cut(graph.window(value, [axis], [cell], [1]), source, length - 1 - source));
    }, inner);
  }, gradient);
  return [whole];
};

const PADDINGS = new Set(['constant', 'edge', 'reflect']);

/** The cell that is repeated at a place outside of 0..length - 1. */
function sourceOf(place: number, length: number, mode: string): number {
  if (mode === 'edge') return place < 0 ? 0 : length - 1;
  return place < 0 ? -place : 2 * (length - 1) - place;
}

/** Each cell repeated a whole number of times: the gradients of the copies are summed. */
const resize: Rule = (context) => {
  const { node, graph, gradient } = context;
  if (textOf(node, 'mode', 'nearest') === 'linear') return [interpolated(context)];
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

/** Linear interpolation along rows and columns is a product with a matrix each; the gradient goes through them turned. */
function interpolated(context: RuleContext): string {
  const { node, graph, gradient } = context;
  const from = graph.dims(node.input[0]);
  const to = graph.dims(gradient);
  const coordinates = textOf(node, 'coordinate_transformation_mode', 'half_pixel');
  const fits = from.length === 4 && from[0] === to[0] && from[1] === to[1] && COORDINATES.has(coordinates);
  if (!fits || integerOf(node, 'antialias', 0) !== 0) {
    throw new UntrainableOperator(node, `this kind of linear interpolation is not known (${coordinates})`);
  }
  const scales = context.constant(node.input[2]);
  const matrix = (axis: 2 | 3) => {
    const scale = scales?.length === 4 ? scales[axis] : to[axis] / from[axis];
    return graph.floats([to[axis], from[axis]], linearMatrix(from[axis], to[axis], scale, coordinates));
  };
  return graph.product(graph.product(matrix(2), gradient, { turnA: true }), matrix(3));
}

/** Row by row the parts that each cell of the result takes from the cells it lies between. */
function linearMatrix(from: number, to: number, scale: number, coordinates: string): Float32Array {
  const matrix = new Float32Array(to * from);
  for (let cell = 0; cell < to; cell += 1) {
    const place = coordinateOf(cell, from, to, scale, coordinates);
    const clamped = Math.min(Math.max(place, 0), from - 1);
    const first = Math.floor(clamped);
    const part = clamped - first;
    matrix[cell * from + first] += 1 - part;
    if (part > 0) matrix[cell * from + first + 1] += part;
  }
  return matrix;
}

function coordinateOf(cell: number, from: number, to: number, scale: number, coordinates: string): number {
  if (coordinates === 'asymmetric') return cell / scale;
  if (coordinates === 'align_corners') return to === 1 ? 0 : (cell * (from - 1)) / (to - 1);
  if (coordinates === 'pytorch_half_pixel' && to === 1) return 0;
  return (cell + 0.5) / scale - 0.5;
}

const COORDINATES = new Set(['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric']);

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
