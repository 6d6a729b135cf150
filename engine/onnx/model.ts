/**
 * The parts of the ONNX format (onnx.proto, IR version 3 and later) that this room reads and edits. Field names are the
 * format's own in camel case. What a newer format adds travels along in `unknownFields`.
 */
interface Message {
  readonly unknownFields?: readonly Uint8Array[];
}

export interface OnnxModel extends Message {
  readonly irVersion?: number;
  readonly producerName?: string;
  readonly producerVersion?: string;
  readonly domain?: string;
  readonly modelVersion?: bigint;
  readonly docString?: string;
  readonly graph?: OnnxGraph;
  readonly opsetImport: readonly OperatorSet[];
  readonly metadataProps: readonly Entry[];
}

export interface OperatorSet extends Message {
  /** Empty for ONNX's own operators. */
  readonly domain?: string;
  readonly version?: number;
}

export interface Entry extends Message {
  readonly key?: string;
  readonly value?: string;
}

export interface OnnxGraph extends Message {
  /** In an order in which each node follows those it needs. */
  readonly node: readonly OnnxNode[];
  readonly name?: string;
  readonly initializer: readonly OnnxTensor[];
  readonly docString?: string;
  readonly input: readonly OnnxValueInfo[];
  readonly output: readonly OnnxValueInfo[];
  readonly valueInfo: readonly OnnxValueInfo[];
}

export interface OnnxNode extends Message {
  /** An empty name stands for an input left out. */
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly name?: string;
  readonly opType?: string;
  readonly attribute: readonly OnnxAttribute[];
  readonly docString?: string;
  readonly domain?: string;
}

export interface OnnxAttribute extends Message {
  readonly name?: string;
  readonly f?: number;
  readonly i?: bigint;
  readonly s?: Uint8Array;
  readonly t?: OnnxTensor;
  readonly g?: OnnxGraph;
  readonly floats: readonly number[];
  readonly ints: readonly bigint[];
  readonly strings: readonly Uint8Array[];
  readonly tensors: readonly OnnxTensor[];
  readonly graphs: readonly OnnxGraph[];
  readonly docString?: string;
  /** `AttributeType`. */
  readonly type?: number;
}

/** Which of an attribute's fields holds its value. */
export const AttributeType = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const;

export interface OnnxTensor extends Message {
  readonly dims: readonly number[];
  /** `DataType`. */
  readonly dataType?: number;
  readonly floatData: readonly number[];
  readonly int32Data: readonly bigint[];
  readonly stringData: readonly Uint8Array[];
  readonly int64Data: readonly bigint[];
  readonly name?: string;
  /** Little endian, row-major. */
  readonly rawData?: Uint8Array;
  readonly doubleData: readonly number[];
  readonly uint64Data: readonly bigint[];
  readonly docString?: string;
  readonly externalData: readonly Entry[];
  /** 1: the values lie in another file. */
  readonly dataLocation?: number;
}

export interface OnnxValueInfo extends Message {
  readonly name?: string;
  readonly type?: OnnxType;
  readonly docString?: string;
}

export interface OnnxType extends Message {
  /** Missing for sequences, maps and the like. */
  readonly tensorType?: OnnxTensorType;
  readonly denotation?: string;
}

export interface OnnxTensorType extends Message {
  readonly elemType?: number;
  /** Missing when even the rank is unknown. */
  readonly shape?: OnnxShape;
}

export interface OnnxShape extends Message {
  readonly dim: readonly OnnxDimension[];
}

export interface OnnxDimension extends Message {
  readonly dimValue?: number;
  readonly dimParam?: string;
  readonly denotation?: string;
}
