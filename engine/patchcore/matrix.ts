/** Rows of float32 numbers, row-major; of a larger buffer only the first `rows` count. */
export interface Matrix {
  readonly data: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

/** The rows `from` (inclusive) to `to` (exclusive), not copied. */
export function rowsBetween(matrix: Matrix, from: number, to: number): Float32Array {
  return matrix.data.subarray(from * matrix.columns, to * matrix.columns);
}

/** Copies of the rows with the given indices, in their order. */
export function takeRows(matrix: Matrix, indices: ArrayLike<number>): Matrix {
  const data = new Float32Array(indices.length * matrix.columns);
  for (let row = 0; row < indices.length; row += 1) {
    data.set(rowsBetween(matrix, indices[row], indices[row] + 1), row * matrix.columns);
  }
  return { data, rows: indices.length, columns: matrix.columns };
}
