/** Reads a stream of bytes in pieces of the size one asks for. Holds at most one piece and one chunk of the stream. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);
  #isOver = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** Up to `count` bytes: fewer only at the end of the stream. */
  async read(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let missing = count;
    while (missing > 0 && (await this.#fill())) {
      const part = this.#take(missing);
      parts.push(part);
      missing -= part.length;
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts);
  }

  /** The next `count` bytes as they come; fewer when the stream ends before. */
  async *stream(count: number): AsyncGenerator<Buffer> {
    let missing = count;
    while (missing > 0 && (await this.#fill())) {
      const part = this.#take(missing);
      missing -= part.length;
      yield part;
    }
  }

  /** True when there is no further byte. */
  async isAtEnd(): Promise<boolean> {
    return !(await this.#fill());
  }

  /** Lets go of the stream, read to its end or not. */
  async release(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** @returns false at the end of the stream */
  async #fill(): Promise<boolean> {
    while (this.#rest.length === 0 && !this.#isOver) {
      const { done, value } = await this.#chunks.next();
      if (done) this.#isOver = true;
      else this.#rest = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
    return this.#rest.length > 0;
  }

  #take(most: number): Buffer {
    const part = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(part.length);
    return part;
  }
}
