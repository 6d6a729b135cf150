import { create } from '@bufbuild/protobuf';
import { TensorProto_DataLocation, TensorProto_DataType, TensorProtoSchema } from 'onnx-buf';
import { OnnxInvalid } from './errors';
import type { OnnxTensor } from './model';

/** Element types (onnx.proto, TensorProto.DataType). */
export const DataType = {
  float: TensorProto_DataType.FLOAT,
  uint8: TensorProto_DataType.UINT8,
  int8: TensorProto_DataType.INT8,
  int32: TensorProto_DataType.INT32,
  int64: TensorProto_DataType.INT64,
  bool: TensorProto_DataType.BOOL,
  float16: TensorProto_DataType.FLOAT16,
  double: TensorProto_DataType.DOUBLE,
} as const;

/**
 * A float32 tensor. `values` is not copied.
 *
 * @param values row-major, as many as the product of `dims`
 */
export function floatTensor(name: string, dims: readonly number[], values: Float32Array): OnnxTensor {
  return rawTensor(name, dims, DataType.float, values);
}

/** An int64 tensor, as shapes and axes are. */
export function int64Tensor(name: string, dims: readonly number[], values: readonly number[]): OnnxTensor {
  return rawTensor(name, dims, DataType.int64, BigInt64Array.from(values, BigInt));
}

/**
 * A tensor of any element type. `values` is not copied.
 *
 * @param dataType one of `DataType`
 * @param values row-major, as many as the product of `dims`; float16 as a `Uint16Array` of its bits
 */
export function rawTensor(
  name: string,
  dims: readonly number[],
  dataType: number,
  values: Float32Array | Float64Array | BigInt64Array | Int32Array | Uint16Array | Int8Array | Uint8Array,
): OnnxTensor {
  const size = product(dims);
  if (size !== values.length)
    throw new RangeError(`${name} has ${values.length} values, its shape [${dims}] needs ${size}`);
  const rawData = new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
  return create(TensorProtoSchema, { name, dims: dims.map(BigInt), dataType, rawData });
}

/**
 * The numbers of a float32, double, int32 or int64 tensor, row-major.
 *
 * @throws {OnnxInvalid} for other element types, values in another file, or a size that does not fit the shape
 */
export function tensorValues(tensor: OnnxTensor): Float64Array {
  const { name } = tensor;
  if (isExternal(tensor)) throw new OnnxInvalid(`the values of ${name} lie in another file`);
  const values = numbersOf(tensor);
  const size = product(tensor.dims.map(Number));
  if (values.length !== size) throw new OnnxInvalid(`${name} has ${values.length} values, its shape needs ${size}`);
  return values;
}

/** Whether its values lie in another file. */
export function isExternal(tensor: OnnxTensor): boolean {
  return tensor.dataLocation === TensorProto_DataLocation.EXTERNAL || tensor.externalData.length > 0;
}

/** Bytes an element takes as raw data; undefined for strings, packed and unknown types. */
export function elementBytes(dataType: number): number | undefined {
  switch (dataType) {
    case TensorProto_DataType.UINT8:
    case TensorProto_DataType.INT8:
    case TensorProto_DataType.BOOL:
      return 1;
    case TensorProto_DataType.UINT16:
    case TensorProto_DataType.INT16:
    case TensorProto_DataType.FLOAT16:
    case TensorProto_DataType.BFLOAT16:
      return 2;
    case TensorProto_DataType.FLOAT:
    case TensorProto_DataType.INT32:
    case TensorProto_DataType.UINT32:
      return 4;
    case TensorProto_DataType.DOUBLE:
    case TensorProto_DataType.INT64:
    case TensorProto_DataType.UINT64:
      return 8;
    default:
      return undefined;
  }
}

export function product(dims: readonly number[]): number {
  return dims.reduce((size, dim) => size * dim, 1);
}

function numbersOf(tensor: OnnxTensor): Float64Array {
  const raw = tensor.rawData.length > 0 ? tensor.rawData.slice().buffer : undefined;
  if (raw && raw.byteLength % (elementBytes(tensor.dataType) ?? 1) !== 0) {
    throw new OnnxInvalid(`${tensor.name} is cut off`);
  }
  switch (tensor.dataType) {
    case DataType.float:
      return Float64Array.from(raw ? new Float32Array(raw) : tensor.floatData);
    case DataType.double:
      return Float64Array.from(raw ? new Float64Array(raw) : tensor.doubleData);
    case DataType.int32:
      return Float64Array.from(raw ? new Int32Array(raw) : tensor.int32Data);
    case DataType.int64:
      return Float64Array.from(raw ? new BigInt64Array(raw) : tensor.int64Data, Number);
    default:
      throw new OnnxInvalid(`${tensor.name} has the element type ${tensor.dataType}, which is not supported here`);
  }
}
