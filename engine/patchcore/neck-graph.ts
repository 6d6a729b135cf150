import { GraphBuilder, writeModel } from '../onnx';
import type { Matrix } from './matrix';

/** An output of the backbone, named `stride<stride>`. */
export interface Layer {
  /** Input pixels one cell spans. */
  readonly stride: number;
  readonly channels: number;
}

/** What is done to the features of a patch before they are compared: `(x - mean) * weights`. */
export interface Conditioning {
  /** One a channel of all layers, finest first. */
  readonly mean: Float32Array;
  /** One row a channel of all layers, one column a dimension of the result. */
  readonly weights: Matrix;
}

/**
 * From backbone features to patches: inputs `stride8`, `stride16`, ... [1, channels, rows, columns], output `patches`
 * [rows x columns of the finest layer, dimensions].
 *
 * @param layers finest first
 * @throws {RangeError} when the conditioning does not fit the layers
 */
export function neckGraph(layers: readonly Layer[], conditioning: Conditioning | null): Uint8Array {
  const graph = new GraphBuilder('neck');
  const patches = addNeck(graph, layers, conditioning);
  graph.output('patches', patches, ['patches', dimensionsOf(layers, conditioning)]);
  return writeModel(graph.build());
}

/** Numbers that describe one patch after conditioning. */
export function dimensionsOf(layers: readonly Layer[], conditioning: Conditioning | null): number {
  return conditioning?.weights.columns ?? channelsOf(layers);
}

/**
 * Per layer the mean over 3x3 cells (the patch's neighbourhood), deeper layers upsampled to the finest one, side by side,
 * conditioned. Conditioning, pooling and upsampling are linear and keep constants, so the weights act on each layer alone,
 * at its own resolution, and the mean is taken away once.
 *
 * @returns name of the patches [rows x columns of the finest layer, dimensions]
 * @see Roth et al. 2022, "Towards Total Recall in Industrial Anomaly Detection", section 3.1
 */
export function addNeck(graph: GraphBuilder, layers: readonly Layer[], conditioning: Conditioning | null): string {
  requireFit(layers, conditioning);
  const inputs = layers.map(({ stride, channels }) =>
    graph.input(`stride${stride}`, [1, channels, `rows${stride}`, `columns${stride}`]),
  );
  const size = sliceOf(graph, graph.node('Shape', [inputs[0]]), 2, 4);
  const parts = inputs.map((input, index) => {
    const cells = addLayer(graph, input, partOf(layers, index, conditioning));
    return index === 0 ? cells : addUpsampling(graph, cells, size);
  });
  const joined = isMixing(conditioning)
    ? parts.reduce((sum, part) => graph.node('Add', [sum, part]))
    : graph.node('Concat', parts, { axis: 1 });
  const last = graph.node('Transpose', [joined], { perm: [0, 2, 3, 1] });
  return graph.node('Reshape', [last, graph.integers([-1, dimensionsOf(layers, conditioning)])]);
}

/** A layer's share of the conditioning. */
interface LayerWork {
  readonly channels: number;
  /** Row-major [channels x dimensions], or one factor a channel; null leaves the features as they are. */
  readonly weights: { readonly mixing: boolean; readonly values: Float32Array } | null;
  readonly bias: Float32Array | null;
}

function addLayer(graph: GraphBuilder, features: string, { channels, weights, bias }: LayerWork): string {
  if (weights === null) return addPooling(graph, features);
  if (!weights.mixing) {
    const scaled = graph.node('Mul', [addPooling(graph, features), graph.floats([1, channels, 1, 1], weights.values)]);
    return bias === null ? scaled : graph.node('Add', [scaled, graph.floats([1, channels, 1, 1], bias)]);
  }
  const dimensions = weights.values.length / channels;
  const kernel = graph.floats([dimensions, channels, 1, 1], transposed(weights.values, channels, dimensions));
  const constants = bias === null ? [kernel] : [kernel, graph.floats([dimensions], bias)];
  // They commute: pool where there is less to pool.
  if (channels <= dimensions) return graph.node('Conv', [addPooling(graph, features), ...constants]);
  return addPooling(graph, graph.node('Conv', [features, ...constants]));
}

function addPooling(graph: GraphBuilder, features: string): string {
  const pooling = { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], count_include_pad: 0 };
  return graph.node('AveragePool', [features], pooling);
}

/** @param size name of the target's [rows, columns] */
function addUpsampling(graph: GraphBuilder, cells: string, size: string): string {
  const target = graph.node('Concat', [sliceOf(graph, graph.node('Shape', [cells]), 0, 2), size], { axis: 0 });
  return graph.node('Resize', [cells, '', '', target], {
    mode: 'linear',
    coordinate_transformation_mode: 'half_pixel',
  });
}

function partOf(layers: readonly Layer[], index: number, conditioning: Conditioning | null): LayerWork {
  const { channels } = layers[index];
  if (conditioning === null) return { channels, weights: null, bias: null };
  const { mean, weights } = conditioning;
  const from = channelsOf(layers.slice(0, index));
  if (isMixing(conditioning)) {
    const values = weights.data.subarray(from * weights.columns, (from + channels) * weights.columns);
    return { channels, weights: { mixing: true, values }, bias: index === 0 ? biasOf(conditioning) : null };
  }
  const values = Float32Array.from({ length: channels }, (_, channel) => diagonal(weights, from + channel));
  const bias = values.map((value, channel) => -value * mean[from + channel]);
  return { channels, weights: { mixing: false, values }, bias };
}

/** Does a dimension of the result depend on more than its own channel? */
function isMixing(conditioning: Conditioning | null): boolean {
  if (conditioning === null) return false;
  const { data, rows, columns } = conditioning.weights;
  if (rows !== columns) return true;
  return data.some((value, place) => value !== 0 && place % (columns + 1) !== 0);
}

/** `-mean * weights`. */
function biasOf({ mean, weights: { data, rows, columns } }: Conditioning): Float32Array {
  const sums = new Float64Array(columns);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) sums[column] -= mean[row] * data[row * columns + column];
  }
  return Float32Array.from(sums);
}

function requireFit(layers: readonly Layer[], conditioning: Conditioning | null): void {
  if (layers.length === 0) throw new RangeError('patches need at least one layer');
  if (layers.some(({ stride }, index) => index > 0 && stride <= layers[index - 1].stride)) {
    throw new RangeError(`the strides ${layers.map(({ stride }) => stride)} are not in rising order`);
  }
  if (conditioning === null) return;
  const { mean, weights } = conditioning;
  const channels = channelsOf(layers);
  if (mean.length === channels && weights.rows === channels) return;
  throw new RangeError(
    `a conditioning of ${mean.length} means and ${weights.rows} rows does not fit ${channels} channels`,
  );
}

function channelsOf(layers: readonly Layer[]): number {
  return layers.reduce((sum, { channels }) => sum + channels, 0);
}

function diagonal({ data, columns }: Matrix, index: number): number {
  return data[index * columns + index];
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) result[column * rows + row] = values[row * columns + column];
  }
  return result;
}

function sliceOf(graph: GraphBuilder, shape: string, from: number, to: number): string {
  return graph.node('Slice', [shape, graph.integers([from]), graph.integers([to]), graph.integers([0])]);
}
