import { OnnxInvalid } from './errors';
import type { OnnxTensor } from './model';

/** Element types (onnx.proto, TensorProto.DataType). */
export const DataType = { float: 1, int32: 6, int64: 7, bool: 9, float16: 10, double: 11 } as const;

const emptyTensor = {
  floatData: [],
  int32Data: [],
  stringData: [],
  int64Data: [],
  doubleData: [],
  uint64Data: [],
  externalData: [],
} as const;

/**
 * A float32 tensor. `values` is not copied.
 *
 * @param values row-major, as many as the product of `dims`
 */
export function floatTensor(name: string, dims: readonly number[], values: Float32Array): OnnxTensor {
  requireSize(name, dims, values.length);
  const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { ...emptyTensor, name, dims, dataType: DataType.float, rawData };
}

/** An int64 tensor, as shapes and axes are. */
export function int64Tensor(name: string, dims: readonly number[], values: readonly number[]): OnnxTensor {
  requireSize(name, dims, values.length);
  const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return { ...emptyTensor, name, dims, dataType: DataType.int64, rawData };
}

/**
 * The numbers of a float32, double, int32 or int64 tensor, row-major.
 *
 * @throws {OnnxInvalid} for other element types, values in another file, or a size that does not fit the shape
 */
export function tensorValues(tensor: OnnxTensor): Float64Array {
  const name = tensor.name ?? 'tensor';
  if (tensor.dataLocation === 1) throw new OnnxInvalid(`the values of ${name} lie in another file`);
  const values = numbersOf(tensor, name);
  const size = tensor.dims.reduce((product, dim) => product * dim, 1);
  if (values.length !== size) throw new OnnxInvalid(`${name} has ${values.length} values, its shape needs ${size}`);
  return values;
}

function numbersOf(tensor: OnnxTensor, name: string): Float64Array {
  const raw = tensor.rawData && tensor.rawData.length > 0 ? tensor.rawData.slice().buffer : undefined;
  if (raw && raw.byteLength % elementBytes(tensor, name) !== 0) throw new OnnxInvalid(`${name} is cut off`);
  switch (tensor.dataType) {
    case DataType.float:
      return Float64Array.from(raw ? new Float32Array(raw) : tensor.floatData);
    case DataType.double:
      return Float64Array.from(raw ? new Float64Array(raw) : tensor.doubleData);
    case DataType.int32:
      return Float64Array.from(raw ? new Int32Array(raw) : tensor.int32Data.map(Number));
    default:
      return Float64Array.from(raw ? [...new BigInt64Array(raw)].map(Number) : tensor.int64Data.map(Number));
  }
}

function elementBytes(tensor: OnnxTensor, name: string): number {
  if (tensor.dataType === DataType.float || tensor.dataType === DataType.int32) return 4;
  if (tensor.dataType === DataType.double || tensor.dataType === DataType.int64) return 8;
  throw new OnnxInvalid(`${name} has the element type ${tensor.dataType}, which is not supported here`);
}

function requireSize(name: string, dims: readonly number[], length: number): void {
  const size = dims.reduce((product, dim) => product * dim, 1);
  if (size !== length) throw new RangeError(`${name} has ${length} values, its shape [${dims}] needs ${size}`);
}
