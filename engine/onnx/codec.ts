import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { type ModelProto, ModelProtoSchema } from 'onnx-buf';
import { OnnxInvalid } from './errors';
import type { OnnxModel } from './model';
import { refuseHugeMessages } from './weight';

/** Larger files are refused before they are parsed: protobuf itself ends at 2 GiB. */
const MAXIMUM_BYTES = 1 << 30;
/** Messages within messages: an ordinary graph needs 5, one branch of control flow 3 more. */
const MAXIMUM_DEPTH = 40;

/**
 * Parses an ONNX model. Raw tensor data is not copied: the model refers to `bytes`.
 *
 * @throws {OnnxInvalid} when the bytes are no protobuf, hold no graph, or are made to fill the memory
 */
export function readModel(bytes: Uint8Array): OnnxModel {
  if (bytes.length > MAXIMUM_BYTES) {
    throw new OnnxInvalid(`it has ${bytes.length} bytes, at most ${MAXIMUM_BYTES} are read`);
  }
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const model = parsed(() => {
    refuseHugeMessages(plain);
    return fromBinary(ModelProtoSchema, plain, { recursionLimit: MAXIMUM_DEPTH });
  });
  if (model.graph === undefined || model.irVersion <= 0n || model.opsetImport.length === 0) {
    throw new OnnxInvalid('it holds no ONNX graph');
  }
  return model;
}

/** Serialises a model: fields in the order of their numbers, as Google's protobuf writes them. */
export function writeModel(value: OnnxModel): Uint8Array {
  return toBinary(ModelProtoSchema, value as ModelProto);
}

function parsed(read: () => ModelProto): OnnxModel {
  try {
    return read();
  } catch (error) {
    if (error instanceof OnnxInvalid) throw error;
    throw new OnnxInvalid(`it is damaged, or no ONNX file (${(error as Error).message})`);
  }
}
