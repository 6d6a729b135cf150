import { DataType, type GraphBuilder } from '../onnx';

/** Bank rows compete only for patches near the place they were taken from: for parts in a fixed position. */
export interface PositionWindow {
  /** Grid cells, across, down and diagonal; 0 is the same cell only. */
  readonly reach: number;
  readonly gridRows: number;
  readonly gridColumns: number;
  /** Grid row of each bank row. */
  readonly bankRows: ArrayLike<number>;
  /** Grid column of each bank row. */
  readonly bankColumns: ArrayLike<number>;
}

/**
 * How far each patch looks: the reach, or, where no bank row is that near, as far as the nearest ones.
 *
 * @returns one a patch of the grid, row-major
 */
export function reaches(window: PositionWindow): Float32Array {
  const { reach, gridRows, gridColumns, bankRows } = window;
  const count = gridRows * gridColumns;
  const result = new Float32Array(count).fill(Number.POSITIVE_INFINITY);
  for (let patch = 0; patch < count; patch += 1) {
    for (let row = 0; row < bankRows.length && result[patch] > reach; row += 1) {
      result[patch] = Math.max(reach, Math.min(result[patch], cellsApart(window, patch, row)));
    }
  }
  return result;
}

/** Grid cells between a patch and the place of a bank row: the longer of across and down. */
export function cellsApart(window: PositionWindow, patch: number, bankRow: number): number {
  const row = Math.floor(patch / window.gridColumns);
  const column = patch - row * window.gridColumns;
  return Math.max(Math.abs(window.bankRows[bankRow] - row), Math.abs(window.bankColumns[bankRow] - column));
}

/**
 * Adds nodes that tell which bank rows are out of a patch's reach. What is known beforehand is computed when ONNX Runtime
 * loads the graph, and takes no room in the file.
 *
 * @param patches name of indices into the grid, int64 [count, 1]
 * @param reach   name of how far each of these patches looks [count, 1]
 * @param rows    bank rows asked for
 * @returns name of the answers, bool [count, rows]
 */
export function addOutOfReach(
  graph: GraphBuilder,
  { gridColumns, bankRows, bankColumns }: PositionWindow,
  patches: string,
  reach: string,
  rows: readonly number[],
): string {
  const columns = graph.integers([gridColumns]);
  const apart = (places: ArrayLike<number>, own: string) => {
    const constants = graph.floats(
      [1, rows.length],
      rows.map((row) => places[row]),
    );
    return graph.node('Abs', [graph.node('Sub', [constants, graph.node('Cast', [own], { to: DataType.float })])]);
  };
  const down = apart(bankRows, graph.node('Div', [patches, columns]));
  const across = apart(bankColumns, graph.node('Mod', [patches, columns]));
  return graph.node('Greater', [graph.node('Max', [down, across]), reach]);
}

/** @throws {RangeError} when a place is missing or outside the grid */
export function requirePlaces(window: PositionWindow, bankSize: number): void {
  const { reach, gridRows, gridColumns, bankRows, bankColumns } = window;
  if (!(reach >= 0)) throw new RangeError(`a reach of ${reach} grid cells is no number from 0`);
  if (bankRows.length !== bankSize || bankColumns.length !== bankSize) {
    throw new RangeError(`${bankRows.length} rows and ${bankColumns.length} columns given for ${bankSize} bank rows`);
  }
  for (let row = 0; row < bankSize; row += 1) {
    if (bankRows[row] >= 0 && bankRows[row] < gridRows && bankColumns[row] >= 0 && bankColumns[row] < gridColumns)
      continue;
    const place = `${bankRows[row]}, ${bankColumns[row]}`;
    throw new RangeError(`bank row ${row} lies at ${place}, outside the grid of ${gridRows} x ${gridColumns}`);
  }
}
