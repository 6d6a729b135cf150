import { join } from 'node:path';
import { InspectionError, serializeError } from '../domain';
import type { BackboneState } from './backbone-state';
import { type CatalogueEntry, catalogue, catalogueEntry, fileNameOf, isEmbedded } from './catalogue';
import { findPulled, sizeOf } from './find-pulled';
import { type PullOptions, pull } from './pull';

export interface BackboneStoreOptions extends Pick<PullOptions, 'mirror' | 'attempts' | 'pauseMs' | 'timeouts'> {
  /** Where pulled files go. */
  readonly folder: string;
  /** Where else they may lie already. */
  readonly alsoIn?: readonly string[];
  readonly entries?: readonly CatalogueEntry[];
}

/** The backbone has to be pulled before it can be used. */
export class BackboneNotPulled extends InspectionError {
  constructor(id: string) {
    super({
      code: 'backbone-not-pulled',
      status: 'backbone not here',
      message: `The backbone ${id} is not here yet. Pull it on the Train page, or with: opti-quality models pull ${id}.`,
      parameters: { backbone: id },
      httpStatus: 409,
    });
  }
}

/** Nothing is being pulled that could be stopped. */
export class NothingToCancel extends InspectionError {
  constructor(id: string) {
    super({
      code: 'backbone-not-pulling',
      status: 'no download runs',
      message: `The backbone ${id} is not being pulled.`,
      parameters: { backbone: id },
      httpStatus: 409,
    });
  }
}

interface Pull {
  readonly cancel: AbortController;
  state: 'pulling' | 'verifying';
  over: Promise<void>;
}

/** The backbones of a station: which there are, and pulling them in the background. Ends with `close`. */
export class BackboneStore {
  readonly #options: BackboneStoreOptions;
  readonly #entries: readonly CatalogueEntry[];
  readonly #pulls = new Map<string, Pull>();
  readonly #errors = new Map<string, NonNullable<BackboneState['error']>>();
  #closed = false;

  constructor(options: BackboneStoreOptions) {
    this.#options = options;
    this.#entries = options.entries ?? catalogue();
  }

  get folders(): readonly string[] {
    return [this.#options.folder, ...(this.#options.alsoIn ?? [])];
  }

  /** In the order of the catalogue, the embedded one first. */
  list(): Promise<BackboneState[]> {
    return Promise.all(this.#entries.map((entry) => this.#describe(entry)));
  }

  /** @throws {BackboneUnknown} */
  async get(id: string): Promise<BackboneState> {
    return this.#describe(catalogueEntry(id, this.#entries));
  }

  /**
   * The file of a backbone.
   *
   * @throws {BackboneUnknown | BackboneNotPulled}
   */
  async pathOf(id: string): Promise<string> {
    const path = await findPulled(id, this.folders, this.#entries);
    if (path === null) throw new BackboneNotPulled(id);
    return path;
  }

  /**
   * Begins to pull a backbone, unless it is here or on its way; how it goes is told by `get`.
   *
   * @throws {BackboneUnknown}
   */
  async pull(id: string): Promise<BackboneState> {
    const state = await this.get(id);
    if (state.state === 'absent' && !this.#closed && !this.#pulls.has(id)) this.#begin(id);
    return this.get(id);
  }

  /**
   * Stops a pull; what came is kept for the next one.
   *
   * @throws {BackboneUnknown | NothingToCancel}
   */
  async cancel(id: string): Promise<BackboneState> {
    await this.get(id);
    const running = this.#pulls.get(id);
    if (running === undefined) throw new NothingToCancel(id);
    running.cancel.abort();
    await running.over;
    return this.get(id);
  }

  /** Stops all pulls. */
  async close(): Promise<void> {
    this.#closed = true;
    const running = [...this.#pulls.values()];
    for (const { cancel } of running) cancel.abort();
    await Promise.all(running.map(({ over }) => over));
  }

  #begin(id: string): void {
    const { alsoIn: _, ...options } = this.#options;
    const cancel = new AbortController();
    const running: Pull = { cancel, state: 'pulling', over: Promise.resolve() };
    this.#errors.delete(id);
    this.#pulls.set(id, running);
    running.over = pull(id, {
      ...options,
      signal: cancel.signal,
      onProgress: ({ stage }) => {
        running.state = stage;
      },
    })
      .then(
        () => undefined,
        (error: unknown) => {
          if (cancel.signal.aborted) return;
          const { code, message, parameters } = serializeError(error);
          this.#errors.set(id, { code, message, parameters });
        },
      )
      .finally(() => this.#pulls.delete(id));
  }

  async #describe(entry: CatalogueEntry): Promise<BackboneState> {
    const { id, title, licence, bytes, input } = entry;
    const path = await findPulled(id, this.folders, this.#entries);
    const running = this.#pulls.get(id);
    const error = this.#errors.get(id) ?? null;
    return {
      id,
      title,
      licence,
      bytes,
      embedded: isEmbedded(entry),
      input: { width: input.width, height: input.height },
      state: running?.state ?? (path === null ? 'absent' : 'ready'),
      received: path === null ? await this.#begun(entry) : bytes,
      error: running || path !== null ? null : error,
    };
  }

  /** Bytes that a pull has brought so far, or an earlier one has left. */
  async #begun(entry: CatalogueEntry): Promise<number> {
    if (isEmbedded(entry)) return 0;
    return Math.min(entry.bytes, (await sizeOf(join(this.#options.folder, `${fileNameOf(entry)}.part`))) ?? 0);
  }
}
