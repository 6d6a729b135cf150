import type { GraphBuilder } from '../onnx';
import type { BankInGraph } from './bank-storage';
import type { Matrix } from './matrix';
import { cellsApart, type PositionWindow, reaches } from './position-window';

/** Bank rows searched at a time: their distances to one picture's patches stay in the processor's cache. */
const SEARCH_BLOCK = 512;
/** Added to the squared distance of bank rows out of reach; far above any distance, far below float32's end. */
const OUT_OF_REACH = 1e30;

/**
 * Squared distance of each patch to the nearest bank row, block by block, so that the full distance matrix never exists.
 *
 * @param patches name of the patches [count, dimensions]
 * @returns name of the squared distances [count, 1], >= 0
 */
export function addSearch(
  graph: GraphBuilder,
  patches: string,
  bank: BankInGraph,
  position: PositionWindow | null,
): string {
  const nearest = position === null ? addBlocks(graph, patches, bank) : addBands(graph, patches, bank, position);
  const norms = graph.node('ReduceSumSquare', [patches], { axes: [1], keepdims: 1 });
  return graph.node('Max', [graph.node('Add', [nearest, norms]), graph.floats([], [0])]);
}

function addBlocks(graph: GraphBuilder, patches: string, { name, matrix }: BankInGraph): string {
  const norms = squaredNorms(matrix);
  const minima: string[] = [];
  for (let from = 0; from < matrix.rows; from += SEARCH_BLOCK) {
    const to = Math.min(from + SEARCH_BLOCK, matrix.rows);
    const block = addRows(graph, name, from, to);
    minima.push(addNearest(graph, patches, block, graph.floats([1, to - from], norms.subarray(from, to))));
  }
  return minima.length === 1 ? minima[0] : graph.node('Min', minima);
}

/** A few rows of the grid at a time, each with the bank rows in reach of any of its patches. */
function addBands(
  graph: GraphBuilder,
  patches: string,
  { name, matrix }: BankInGraph,
  position: PositionWindow,
): string {
  const { reach, gridRows, gridColumns } = position;
  const norms = squaredNorms(matrix);
  const reachOf = reaches(position);
  const height = Math.max(1, Math.ceil(reach));
  const minima: string[] = [];
  for (let top = 0; top < gridRows; top += height) {
    const from = top * gridColumns;
    const to = Math.min(top + height, gridRows) * gridColumns;
    const isNear = (patch: number, row: number) => cellsApart(position, patch, row) <= reachOf[patch];
    const candidates = rowsWhere(matrix.rows, (row) => {
      for (let patch = from; patch < to; patch += 1) if (isNear(patch, row)) return true;
      return false;
    });
    const levels = new Float32Array((to - from) * candidates.length);
    for (let place = 0; place < levels.length; place += 1) {
      const row = candidates[place % candidates.length];
      const patch = from + Math.floor(place / candidates.length);
      levels[place] = norms[row] + (isNear(patch, row) ? 0 : OUT_OF_REACH);
    }
    const rows = graph.node('Gather', [name, graph.integers(candidates)], { axis: 0 });
    const band = addRows(graph, patches, from, to);
    minima.push(addNearest(graph, band, rows, graph.floats([to - from, candidates.length], levels)));
  }
  return minima.length === 1 ? minima[0] : graph.node('Concat', minima, { axis: 0 });
}

/**
 * Least of `level - 2 * patch * row` over rows.
 *
 * @param levels name of what is added for each row [1, rows], or for each patch and row [count, rows]
 */
function addNearest(graph: GraphBuilder, patches: string, rows: string, levels: string): string {
  const partial = graph.node('Gemm', [patches, rows, levels], { alpha: { float: -2 }, transB: 1 });
  return graph.node('ReduceMin', [partial], { axes: [1], keepdims: 1 });
}

function addRows(graph: GraphBuilder, matrix: string, from: number, to: number): string {
  return graph.node('Slice', [matrix, graph.integers([from]), graph.integers([to]), graph.integers([0])]);
}

function rowsWhere(count: number, wanted: (row: number) => boolean): number[] {
  const rows: number[] = [];
  for (let row = 0; row < count; row += 1) if (wanted(row)) rows.push(row);
  return rows;
}

export function squaredNorms({ data, rows, columns }: Matrix): Float32Array {
  return Float32Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let column = 0; column < columns; column += 1) sum += data[row * columns + column] ** 2;
    return sum;
  });
}
