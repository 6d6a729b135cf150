import type {
  AttributeProto,
  GraphProto,
  ModelProto,
  NodeProto,
  TensorProto,
  TensorShapeProto,
  TensorShapeProto_Dimension,
  TypeProto,
  ValueInfoProto,
} from 'onnx-buf';

/** A message as it is read: nobody changes it in place. */
type Frozen<T> = T extends bigint | number | string | boolean | undefined | Uint8Array
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Frozen<Item>[]
    : { readonly [Key in keyof T]: Frozen<T[Key]> };

/** The messages of onnx.proto. Field names are the format's own in camel case; int64 is bigint. */
export type OnnxModel = Frozen<ModelProto>;
/** Its nodes stand in an order in which each follows those it needs. */
export type OnnxGraph = Frozen<GraphProto>;
/** An empty name among its inputs stands for one left out. */
export type OnnxNode = Frozen<NodeProto>;
export type OnnxAttribute = Frozen<AttributeProto>;
/** `rawData` is little endian, row-major. */
export type OnnxTensor = Frozen<TensorProto>;
export type OnnxValueInfo = Frozen<ValueInfoProto>;
export type OnnxType = Frozen<TypeProto>;
export type OnnxShape = Frozen<TensorShapeProto>;
export type OnnxDimension = Frozen<TensorShapeProto_Dimension>;

/** A copy of a message with some fields replaced; unknown fields and unset ones stay so. */
export function changed<T extends object>(message: T, changes: { readonly [Key in keyof T]?: T[Key] }): T {
  return Object.assign(Object.create(Object.getPrototypeOf(message)), message, changes);
}
