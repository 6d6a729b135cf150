import { DataType, GraphBuilder, writeModel } from '../onnx';
import { addBank, type BankInGraph, type BankStorage } from './bank-storage';
import { addMap } from './map-graph';
import type { Matrix } from './matrix';
import { addNeck, type Conditioning, dimensionsOf, type Layer } from './neck-graph';
import { addOutOfReach, type PositionWindow, reaches, requirePlaces } from './position-window';
import { addSearch, squaredNorms, squaredWeights } from './search-graph';

/** A memory bank, and how patches are compared with it. */
export interface BankSearch {
  /** One conditioned patch a row. */
  readonly bank: Matrix;
  /** Distances to a row are divided by its spacing; all count alike without. */
  readonly spacing?: Float32Array;
  /** Input pixels a cell of the grid of patches. */
  readonly stride: number;
  /** Standard deviation of the map's gaussian, in input pixels. */
  readonly sigma: number;
  /** Only bank rows from nearby places compete; where none is in reach, the nearest places do. */
  readonly position?: PositionWindow;
  /** Give out `reweighted`, with so many neighbours in the bank, at least 2 and at most the bank's rows. */
  readonly neighbours?: number;
  /** float32 unless told. */
  readonly storage?: BankStorage;
}

export interface Head extends Omit<BankSearch, 'stride'> {
  /** Finest first. */
  readonly layers: readonly Layer[];
  readonly conditioning: Conditioning | null;
}

/**
 * What makes a part type: the memory bank with the nearest-neighbour search and the map compiled in.
 *
 * Inputs: the backbone's `stride8`, `stride16`, ... [1, channels, rows, columns], and `counts` [1, 1, rows, columns] of the
 * finest layer: 1 for patches that count and 0 for others. Outputs, all float32:
 * - `distances` [1, 1, rows, columns]: of each patch to the nearest bank row, 0 where it does not count
 * - `map` [1, 1, height, width]: the distances upsampled to input pixels and smoothed
 * - `worst` [2]: the patch with the greatest distance, and its nearest bank row
 * - `reweighted` [1]: the distance of the worst patch, lowered where its nearest bank row is itself far from its neighbours;
 *   0 when no patch counts
 *
 * @throws {RangeError} when sizes do not fit each other
 * @see Roth et al. 2022, "Towards Total Recall in Industrial Anomaly Detection", sections 3.2 and 3.3, equations 6 and 7
 */
export function headGraph(head: Head): Uint8Array {
  const { layers, conditioning } = head;
  const dimensions = dimensionsOf(layers, conditioning);
  if (head.bank.columns !== dimensions) {
    throw new RangeError(`the bank's rows have ${head.bank.columns} numbers, the patches ${dimensions}`);
  }
  const graph = new GraphBuilder('head');
  addBankSearch(graph, addNeck(graph, layers, conditioning), { ...head, stride: layers[0].stride });
  return writeModel(graph.build());
}

/**
 * A head for patches that are conditioned already: input `patches` [rows x columns, dimensions] in place of the backbone's
 * features, otherwise as `headGraph`.
 *
 * @throws {RangeError} when sizes do not fit each other
 */
export function searchGraph(search: BankSearch): Uint8Array {
  const graph = new GraphBuilder('search');
  addBankSearch(graph, graph.input('patches', ['patches', search.bank.columns]), search);
  return writeModel(graph.build());
}

function addBankSearch(graph: GraphBuilder, patches: string, search: BankSearch): void {
  const { stride, sigma, position = null, spacing = null, neighbours } = search;
  requireFit(search);
  const counts = graph.input('counts', [1, 1, `rows${stride}`, `columns${stride}`]);
  const bank = addBank(graph, search.bank, search.storage ?? 'float32');
  const squared = addSearch(graph, patches, bank, position, spacing);
  const every = graph.node('Reshape', [graph.node('Sqrt', [squared]), graph.node('Shape', [counts])]);
  const distances = graph.node('Mul', [every, counts]);
  graph.output('distances', distances, [1, 1, `rows${stride}`, `columns${stride}`]);
  graph.output('map', addMap(graph, distances, stride, sigma), [1, 1, 'height', 'width']);

  const worst = addWorst(graph, patches, distances, bank, position, spacing);
  const pair = graph.node('Concat', [worst.patch, worst.row], { axis: 0 });
  graph.output('worst', graph.node('Cast', [pair], { to: DataType.float }), [2]);
  if (neighbours === undefined) return;
  const reweighted = addReweighting(graph, worst, bank, neighbours);
  const isCounted = graph.node('Gather', [graph.node('Reshape', [counts, graph.integers([-1])]), worst.patch]);
  graph.output('reweighted', graph.node('Mul', [reweighted, isCounted]), [1]);
}

interface Worst {
  /** Index of the patch [1]. */
  readonly patch: string;
  /** Index of its nearest bank row [1]. */
  readonly row: string;
  /** Its squared distances to all bank rows [rows, 1]. */
  readonly squared: string;
}

/** The patch with the greatest distance. Its distances to the bank are the sums of squared differences, free of cancellation. */
function addWorst(
  graph: GraphBuilder,
  patches: string,
  distances: string,
  bank: BankInGraph,
  position: PositionWindow | null,
  spacing: Float32Array | null,
): Worst {
  const flat = graph.node('Reshape', [distances, graph.integers([-1])]);
  const patch = graph.node('ArgMax', [flat], { axis: 0, keepdims: 1 });
  const difference = graph.node('Sub', [bank.name, graph.node('Gather', [patches, patch], { axis: 0 })]);
  const plain = graph.node('ReduceSumSquare', [difference], { axes: [1], keepdims: 1 });
  const squared =
    spacing === null ? plain : graph.node('Mul', [plain, graph.floats([spacing.length, 1], squaredWeights(spacing))]);
  const within = position === null ? squared : addWindow(graph, squared, patch, position);
  const row = graph.node('Reshape', [graph.node('ArgMin', [within], { axis: 0, keepdims: 0 }), graph.integers([1])]);
  return { patch, row, squared };
}

/** Squared distances with those of bank rows out of the patch's reach made huge. */
function addWindow(graph: GraphBuilder, squared: string, patch: string, position: PositionWindow): string {
  const { gridRows, gridColumns, bankRows } = position;
  const column = graph.integers([-1, 1]);
  const own = graph.node('Reshape', [patch, column]);
  const reach = graph.node('Gather', [graph.floats([gridRows * gridColumns], reaches(position)), own]);
  const rows = Array.from({ length: bankRows.length }, (_, row) => row);
  const isFar = graph.node('Reshape', [addOutOfReach(graph, position, own, reach, rows), column]);
  return graph.node('Where', [isFar, graph.floats([], [3e38]), squared]);
}

/**
 * `(1 - exp(s) / sum over m of exp(|patch - m|)) * s` with `s` the patch's distance to its nearest bank row, and `m` that
 * row's nearest rows in the bank, itself included: equation 7, with the exponentials in a form that cannot overflow.
 */
function addReweighting(graph: GraphBuilder, worst: Worst, { name, matrix }: BankInGraph, neighbours: number): string {
  const row = graph.node('Gather', [name, worst.row], { axis: 0 });
  const products = graph.node('MatMul', [name, graph.node('Transpose', [row], { perm: [1, 0] })]);
  const levels = graph.floats([matrix.rows, 1], squaredNorms(matrix));
  const apart = graph.node('Sub', [levels, graph.node('Mul', [products, graph.floats([], [2])])]);
  const [, closest] = graph.nodes('TopK', [apart, graph.integers([neighbours])], 2, { axis: 0, largest: 0 });
  const distances = graph.node('Reshape', [graph.node('Sqrt', [worst.squared]), graph.integers([-1])]);
  const own = graph.node('Gather', [distances, worst.row], { axis: 0 });
  const others = graph.node('Gather', [distances, graph.node('Reshape', [closest, graph.integers([-1])])], { axis: 0 });
  const sum = graph.node('ReduceSum', [graph.node('Exp', [graph.node('Sub', [others, own])])], { keepdims: 1 });
  const share = graph.node('Reciprocal', [sum]);
  return graph.node('Mul', [own, graph.node('Sub', [graph.floats([1], [1]), share])]);
}

function requireFit({ bank, spacing, sigma, position, neighbours }: BankSearch): void {
  if (bank.rows < 1) throw new RangeError('a memory bank needs at least one row');
  if (spacing && spacing.length !== bank.rows) {
    throw new RangeError(`${spacing.length} spacings given for ${bank.rows} bank rows`);
  }
  if (!(sigma > 0)) throw new RangeError(`the map's sigma ${sigma} is not above 0`);
  if (position) requirePlaces(position, bank.rows);
  if (neighbours === undefined) return;
  if (!(Number.isInteger(neighbours) && neighbours >= 2 && neighbours <= bank.rows)) {
    throw new RangeError(`${neighbours} neighbours cannot be taken from a bank of ${bank.rows} rows; take 2 or more`);
  }
}
