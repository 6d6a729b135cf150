import {
  type Clock,
  type Fault,
  type FolderImportRun,
  faultOf,
  InspectionError,
  NotFound,
  newId,
  StationClosed,
  systemClock,
  timestamp,
} from '../../domain';
import { type FolderImport, importOrderOf, openFolder } from './import-folder';
import type { ImportedPictures, ImportResult } from './imported-pictures';

/** Imports that are remembered until the station closes. */
const REMEMBERED = 20;
/** Refused files that a report names. */
const MOST_NAMED = 100;

/** An import runs already, and goes first. */
export class ImportRunning extends InspectionError {
  constructor({ folder, partType }: FolderImportRun) {
    super({
      code: 'import-running',
      status: 'import running',
      message: `The import of ${folder} for part type ${partType} is not done yet. Wait until it is, or cancel it.`,
      parameters: { folder, partType },
      httpStatus: 409,
    });
  }
}

interface Running {
  readonly abort: AbortController;
  /** Resolves when it is over, whatever came of it. */
  readonly over: Promise<void>;
}

/**
 * Imports of folders, one at a time, each beside other work. What was imported stays when one is cancelled or the station
 * ends, and is passed over when the folder is imported again.
 */
export class FolderImports {
  /** Oldest first. */
  readonly #runs = new Map<string, FolderImportRun>();
  readonly #imported: Pick<ImportedPictures, 'add'>;
  readonly #clock: Clock;
  #running: Running | null = null;
  #isClosed = false;

  constructor(imported: Pick<ImportedPictures, 'add'>, clock: Clock = systemClock) {
    this.#imported = imported;
    this.#clock = clock;
  }

  /**
   * Begins to import a folder, see `importFolder`.
   *
   * @returns the import as it begins
   * @throws {ImportRunning} @throws {StationClosed} @throws what `importFolder` throws, but for what only the pictures of a data set show
   */
  async start(order: FolderImport): Promise<FolderImportRun> {
    const read = await openFolder(order);
    if (this.#isClosed) throw new StationClosed();
    const [last] = this.list();
    if (this.#running && last) throw new ImportRunning(last);
    const { partType, path, label = null, actor } = order;
    const run: FolderImportRun = {
      id: newId(),
      partType,
      folder: path,
      label,
      actor,
      state: 'running',
      done: 0,
      total: null,
      accepted: 0,
      duplicates: 0,
      contradicting: 0,
      refused: 0,
      refusals: [],
      error: null,
      startedAt: this.#now(),
      endedAt: null,
    };
    this.#runs.set(run.id, run);
    for (const id of [...this.#runs.keys()].slice(0, -REMEMBERED)) this.#runs.delete(id);
    const abort = new AbortController();
    const { signal } = abort;
    const over = this.#work(run.id, read, order, signal).then(
      () => this.#end(run.id, signal.aborted ? 'cancelled' : 'completed'),
      (error) => (signal.aborted ? this.#end(run.id, 'cancelled') : this.#end(run.id, 'failed', faultOf(error))),
    );
    this.#running = { abort, over };
    return run;
  }

  /** Newest first; those before the station opened are not known. */
  list(): readonly FolderImportRun[] {
    return [...this.#runs.values()].reverse();
  }

  /** @throws {NotFound} */
  get(id: string): FolderImportRun {
    const run = this.#runs.get(id);
    if (!run) throw new NotFound('import', id);
    return run;
  }

  /** Ends an import after the picture at hand; one that is over stays as it is. @throws {NotFound} */
  async cancel(id: string): Promise<FolderImportRun> {
    if (this.get(id).state === 'running') await this.#stop();
    return this.get(id);
  }

  /** Ends what is under way; none begins any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#stop();
  }

  async #stop(): Promise<void> {
    this.#running?.abort.abort(new Error('the import was cancelled'));
    await this.#running?.over;
  }

  async #work(
    id: string,
    read: Awaited<ReturnType<typeof openFolder>>,
    order: FolderImport,
    signal: AbortSignal,
  ): Promise<void> {
    const files = await read(signal);
    this.#change(id, { total: files.length });
    const onResult = (result: ImportResult) => this.#change(id, withResult(this.get(id), result));
    await this.#imported.add(files, importOrderOf(order), { signal, onResult });
  }

  #end(id: string, state: FolderImportRun['state'], error: Fault | null = null): void {
    this.#running = null;
    this.#change(id, { state, error, endedAt: this.#now() });
  }

  #change(id: string, change: Partial<FolderImportRun>): void {
    this.#runs.set(id, { ...this.get(id), ...change });
  }

  #now(): string {
    return timestamp(this.#clock.now());
  }
}

function withResult(run: FolderImportRun, result: ImportResult): Partial<FolderImportRun> {
  const done = run.done + 1;
  switch (result.outcome) {
    case 'accepted':
      return { done, accepted: run.accepted + 1 };
    case 'duplicate':
      return {
        done,
        duplicates: run.duplicates + 1,
        contradicting: run.contradicting + (result.contradicts ? 1 : 0),
      };
    case 'refused': {
      const { name, reason, error } = result;
      const refusals = run.refusals.length < MOST_NAMED ? [...run.refusals, { name, reason, error }] : run.refusals;
      return { done, refused: run.refused + 1, refusals };
    }
  }
}
