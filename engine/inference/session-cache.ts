/** A loaded thing with its size and the way to let go of it. */
export interface LoadedSession<T> {
  readonly value: T;
  /** Bytes of memory it holds, as well as the loader can tell. */
  readonly bytes: number;
  dispose(): Promise<void>;
}

interface Entry {
  readonly loaded: Promise<LoadedSession<unknown>>;
  bytes: number;
  inUse: boolean;
}

/**
 * Keeps loaded models, most recently used last, up to a byte cap. What the task in progress acquired is never disposed
 * before `endUse`, and what the last task used stays even when it alone exceeds the cap, so a model bigger than the cap is
 * not loaded anew for each part.
 */
export class SessionCache {
  private readonly entries = new Map<string, Entry>();

  /** @param capBytes bytes all entries may hold together, > 0 */
  constructor(
    private readonly capBytes: number,
    private readonly onLoading: (loading: boolean) => Promise<void> | void = () => {},
  ) {
    if (!(capBytes > 0)) throw new RangeError(`capBytes must be above 0, got ${capBytes}`);
  }

  /** Bytes held by all loaded entries. */
  get bytes(): number {
    return [...this.entries.values()].reduce((sum, entry) => sum + entry.bytes, 0);
  }

  /** Keys from the least to the most recently used. */
  get keys(): readonly string[] {
    return [...this.entries.keys()];
  }

  /**
   * The value kept under `key`, loaded first when there is none. Asking for a key that is being loaded waits for that load.
   *
   * @param key  names the content, not only the place: another version needs another key. One key always has one type.
   * @param load called at most once at a time for a key; when it rejects, nothing is kept
   * @throws whatever `load` throws
   */
  async acquire<T>(key: string, load: () => Promise<LoadedSession<T>>): Promise<T> {
    const known = this.entries.get(key);
    const entry = known ?? this.begin(key, load);
    entry.inUse = true;
    this.entries.delete(key);
    this.entries.set(key, entry);
    const session = (await entry.loaded) as LoadedSession<T>;
    if (!known) await this.evict();
    return session.value;
  }

  /** Ends the use of everything acquired so far and disposes what exceeds the cap, least recently used first. */
  async endUse(): Promise<void> {
    const last = [...this.entries.entries()].filter(([, entry]) => entry.inUse).map(([key]) => key);
    await this.evict();
    for (const key of last) {
      const entry = this.entries.get(key);
      if (entry) entry.inUse = false;
    }
  }

  /** Disposes everything. */
  async clear(): Promise<void> {
    const all = [...this.entries.values()];
    this.entries.clear();
    await Promise.all(all.map((entry) => dispose(entry)));
  }

  private begin<T>(key: string, load: () => Promise<LoadedSession<T>>): Entry {
    const loaded = this.load(load);
    const entry: Entry = { loaded, bytes: 0, inUse: true };
    loaded.then(
      (session) => {
        entry.bytes = session.bytes;
      },
      () => {
        if (this.entries.get(key) === entry) this.entries.delete(key);
      },
    );
    return entry;
  }

  private async load<T>(load: () => Promise<LoadedSession<T>>): Promise<LoadedSession<T>> {
    await this.onLoading(true);
    try {
      return await load();
    } finally {
      await this.onLoading(false);
    }
  }

  private async evict(): Promise<void> {
    for (const [key, entry] of [...this.entries]) {
      if (this.bytes <= this.capBytes) return;
      if (entry.inUse || entry.bytes === 0) continue;
      this.entries.delete(key);
      await dispose(entry);
    }
  }
}

async function dispose(entry: Entry): Promise<void> {
  const session = await entry.loaded.catch(() => null);
  await session?.dispose();
}
