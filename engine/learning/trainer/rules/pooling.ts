import { integerOf, integersOf } from '../../../onnx';
import { UntrainableOperator } from '../errors';
import type { GradientGraph } from '../gradient-graph';
import { positive } from './layout';
import type { Rule, RuleContext } from './rule';
import { backIntoCells, type Windows, windowsOf } from './window';

/** Below everything a network computes. */
const LOWEST = -3.4e38;
/** Above nothing that a network computes but 0. */
const SHORTEST = 1e-30;

/**
 * Equal largest cells of a window share its gradient, as they do by the thousand where poolings follow each other. The
 * largest of a rectangle is the largest of its rows' largest: the gradient goes back through one axis at a time.
 */
const maxPool: Rule = ({ node, graph, gradient }) => {
  const [input] = node.input;
  const windows = windowsOf(node, graph.dims(input), graph.dims(gradient), integersOf(node, 'kernel_shape'));
  if (windows.dilations.some((step) => step !== 1)) throw new UntrainableOperator(node, 'its windows have gaps');
  const across = alongOneAxis(windows, 1);
  const down = alongOneAxis(windows, 0);
  const rows = windows.kernel[1] === 1 && windows.strides[1] === 1 ? input : largest(graph, input, across);
  const intoRows = shared(graph, rows, node.output[0], gradient, down);
  return [rows === input ? intoRows : shared(graph, input, rows, intoRows, across)];
};

function alongOneAxis(windows: Windows, axis: 0 | 1): Windows {
  const only = <T extends number>(pair: readonly [number, number], other: T): [number, number] =>
    axis === 0 ? [pair[0], other] : [other, pair[1]];
  return {
    kernel: only(windows.kernel, 1),
    strides: only(windows.strides, 1),
    dilations: [1, 1],
    before: only(windows.before, 0),
    after: only(windows.after, 0),
    counts: windows.counts,
  };
}

function largest(graph: GradientGraph, input: string, { kernel, strides, before, after, counts }: Windows): string {
  const [batch, channels, height] = graph.dims(input);
  // Cells that no window reaches are cut off, for the operator takes no negative padding.
  const reached = graph.pad(input, [0, 0, 0, 0], [0, 0, ...after.map((count) => Math.min(0, count))]);
  const pads = [...before, ...after.map((count) => Math.max(0, count))];
  return graph.node('MaxPool', [reached], [batch, channels, height, counts[1]], {
    kernel_shape: kernel,
    strides,
    pads,
  });
}

/** The gradient of each window's largest cell, shared among the equal ones, for windows along one axis. */
function shared(graph: GradientGraph, input: string, output: string, gradient: string, windows: Windows): string {
  const axis = windows.kernel[0] > 1 || windows.strides[0] > 1 ? 0 : 1;
  const [kernel, stride] = [windows.kernel[axis], windows.strides[axis]];
  if (kernel === 1 && stride === 1) return gradient;
  const place = axis + 2;
  const count = graph.dims(output)[place];
  const before = [0, 0, 0, 0].map((_, each) => (each === place ? windows.before[axis] : 0));
  const after = [0, 0, 0, 0].map((_, each) => (each === place ? windows.after[axis] : 0));
  const padded = graph.pad(input, before, after, LOWEST);
  const length = graph.dims(padded)[place];
  const masks = Array.from({ length: kernel }, (_, tap) =>
    graph.mask('Equal', graph.window(padded, [place], [tap], [count], [stride]), output),
  );
  const portion = graph.divide(
    gradient,
    masks.reduce((a, b) => graph.add(a, b)),
  );
  const parts = masks.map((mask, tap) => {
    const own = graph.multiply(mask, portion);
    const part = stride === 1 ? own : widened(graph, own, place, stride);
    const cells = graph.dims(part)[place];
    const left = [0, 0, 0, 0].map((_, each) => (each === place ? tap : 0));
    const right = [0, 0, 0, 0].map((_, each) => (each === place ? length - tap - cells : 0));
    return graph.pad(part, left, right);
  });
  const whole = parts.reduce((a, b) => graph.add(a, b));
  return graph.pad(
    whole,
    before.map((cells) => -cells),
    after.map((cells) => -cells),
  );
}

/** Puts `stride - 1` zeros between the cells of an axis. */
function widened(graph: GradientGraph, value: string, axis: number, stride: number): string {
  const dims = graph.dims(value);
  const apart = graph.reshape(value, [...dims.slice(0, axis + 1), 1, ...dims.slice(axis + 1)]);
  const rank = [...dims.keys(), dims.length];
  const spaced = graph.pad(
    apart,
    rank.map(() => 0),
    rank.map((place) => (place === axis + 1 ? stride - 1 : 0)),
  );
  const wide = graph.reshape(
    spaced,
    dims.map((dim, place) => (place === axis ? dim * stride : dim)),
  );
  return graph.window(wide, [axis], [0], [(dims[axis] - 1) * stride + 1]);
}

const averagePool: Rule = ({ node, graph, gradient }) => {
  const [input] = node.input;
  const dims = graph.dims(input);
  const windows = windowsOf(node, dims, graph.dims(gradient), integersOf(node, 'kernel_shape'));
  const [height, width] = windows.counts;
  const parts = new Float32Array(height * width);
  const withPadding = integerOf(node, 'count_include_pad', 0) !== 0;
  const pads = integersOf(node, 'pads');
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const cells = [row, column].map((place, axis) => {
        const first = place * windows.strides[axis] - windows.before[axis];
        const end = first + windows.kernel[axis];
        const border = withPadding ? Math.max(0, pads[axis + 2] ?? windows.after[axis]) : 0;
        return Math.min(end, dims[axis + 2] + border) - (withPadding ? first : Math.max(first, 0));
      });
      parts[row * width + column] = 1 / (cells[0] * cells[1]);
    }
  }
  const flat = [dims[0] * dims[1], 1];
  const portion = graph.multiply(gradient, graph.floats([1, 1, height, width], parts));
  const ones = graph.floats([1, 1, ...windows.kernel], new Float32Array(windows.kernel[0] * windows.kernel[1]).fill(1));
  const cells = graph.node(
    'ConvTranspose',
    [graph.reshape(portion, [...flat, height, width]), ones],
    [...flat, dims[2], dims[3]],
    {
      ...backIntoCells(windows),
    },
  );
  return [graph.reshape(cells, dims)];
};

const globalAveragePool: Rule = ({ node, graph, gradient }) => [mean(graph, gradient, graph.dims(node.input[0]))];

const reduceMean: Rule = (context) => [mean(context.graph, kept(context), context.graph.dims(context.node.input[0]))];

const reduceSum: Rule = (context) => [
  repeated(context.graph, kept(context), context.graph.dims(context.node.input[0])),
];

/** x / |x|, and 0 where all of x is. */
const reduceLength: Rule = (context) => {
  const { node, graph } = context;
  const [input] = node.input;
  const gradient = kept(context);
  const length = graph.reshape(node.output[0], graph.dims(gradient));
  const positive = graph.node('Max', [length, graph.scalar(SHORTEST)], graph.dims(length));
  return [graph.multiply(input, graph.divide(gradient, positive))];
};

/** The gradient with the axes again that the operator took away. */
function kept(context: RuleContext): string {
  const { node, graph, gradient } = context;
  const dims = graph.dims(node.input[0]);
  const given = context.constant(node.input[1]) ?? integersOf(node, 'axes');
  const axes = [...given].map((axis) => positive(axis, dims.length));
  const all = axes.length === 0;
  return graph.reshape(
    gradient,
    dims.map((dim, axis) => (all || axes.includes(axis) ? 1 : dim)),
  );
}

function mean(graph: GradientGraph, gradient: string, dims: readonly number[]): string {
  const count = dims.reduce((product, dim, axis) => product * (dim / graph.dims(gradient)[axis]), 1);
  return repeated(graph, graph.multiply(gradient, graph.scalar(1 / count)), dims);
}

function repeated(graph: GradientGraph, value: string, dims: readonly number[]): string {
  return graph.node('Expand', [value, graph.integers(dims)], dims);
}

export const poolingRules: Readonly<Record<string, Rule>> = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalAveragePool,
  ReduceMean: reduceMean,
  ReduceSum: reduceSum,
  ReduceL2: reduceLength,
};
