import { integerOf } from '../../../onnx';
import { UntrainableOperator } from '../errors';
import type { GradientGraph } from '../gradient-graph';
import type { Rule } from './rule';
import { backIntoCells, type Windows, windowsOf } from './window';

/** Below so many channels the taps of a kernel are taken together, so that the matrix product is not too narrow. */
const FEW_CHANNELS = 16;

/**
 * A convolution of pictures, grouped and depthwise ones included. Its weights' gradient is one matrix product for each tap of
 * the kernel, of the output gradient and the input cells that the tap meets; its input gradient a convolution with the
 * kernel turned about, or with strides the transposed convolution.
 */
const convolution: Rule = ({ node, graph, gradient, wanted }) => {
  const [input, weight] = node.input;
  const [, , ...kernel] = graph.dims(weight);
  const windows = windowsOf(node, graph.dims(input), graph.dims(gradient), kernel);
  const group = integerOf(node, 'group', 1);
  return [
    wanted[0] ? inputGradient(graph, gradient, weight, graph.dims(input), windows, group) : null,
    wanted[1] ? weightGradient(graph, gradient, input, graph.dims(weight), windows, group) : null,
    wanted[2] ? graph.reshape(graph.sum(gradient, [0, 2, 3]), graph.dims(node.input[2])) : null,
  ];
};

function inputGradient(
  graph: GradientGraph,
  gradient: string,
  weight: string,
  dims: readonly number[],
  windows: Windows,
  group: number,
): string {
  const { kernel, strides, dilations, before, after, counts } = windows;
  const reach = [0, 1].map((axis) => (kernel[axis] - 1) * dilations[axis]);
  const pads = [
    ...reach.map((cells, axis) => cells - before[axis]),
    ...reach.map((cells, axis) => cells - after[axis]),
  ];
  const strided = strides.some((stride, axis) => stride > 1 && counts[axis] > 1);
  if (strided || pads.some((count) => count < 0)) {
    return graph.node('ConvTranspose', [gradient, weight], dims, { group, ...backIntoCells(windows) });
  }
  return graph.node('Conv', [gradient, turnedAbout(graph, weight, group)], dims, { group, dilations, pads });
}

/** The kernel with inputs and outputs exchanged and each tap at the opposite place. */
function turnedAbout(graph: GradientGraph, weight: string, group: number): string {
  const [outputs, inputs, height, width] = graph.dims(weight);
  const each = outputs / group;
  const flat = graph.reshape(weight, [group, each, inputs, height * width]);
  const exchanged = graph.transpose(graph.reversed(flat), [0, 2, 1, 3]);
  return graph.reshape(exchanged, [group * inputs, each, height, width]);
}

function weightGradient(
  graph: GradientGraph,
  gradient: string,
  input: string,
  dims: readonly number[],
  windows: Windows,
  group: number,
): string {
  const [outputs, inputs, height, width] = dims;
  const taps = height * width;
  if (group === 1) return plainWeightGradient(graph, gradient, input, dims, windows);
  const [batch] = graph.dims(gradient);
  const places = windows.counts[0] * windows.counts[1];
  const each = outputs / group;
  const results = tapsOf(graph, input, windows).map((cells) => {
    if (inputs === 1 && each === 1) return graph.sum(graph.multiply(gradient, cells), [0, 2, 3]);
    const left = graph.reshape(gradient, [batch, group, each, places]);
    const right = graph.reshape(cells, [batch, group, inputs, places]);
    return graph.sum(graph.product(left, right, { turnB: true }), [0]);
  });
  const side =
    taps === 1
      ? results[0]
      : joined(
          graph,
          results.map((value) => graph.reshape(value, [outputs, inputs, 1])),
          2,
        );
  return graph.reshape(side, dims);
}

/** For each tap [outputs, batch * places] times [batch * places, inputs]. */
function plainWeightGradient(
  graph: GradientGraph,
  gradient: string,
  input: string,
  dims: readonly number[],
  windows: Windows,
): string {
  const [outputs, inputs, height, width] = dims;
  const taps = height * width;
  const [batch] = graph.dims(gradient);
  const places = windows.counts[0] * windows.counts[1];
  // Either both are turned to have the batch inside, or the products of each picture are summed; whichever moves less.
  const inside = batch > 1 && taps * outputs * inputs > places * (outputs + inputs);
  const [left, cells] = inside
    ? [
        graph.reshape(graph.transpose(gradient, [1, 0, 2, 3]), [1, outputs, batch * places]),
        tapsOf(graph, graph.transpose(input, [1, 0, 2, 3]), windows),
      ]
    : [graph.reshape(gradient, [batch, outputs, places]), tapsOf(graph, input, windows)];
  const outer = inside ? 1 : batch;
  const flat = cells.map((tap) => graph.reshape(tap, [outer, inputs, (batch / outer) * places]));
  if (inputs < FEW_CHANNELS && taps > 1) {
    const sums = graph.sum(graph.product(left, joined(graph, flat, 1), { turnB: true }), [0]);
    return graph.reshape(graph.transpose(graph.reshape(sums, [outputs, taps, inputs]), [0, 2, 1]), dims);
  }
  const products = flat.map((tap) => graph.product(left, tap, { turnB: true }));
  if (outer === 1) {
    const apart = products.map((value) => graph.reshape(value, [outputs, inputs, 1]));
    return graph.reshape(joined(graph, apart, 2), dims);
  }
  const sums = graph.sum(graph.reshape(joined(graph, products, 0), [taps, outer, outputs, inputs]), [1]);
  return graph.reshape(graph.transpose(graph.reshape(sums, [taps, outputs, inputs]), [1, 2, 0]), dims);
}

/** The input cells that each tap of the kernel meets, row by row: [batch, channels, windows down, windows across]. */
function tapsOf(graph: GradientGraph, input: string, windows: Windows): readonly string[] {
  const { kernel, strides, dilations, before, after, counts } = windows;
  const padded = graph.pad(input, [0, 0, ...before], [0, 0, ...after]);
  const width = graph.dims(padded)[3];
  // To skip cells of a row is slow: it is done once for each phase, and the taps take whole stretches of the phases.
  const phases = Array.from({ length: strides[1] }, (_, phase) =>
    strides[1] === 1
      ? padded
      : graph.window(padded, [3], [phase], [Math.ceil((width - phase) / strides[1])], [strides[1]]),
  );
  return Array.from({ length: kernel[0] * kernel[1] }, (_, tap) => {
    const down = Math.floor(tap / kernel[1]) * dilations[0];
    const across = (tap % kernel[1]) * dilations[1];
    const place = Math.floor(across / strides[1]);
    return graph.window(phases[across % strides[1]], [2, 3], [down, place], counts, [strides[0], 1]);
  });
}

function joined(graph: GradientGraph, values: readonly string[], axis: number): string {
  if (values.length === 1) return values[0];
  const dims = graph.dims(values[0]);
  const length = values.reduce((sum, value) => sum + graph.dims(value)[axis], 0);
  return graph.node(
    'Concat',
    values,
    dims.map((dim, place) => (place === axis ? length : dim)),
    { axis },
  );
}

/** The other way about: its input gradient is a convolution, its weights' gradient has input and gradient exchanged. */
const transposed: Rule = ({ node, graph, gradient, wanted }) => {
  const [input, weight] = node.input;
  const [, , ...kernel] = graph.dims(weight);
  if (integerOf(node, 'group', 1) !== 1) throw new UntrainableOperator(node, 'it is grouped');
  const windows = windowsOf(node, graph.dims(gradient), graph.dims(input), kernel);
  const { strides, dilations, before, after } = windows;
  const first = () =>
    graph.node('Conv', [gradient, weight], graph.dims(input), { strides, dilations, pads: [...before, ...after] });
  const second = () => plainWeightGradient(graph, input, gradient, graph.dims(weight), windows);
  const third = () => graph.reshape(graph.sum(gradient, [0, 2, 3]), graph.dims(node.input[2]));
  return [wanted[0] ? first() : null, wanted[1] ? second() : null, wanted[2] ? third() : null];
};

export const convolutionRules: Readonly<Record<string, Rule>> = { Conv: convolution, ConvTranspose: transposed };
