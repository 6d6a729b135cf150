import { OnnxInvalid } from './errors';

/** How the protobuf wire format packs a field (Protocol Buffers encoding, "message structure"). */
export const WireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Reads protobuf wire format. Every read checks the bounds and throws `OnnxInvalid` past the end. */
export class WireReader {
  private position = 0;
  private readonly view: DataView;

  constructor(private readonly buffer: Uint8Array) {
    this.view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  }

  get done(): boolean {
    return this.position >= this.buffer.length;
  }

  get offset(): number {
    return this.position;
  }

  /** The bytes from `start` to the current place, not copied. */
  since(start: number): Uint8Array {
    return this.buffer.subarray(start, this.position);
  }

  tag(): { field: number; wire: number } {
    const tag = Number(this.varint());
    if (tag < 8 || tag > 0xffffffff) throw new OnnxInvalid('it is no protobuf message');
    return { field: Math.floor(tag / 8), wire: tag & 7 };
  }

  /** As unsigned 64 bit. */
  varint(): bigint {
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new OnnxInvalid('it holds a number of more than 64 bits');
  }

  float(): number {
    return this.view.getFloat32(this.advance(4), true);
  }

  double(): number {
    return this.view.getFloat64(this.advance(8), true);
  }

  /** A length-delimited value, not copied. */
  bytes(): Uint8Array {
    const length = Number(this.varint());
    const start = this.advance(length);
    return this.buffer.subarray(start, start + length);
  }

  skip(wire: number): void {
    if (wire === WireType.varint) this.varint();
    else if (wire === WireType.fixed64) this.advance(8);
    else if (wire === WireType.bytes) this.bytes();
    else if (wire === WireType.fixed32) this.advance(4);
    else throw new OnnxInvalid(`it uses the unknown wire type ${wire}`);
  }

  private byte(): number {
    return this.buffer[this.advance(1)];
  }

  private advance(length: number): number {
    const start = this.position;
    if (!(start + length <= this.buffer.length)) throw new OnnxInvalid('it ends too early');
    this.position = start + length;
    return start;
  }
}

/** Writes protobuf wire format into pieces that are joined once at the end. */
export class WireWriter {
  private readonly pieces: Uint8Array[] = [];
  private length = 0;

  get size(): number {
    return this.length;
  }

  tag(field: number, wire: number): void {
    this.varint(BigInt(field * 8 + wire));
  }

  /** Negative numbers take ten bytes, as two's complement of 64 bits. */
  varint(value: bigint): void {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, value);
    while (rest > 0x7fn) {
      bytes.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    this.raw(Uint8Array.from(bytes));
  }

  float(value: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.raw(bytes);
  }

  double(value: number): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    this.raw(bytes);
  }

  bytes(value: Uint8Array): void {
    this.varint(BigInt(value.length));
    this.raw(value);
  }

  message(body: WireWriter): void {
    this.varint(BigInt(body.length));
    this.pieces.push(...body.pieces);
    this.length += body.length;
  }

  raw(bytes: Uint8Array): void {
    this.pieces.push(bytes);
    this.length += bytes.length;
  }

  finish(): Uint8Array {
    const result = new Uint8Array(this.length);
    let place = 0;
    for (const piece of this.pieces) {
      result.set(piece, place);
      place += piece.length;
    }
    return result;
  }
}
