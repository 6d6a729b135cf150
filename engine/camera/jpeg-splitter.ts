/** A frame cut out of a stream, and when its first byte came. */
export interface SplitFrame {
  /** Valid only until the next `push`: copy it to keep it. */
  readonly bytes: Buffer;
  /** Value of the caller's clock at the `push` that brought the first byte. */
  readonly startedAt: number;
}

const START_CAPACITY = 256 * 1024;

/**
 * Cuts a stream of JPEG files (Motion JPEG, with or without other bytes between the pictures) into pictures. It walks the marker
 * segments, so an end marker inside a thumbnail or a comment does not end the picture.
 *
 * @see ITU-T T.81, annex B
 */
export class JpegSplitter {
  private buffer = Buffer.allocUnsafe(START_CAPACITY);
  private length = 0;
  private position = 0;
  private stage: 'outside' | 'segments' | 'scan' = 'outside';
  private startedAt = 0;

  /** @param maxBytes a picture that grows above this is dropped, and the search for the next one goes on behind it */
  constructor(private readonly maxBytes: number) {}

  /** Takes the next bytes and calls back for each picture that is complete with them. */
  push(chunk: Buffer, now: number, onFrame: (frame: SplitFrame) => void): void {
    this.append(chunk);
    while (this.step(now, onFrame));
    if (this.stage === 'outside') this.drop(this.position);
    else if (this.length > this.maxBytes) this.giveUp();
  }

  /** One step through the bytes; false when more bytes are needed. */
  private step(now: number, onFrame: (frame: SplitFrame) => void): boolean {
    switch (this.stage) {
      case 'outside':
        return this.findStart(now);
      case 'segments':
        return this.skipSegment(onFrame);
      case 'scan':
        return this.skipScan();
    }
  }

  private findStart(now: number): boolean {
    const bytes = this.buffer.subarray(0, this.length);
    const start = bytes.indexOf(START_OF_IMAGE, this.position);
    if (start < 0) {
      // A start marker may be cut in two by the chunk's end.
      this.position = Math.max(0, this.length - 2);
      return false;
    }
    this.drop(start);
    this.position = 2;
    this.startedAt = now;
    this.stage = 'segments';
    return true;
  }

  private skipSegment(onFrame: (frame: SplitFrame) => void): boolean {
    if (this.position + 2 > this.length) return false;
    const marker = this.buffer[this.position + 1];
    if (this.buffer[this.position] !== 0xff) {
      this.giveUp();
      return true;
    }
    if (marker === 0xff) {
      this.position += 1;
      return true;
    }
    if (marker === 0xd9) {
      this.finish(onFrame);
      return true;
    }
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
      this.position += 2;
      return true;
    }
    if (marker === 0xd8 || marker === 0x00) {
      this.giveUp();
      return true;
    }
    if (this.position + 4 > this.length) return false;
    const size = this.buffer.readUInt16BE(this.position + 2);
    if (this.position + 2 + size > this.length) return false;
    this.position += 2 + size;
    if (marker === 0xda) this.stage = 'scan';
    return true;
  }

  /** In the entropy-coded bytes every 0xFF is followed by 0x00 or a restart marker; anything else is the next marker. */
  private skipScan(): boolean {
    const bytes = this.buffer.subarray(0, this.length);
    let at = bytes.indexOf(0xff, this.position);
    while (at >= 0 && at + 1 < this.length) {
      const next = bytes[at + 1];
      const inScan = next === 0x00 || (next >= 0xd0 && next <= 0xd7);
      if (!inScan) {
        this.position = at;
        this.stage = 'segments';
        return true;
      }
      at = bytes.indexOf(0xff, at + 2);
    }
    this.position = at >= 0 ? at : this.length;
    return false;
  }

  private finish(onFrame: (frame: SplitFrame) => void): void {
    const end = this.position + 2;
    if (end <= this.maxBytes) onFrame({ bytes: this.buffer.subarray(0, end), startedAt: this.startedAt });
    this.drop(end);
    this.stage = 'outside';
  }

  /** What began here is no picture: goes on right behind its start marker. */
  private giveUp(): void {
    this.drop(2);
    this.stage = 'outside';
  }

  private append(chunk: Buffer): void {
    const needed = this.length + chunk.length;
    if (needed > this.buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2));
      this.buffer.copy(larger, 0, 0, this.length);
      this.buffer = larger;
    }
    chunk.copy(this.buffer, this.length);
    this.length = needed;
  }

  private drop(count: number): void {
    this.buffer.copyWithin(0, count, this.length);
    this.length -= count;
    this.position = 0;
  }
}

const START_OF_IMAGE = Buffer.from([0xff, 0xd8, 0xff]);
