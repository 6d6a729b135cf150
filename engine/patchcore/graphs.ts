import { GraphBuilder, writeModel } from '../onnx';
import { type Matrix, rowsBetween } from './matrix';

export { nearestGraph, pairwiseGraph } from './distance-graphs';

/** Bank rows searched at a time: their distances to one picture's patches stay in the processor's cache. */
const SEARCH_BLOCK = 512;

/** Channels a backbone gives out. */
export interface Channels {
  readonly stride8: number;
  readonly stride16: number;
}

/**
 * From backbone features to patches: inputs `stride8` and `stride16` [1, channels, rows, columns], output `patches`
 * [rows x columns of stride 8, channels of both].
 */
export function neckGraph(channels: Channels): Uint8Array {
  const graph = new GraphBuilder('neck');
  const { patches } = addNeck(graph, channels);
  graph.output('patches', patches, ['patches', channels.stride8 + channels.stride16]);
  return writeModel(graph.build());
}

/**
 * What makes a part type: the memory bank with the nearest-neighbour search and the map compiled in. Inputs as
 * `neckGraph`; outputs `distances` [1, 1, rows, columns], the distance of each patch to the nearest in the bank, and `map`
 * [1, 1, 8 rows, 8 columns], the same upsampled to input pixels and smoothed.
 *
 * @param bank  one row a patch
 * @param sigma standard deviation of the gaussian, in input pixels
 */
export function headGraph(channels: Channels, bank: Matrix, sigma: number): Uint8Array {
  const graph = new GraphBuilder('head');
  const { patches, gridShape } = addNeck(graph, channels);
  const minima: string[] = [];
  for (let from = 0; from < bank.rows; from += SEARCH_BLOCK) {
    const to = Math.min(from + SEARCH_BLOCK, bank.rows);
    const rows = rowsBetween(bank, from, to);
    const block = graph.floats([to - from, bank.columns], rows);
    const norms = graph.floats([1, to - from], squaredNorms(rows, bank.columns));
    const partial = graph.node('Gemm', [patches, block, norms], { alpha: { float: -2 }, transB: 1 });
    minima.push(graph.node('ReduceMin', [partial], { axes: [1], keepdims: 1 }));
  }
  const nearest = minima.length === 1 ? minima[0] : graph.node('Min', minima);
  const squared = graph.node('Add', [nearest, addSquaredNorms(graph, patches)]);
  const distances = graph.node('Sqrt', [graph.node('Max', [squared, graph.floats([], [0])])]);
  const grid = graph.node('Reshape', [distances, gridShape]);
  graph.output('distances', grid, [1, 1, 'rows', 'columns']);
  graph.output('map', addMap(graph, grid, sigma), [1, 1, 'height', 'width']);
  return writeModel(graph.build());
}

/** Input `a` [m, rows of `projection`]; output `projected` [m, columns of `projection`]. */
export function projectionGraph(projection: Matrix): Uint8Array {
  const graph = new GraphBuilder('projection');
  const a = graph.input('a', ['m', projection.rows]);
  const weights = graph.floats([projection.rows, projection.columns], projection.data);
  graph.output('projected', graph.node('MatMul', [a, weights]), ['m', projection.columns]);
  return writeModel(graph.build());
}

/**
 * Average pooling 3x3 (the patch's neighbourhood), the deeper map upsampled to the finer one, both side by side.
 *
 * @see Roth et al. 2022, "Towards Total Recall in Industrial Anomaly Detection", section 3.1
 */
function addNeck(graph: GraphBuilder, channels: Channels): { patches: string; gridShape: string } {
  const fine = graph.input('stride8', [1, channels.stride8, 'rows', 'columns']);
  const deep = graph.input('stride16', [1, channels.stride16, 'deepRows', 'deepColumns']);
  const pooling = { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], count_include_pad: 0 };
  const pooledFine = graph.node('AveragePool', [fine], pooling);
  const pooledDeep = graph.node('AveragePool', [deep], pooling);
  const fineShape = graph.node('Shape', [fine]);
  const deepShape = graph.node('Shape', [deep]);
  const size = graph.node('Slice', [fineShape, graph.integers([2]), graph.integers([4]), graph.integers([0])]);
  const front = graph.node('Slice', [deepShape, graph.integers([0]), graph.integers([2]), graph.integers([0])]);
  const target = graph.node('Concat', [front, size], { axis: 0 });
  const upsampled = graph.node('Resize', [pooledDeep, '', '', target], {
    mode: 'linear',
    coordinate_transformation_mode: 'half_pixel',
  });
  const features = graph.node('Concat', [pooledFine, upsampled], { axis: 1 });
  const last = graph.node('Transpose', [features], { perm: [0, 2, 3, 1] });
  const patches = graph.node('Reshape', [last, graph.integers([-1, channels.stride8 + channels.stride16])]);
  const gridShape = graph.node('Concat', [graph.integers([1, 1]), size], { axis: 0 });
  return { patches, gridShape };
}

function addMap(graph: GraphBuilder, grid: string, sigma: number): string {
  const upsampled = graph.node('Resize', [grid, '', graph.floats([4], [1, 1, 8, 8])], {
    mode: 'linear',
    coordinate_transformation_mode: 'half_pixel',
  });
  const kernel = gaussian(sigma);
  const radius = (kernel.length - 1) / 2;
  const pads = graph.integers([0, 0, radius, radius, 0, 0, radius, radius]);
  const padded = graph.node('Pad', [upsampled, pads], { mode: 'edge' });
  const across = graph.node('Conv', [padded, graph.floats([1, 1, 1, kernel.length], kernel)]);
  return graph.node('Conv', [across, graph.floats([1, 1, kernel.length, 1], kernel)]);
}

/** Weights of a gaussian, cut at four standard deviations, with sum 1. */
function gaussian(sigma: number): Float32Array {
  const radius = Math.ceil(4 * sigma);
  const weights = Array.from({ length: 2 * radius + 1 }, (_, index) =>
    Math.exp(-0.5 * ((index - radius) / sigma) ** 2),
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return Float32Array.from(weights, (weight) => weight / sum);
}

function addSquaredNorms(graph: GraphBuilder, rows: string): string {
  return graph.node('ReduceSumSquare', [rows], { axes: [1], keepdims: 1 });
}

function squaredNorms(rows: Float32Array, columns: number): Float32Array {
  return Float32Array.from({ length: rows.length / columns }, (_, row) => {
    let sum = 0;
    for (let column = 0; column < columns; column += 1) sum += rows[row * columns + column] ** 2;
    return sum;
  });
}
