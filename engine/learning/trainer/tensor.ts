/** Numbers with a shape, row-major. */
export interface Tensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** Numbers of a model under the name they have in it. */
export interface NamedValues {
  readonly name: string;
  readonly data: Float32Array;
}

export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((size, dim) => size * dim, 1);
}
