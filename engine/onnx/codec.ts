import { OnnxInvalid } from './errors';
import type { OnnxModel } from './model';
import { WireReader, WireType, WireWriter } from './wire';

type Scalar = 'int' | 'bigint' | 'float' | 'double' | 'string' | 'bytes';

interface Field {
  readonly number: number;
  readonly kind: Scalar | (() => Schema);
  readonly repeated?: boolean;
  readonly packed?: boolean;
}

type Schema = Readonly<Record<string, Field>>;
type Message = Record<string, unknown>;

const one = (number: number, kind: Field['kind']): Field => ({ number, kind });
const many = (number: number, kind: Field['kind']): Field => ({ number, kind, repeated: true });
const packed = (number: number, kind: Field['kind']): Field => ({ number, kind, repeated: true, packed: true });

/** Field numbers and kinds as in onnx.proto of ONNX 1.16. */
const entry: Schema = { key: one(1, 'string'), value: one(2, 'string') };
const operatorSet: Schema = { domain: one(1, 'string'), version: one(2, 'int') };
const dimension: Schema = { dimValue: one(1, 'int'), dimParam: one(2, 'string'), denotation: one(3, 'string') };
const shape: Schema = { dim: many(1, () => dimension) };
const tensorType: Schema = { elemType: one(1, 'int'), shape: one(2, () => shape) };
const type: Schema = { tensorType: one(1, () => tensorType), denotation: one(6, 'string') };
const valueInfo: Schema = { name: one(1, 'string'), type: one(2, () => type), docString: one(3, 'string') };
const tensor: Schema = {
  dims: many(1, 'int'),
  dataType: one(2, 'int'),
  floatData: packed(4, 'float'),
  int32Data: packed(5, 'bigint'),
  stringData: many(6, 'bytes'),
  int64Data: packed(7, 'bigint'),
  name: one(8, 'string'),
  rawData: one(9, 'bytes'),
  doubleData: packed(10, 'double'),
  uint64Data: packed(11, 'bigint'),
  docString: one(12, 'string'),
  externalData: many(13, () => entry),
  dataLocation: one(14, 'int'),
};
const attribute: Schema = {
  name: one(1, 'string'),
  f: one(2, 'float'),
  i: one(3, 'bigint'),
  s: one(4, 'bytes'),
  t: one(5, () => tensor),
  g: one(6, () => graph),
  floats: many(7, 'float'),
  ints: many(8, 'bigint'),
  strings: many(9, 'bytes'),
  tensors: many(10, () => tensor),
  graphs: many(11, () => graph),
  docString: one(13, 'string'),
  type: one(20, 'int'),
};
const node: Schema = {
  input: many(1, 'string'),
  output: many(2, 'string'),
  name: one(3, 'string'),
  opType: one(4, 'string'),
  attribute: many(5, () => attribute),
  docString: one(6, 'string'),
  domain: one(7, 'string'),
};
const graph: Schema = {
  node: many(1, () => node),
  name: one(2, 'string'),
  initializer: many(5, () => tensor),
  docString: one(10, 'string'),
  input: many(11, () => valueInfo),
  output: many(12, () => valueInfo),
  valueInfo: many(13, () => valueInfo),
};
const model: Schema = {
  irVersion: one(1, 'int'),
  producerName: one(2, 'string'),
  producerVersion: one(3, 'string'),
  domain: one(4, 'string'),
  modelVersion: one(5, 'bigint'),
  docString: one(6, 'string'),
  graph: one(7, () => graph),
  opsetImport: many(8, () => operatorSet),
  metadataProps: many(14, () => entry),
};

const MAXIMUM_DEPTH = 64;

/**
 * Parses an ONNX model. Tensor data is not copied: the model refers to `bytes`.
 *
 * @throws {OnnxInvalid} when the bytes are no protobuf or hold no graph
 */
export function readModel(bytes: Uint8Array): OnnxModel {
  const result = decode(model, bytes, 0) as unknown as OnnxModel;
  if (result.graph === undefined || result.irVersion === undefined || result.opsetImport.length === 0) {
    throw new OnnxInvalid('it holds no ONNX graph');
  }
  return result;
}

/** Serialises a model: fields in the order of their numbers, as Google's protobuf writes them. */
export function writeModel(value: OnnxModel): Uint8Array {
  return encode(model, value as unknown as Message).finish();
}

const fieldTables = new Map<Schema, Map<number, [string, Field]>>();

function fieldsOf(schema: Schema): Map<number, [string, Field]> {
  let table = fieldTables.get(schema);
  if (table === undefined) {
    table = new Map(Object.entries(schema).map(([name, field]) => [field.number, [name, field]]));
    fieldTables.set(schema, table);
  }
  return table;
}

function decode(schema: Schema, bytes: Uint8Array, depth: number): Message {
  if (depth > MAXIMUM_DEPTH) throw new OnnxInvalid('it is nested too deeply');
  const message: Message = {};
  for (const [name, field] of Object.entries(schema)) if (field.repeated) message[name] = [];
  const fields = fieldsOf(schema);
  const reader = new WireReader(bytes);
  while (!reader.done) {
    const start = reader.offset;
    const { field: number, wire } = reader.tag();
    const known = fields.get(number);
    if (known === undefined) {
      reader.skip(wire);
      message.unknownFields ??= [];
      (message.unknownFields as Uint8Array[]).push(reader.since(start));
      continue;
    }
    const [name, field] = known;
    if (!field.repeated) {
      message[name] = decodeValue(field.kind, reader, wire, depth);
    } else if (wire === WireType.bytes && wireTypeOf(field.kind) !== WireType.bytes) {
      const values = message[name] as unknown[];
      const inner = new WireReader(reader.bytes());
      while (!inner.done) values.push(decodeValue(field.kind, inner, wireTypeOf(field.kind), depth));
    } else {
      (message[name] as unknown[]).push(decodeValue(field.kind, reader, wire, depth));
    }
  }
  return message;
}

function decodeValue(kind: Field['kind'], reader: WireReader, wire: number, depth: number): unknown {
  if (wire !== wireTypeOf(kind)) throw new OnnxInvalid(`a field has wire type ${wire}, not ${wireTypeOf(kind)}`);
  if (typeof kind === 'function') return decode(kind(), reader.bytes(), depth + 1);
  switch (kind) {
    case 'int':
      return Number(BigInt.asIntN(64, reader.varint()));
    case 'bigint':
      return BigInt.asIntN(64, reader.varint());
    case 'float':
      return reader.float();
    case 'double':
      return reader.double();
    case 'string':
      return Buffer.from(reader.bytes()).toString('utf8');
    case 'bytes':
      return reader.bytes();
  }
}

function encode(schema: Schema, message: Message): WireWriter {
  const writer = new WireWriter();
  for (const [name, field] of Object.entries(schema)) {
    const value = message[name];
    if (value === undefined) continue;
    if (!field.repeated) {
      encodeValue(writer, field, value);
    } else if (!field.packed) {
      for (const item of value as readonly unknown[]) encodeValue(writer, field, item);
    } else if ((value as readonly unknown[]).length > 0) {
      const body = new WireWriter();
      for (const item of value as readonly unknown[]) encodeScalar(body, field.kind as Scalar, item);
      writer.tag(field.number, WireType.bytes);
      writer.message(body);
    }
  }
  for (const bytes of (message.unknownFields as Uint8Array[] | undefined) ?? []) writer.raw(bytes);
  return writer;
}

function encodeValue(writer: WireWriter, field: Field, value: unknown): void {
  writer.tag(field.number, wireTypeOf(field.kind));
  if (typeof field.kind === 'function') writer.message(encode(field.kind(), value as Message));
  else encodeScalar(writer, field.kind, value);
}

function encodeScalar(writer: WireWriter, kind: Scalar, value: unknown): void {
  if (kind === 'int' || kind === 'bigint') writer.varint(BigInt(value as number | bigint));
  else if (kind === 'float') writer.float(value as number);
  else if (kind === 'double') writer.double(value as number);
  else if (kind === 'string') writer.bytes(Buffer.from(value as string, 'utf8'));
  else writer.bytes(value as Uint8Array);
}

function wireTypeOf(kind: Field['kind']): number {
  if (kind === 'int' || kind === 'bigint') return WireType.varint;
  if (kind === 'float') return WireType.fixed32;
  return kind === 'double' ? WireType.fixed64 : WireType.bytes;
}
