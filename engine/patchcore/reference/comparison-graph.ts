import { GraphBuilder, writeModel } from '../../onnx';

export interface ComparisonSettings {
  /** How far an edge may lie from where the reference has it, in pixels of the comparison, a whole number >= 0. */
  readonly tolerance: number;
  /** Differences up to this much are light and noise, 0..1 of the full range. */
  readonly contrast: number;
  /** Side of the square over which differences are averaged, odd, in pixels of the comparison: single pixels do not count. */
  readonly smoothing: number;
}

/**
 * The tolerant comparison of two pictures: inputs `picture` and `reference` [1, channels, height, width], 0..1, laid over
 * each other, and `counts` [1, 1, height, width], 1 where the comparison counts; output `map` [1, 1, height, width], >= 0.
 *
 * A pixel differs by as much as it lies outside of what the other picture shows within the tolerance around that place
 * (between its local minimum and maximum), in either direction: something may be there that should not, or be missing.
 * The largest difference of all channels is averaged over a square, twice.
 *
 * @throws {RangeError} for settings out of range
 */
export function comparisonGraph({ tolerance, contrast, smoothing }: ComparisonSettings): Uint8Array {
  if (!(Number.isInteger(tolerance) && tolerance >= 0))
    throw new RangeError(`tolerance ${tolerance} is no whole number >= 0`);
  if (!(Number.isInteger(smoothing) && smoothing >= 1 && smoothing % 2 === 1)) {
    throw new RangeError(`smoothing ${smoothing} is no odd whole number >= 1`);
  }
  const graph = new GraphBuilder('comparison');
  const picture = graph.input('picture', [1, 'channels', 'height', 'width']);
  const reference = graph.input('reference', [1, 'channels', 'height', 'width']);
  const counts = graph.input('counts', [1, 1, 'height', 'width']);
  const added = addOutside(graph, picture, reference, tolerance);
  const missing = addOutside(graph, reference, picture, tolerance);
  const either = graph.node('Max', [added, missing]);
  const beyondNoise = graph.node('Relu', [graph.node('Sub', [either, graph.floats([], [contrast])])]);
  const strongest = graph.node('ReduceMax', [beyondNoise], { axes: [1], keepdims: 1 });
  const counted = graph.node('Mul', [strongest, counts]);
  const once = addMean(graph, counted, smoothing);
  graph.output('map', addMean(graph, once, smoothing), [1, 1, 'height', 'width']);
  return writeModel(graph.build());
}

/** How far the pixels of `values` lie outside the local range of `others`; not positive when inside. */
function addOutside(graph: GraphBuilder, values: string, others: string, tolerance: number): string {
  const highest = addLocalMaximum(graph, others, tolerance);
  const lowest = graph.node('Neg', [addLocalMaximum(graph, graph.node('Neg', [others]), tolerance)]);
  return graph.node('Max', [graph.node('Sub', [values, highest]), graph.node('Sub', [lowest, values])]);
}

function addLocalMaximum(graph: GraphBuilder, values: string, tolerance: number): string {
  if (tolerance === 0) return values;
  const side = 2 * tolerance + 1;
  const across = graph.node('MaxPool', [values], {
    kernel_shape: [1, side],
    pads: [0, tolerance, 0, tolerance],
    strides: [1, 1],
  });
  return graph.node('MaxPool', [across], {
    kernel_shape: [side, 1],
    pads: [tolerance, 0, tolerance, 0],
    strides: [1, 1],
  });
}

function addMean(graph: GraphBuilder, values: string, side: number): string {
  if (side === 1) return values;
  const half = (side - 1) / 2;
  const across = { kernel_shape: [1, side], pads: [0, half, 0, half], strides: [1, 1], count_include_pad: 1 };
  const down = { kernel_shape: [side, 1], pads: [half, 0, half, 0], strides: [1, 1], count_include_pad: 1 };
  return graph.node('AveragePool', [graph.node('AveragePool', [values], across)], down);
}
