import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { OnnxInvalid } from './errors';

/** Fields of all messages together; a network of 1,000 layers has some 30,000. */
const MAXIMUM_FIELDS = 1_000_000;
/** Bytes of numbers listed one by one instead of as raw data: each takes several times as much once read. */
const MAXIMUM_LISTED = 1 << 28;

/** The messages (by field number) within a message in which much can stand; everything else is one field. */
interface Inner {
  readonly [field: number]: Inner;
}
interface Open extends Inner {
  [field: number]: Inner;
}
const tensor: Inner = {};
const graph: Open = {};
const attribute: Inner = { 5: tensor, 6: graph, 10: tensor, 11: graph };
const node: Inner = { 5: attribute };
graph[1] = node;
graph[5] = tensor;
const model: Inner = { 7: graph };

const LISTED = new Set([4, 5, 7, 10, 11]);
const MAXIMUM_DEPTH = 40;

/**
 * Looks through the wire format without building anything, so that a small file cannot fill the memory with millions of
 * empty messages.
 *
 * @throws {OnnxInvalid} when there are too many fields or listed numbers
 */
export function refuseHugeMessages(bytes: Uint8Array): void {
  const reader = new BinaryReader(bytes);
  let fields = 0;
  let listed = 0;
  const walk = (end: number, inner: Inner, depth: number): void => {
    if (depth > MAXIMUM_DEPTH) throw new OnnxInvalid('it is nested too deeply');
    while (reader.pos < end) {
      const [number, wire] = reader.tag();
      fields += 1;
      if (wire !== WireType.LengthDelimited) {
        reader.skip(wire, number);
      } else {
        const length = reader.uint32();
        const next = inner[number];
        if (reader.pos + length > end) throw new OnnxInvalid('it ends too early');
        if (next !== undefined) {
          walk(reader.pos + length, next, depth + 1);
        } else {
          if (inner !== tensor) fields += Math.floor(length / 64);
          else if (LISTED.has(number)) listed += length;
          reader.pos += length;
        }
      }
      if (fields > MAXIMUM_FIELDS) throw new OnnxInvalid(`it has more than ${MAXIMUM_FIELDS} fields`);
      if (listed > MAXIMUM_LISTED) throw new OnnxInvalid('its numbers are listed one by one; save them as raw data');
    }
    if (reader.pos !== end) throw new OnnxInvalid('a part of it ends too late');
  };
  walk(bytes.length, model, 0);
}
