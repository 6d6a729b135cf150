/** Small pictures kept in memory, the least recently used ones leaving first. Asked for twice, made once. */
export class Thumbnails {
  private readonly made = new Map<string, Buffer>();
  private readonly making = new Map<string, Promise<Buffer>>();
  private bytes = 0;

  constructor(private readonly capacityBytes: number) {}

  /** The picture kept under `key`, else what `make` gives. */
  get(key: string, make: () => Promise<Buffer>): Promise<Buffer> {
    const picture = this.made.get(key);
    if (picture) {
      this.made.delete(key);
      this.made.set(key, picture);
      return Promise.resolve(picture);
    }
    const running = this.making.get(key) ?? this.make(key, make);
    this.making.set(key, running);
    return running;
  }

  private async make(key: string, make: () => Promise<Buffer>): Promise<Buffer> {
    try {
      const picture = await make();
      this.keep(key, picture);
      return picture;
    } finally {
      this.making.delete(key);
    }
  }

  private keep(key: string, picture: Buffer): void {
    this.made.set(key, picture);
    this.bytes += picture.length;
    for (const [oldest, { length }] of this.made) {
      if (this.bytes <= this.capacityBytes) return;
      this.made.delete(oldest);
      this.bytes -= length;
    }
  }
}
