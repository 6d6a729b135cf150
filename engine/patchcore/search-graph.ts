import type { GraphBuilder } from '../onnx';
import type { BankInGraph } from './bank-storage';
import type { Matrix } from './matrix';
import { addOutOfReach, cellsApart, type PositionWindow, reaches } from './position-window';

/**
 * Bank rows searched at a time: their distances to one picture's patches stay in the processor's cache. From 128 to 512 it is
 * all the same up to a thousand patches; with 4,000 and more, 256 took two thirds of the time of 512.
 */
const SEARCH_BLOCK = 256;
/** Added to the squared distance of bank rows out of reach; far above any distance, far below float32's end. */
const OUT_OF_REACH = 1e30;

/**
 * Squared distance of each patch to the nearest bank row, block by block, so that the full distance matrix never exists.
 *
 * With spacing, distances to a row are divided by the row's spacing before the nearest is chosen: multiplied out, that is
 * one more column for the patch's squared norm.
 *
 * @param patches name of the patches [count, dimensions]
 * @param spacing of each bank row; null: all distances count alike
 * @returns name of the squared distances [count, 1], >= 0
 */
export function addSearch(
  graph: GraphBuilder,
  patches: string,
  bank: BankInGraph,
  position: PositionWindow | null,
  spacing: Float32Array | null,
): string {
  const norms = graph.node('ReduceSumSquare', [patches], { axes: [1], keepdims: 1 });
  const levels = squaredNorms(bank.matrix);
  const plain = spacing === null ? { patches, rows: bank.name, alpha: -2, levels, count: bank.matrix.rows } : null;
  const compared = plain ?? spaced(graph, patches, norms, bank, levels, spacing as Float32Array);
  const nearest = position === null ? addBlocks(graph, compared) : addBands(graph, compared, position);
  const squared = plain === null ? nearest : graph.node('Add', [nearest, norms]);
  return graph.node('Max', [squared, graph.floats([], [0])]);
}

/** What is multiplied: `alpha * patches * rows' + levels`. */
interface Compared {
  readonly patches: string;
  readonly rows: string;
  readonly alpha: number;
  readonly levels: Float32Array;
  /** Bank rows. */
  readonly count: number;
}

function spaced(
  graph: GraphBuilder,
  patches: string,
  norms: string,
  bank: BankInGraph,
  levels: Float32Array,
  spacing: Float32Array,
): Compared {
  const weights = squaredWeights(spacing);
  const scaled = graph.node('Mul', [
    bank.name,
    graph.floats(
      [spacing.length, 1],
      weights.map((weight) => -2 * weight),
    ),
  ]);
  return {
    patches: graph.node('Concat', [patches, norms], { axis: 1 }),
    rows: graph.node('Concat', [scaled, graph.floats([spacing.length, 1], weights)], { axis: 1 }),
    alpha: 1,
    levels: levels.map((level, row) => level * weights[row]),
    count: spacing.length,
  };
}

/** What a squared distance to each row is multiplied with. */
export function squaredWeights(spacing: Float32Array): Float32Array {
  return spacing.map((value) => 1 / (value * value));
}

function addBlocks(graph: GraphBuilder, { patches, rows, alpha, levels, count }: Compared): string {
  const minima: string[] = [];
  for (let from = 0; from < count; from += SEARCH_BLOCK) {
    const to = Math.min(from + SEARCH_BLOCK, count);
    const block = addRows(graph, rows, from, to);
    const biases = graph.floats([1, to - from], levels.subarray(from, to));
    minima.push(addNearest(graph, patches, block, biases, alpha));
  }
  return minima.length === 1 ? minima[0] : graph.node('Min', minima);
}

/** A few rows of the grid at a time, each with the bank rows in reach of any of its patches. */
function addBands(graph: GraphBuilder, compared: Compared, position: PositionWindow): string {
  const { patches, alpha, count } = compared;
  const { reach, gridRows, gridColumns } = position;
  const reachOf = reaches(position);
  const height = Math.max(1, Math.ceil(reach));
  const minima: string[] = [];
  for (let top = 0; top < gridRows; top += height) {
    const from = top * gridColumns;
    const to = Math.min(top + height, gridRows) * gridColumns;
    const isNear = (patch: number, row: number) => cellsApart(position, patch, row) <= reachOf[patch];
    const own = range(from, to);
    const candidates = range(0, count).filter((row) => own.some((patch) => isNear(patch, row)));
    const levels = graph.floats(
      [1, candidates.length],
      candidates.map((row) => compared.levels[row]),
    );
    const places = graph.node('Unsqueeze', [graph.integers(own), graph.integers([1])]);
    const reachOfOwn = graph.floats([to - from, 1], reachOf.subarray(from, to));
    const isFar = addOutOfReach(graph, position, places, reachOfOwn, candidates);
    const within = graph.node('Where', [isFar, graph.floats([], [OUT_OF_REACH]), levels]);
    const rows = graph.node('Gather', [compared.rows, graph.integers(candidates)], { axis: 0 });
    const band = addRows(graph, patches, from, to);
    minima.push(addNearest(graph, band, rows, within, alpha));
  }
  return minima.length === 1 ? minima[0] : graph.node('Concat', minima, { axis: 0 });
}

/**
 * Least of `alpha * patch * row + level` over rows.
 *
 * @param levels name of what is added for each row [1, rows], or for each patch and row [count, rows]
 */
function addNearest(graph: GraphBuilder, patches: string, rows: string, levels: string, alpha: number): string {
  const partial = graph.node('Gemm', [patches, rows, levels], { alpha: { float: alpha }, transB: 1 });
  return graph.node('ReduceMin', [partial], { axes: [1], keepdims: 1 });
}

function addRows(graph: GraphBuilder, matrix: string, from: number, to: number): string {
  return graph.node('Slice', [matrix, graph.integers([from]), graph.integers([to]), graph.integers([0])]);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

export function squaredNorms({ data, rows, columns }: Matrix): Float32Array {
  return Float32Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let column = 0; column < columns; column += 1) sum += data[row * columns + column] ** 2;
    return sum;
  });
}
