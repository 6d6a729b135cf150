import { availableParallelism } from 'node:os';
import {
  type ComparisonState,
  type Fault,
  faultOf,
  InspectionError,
  InvalidInput,
  type JobProgress,
  type ModelComparison,
  modelOfName,
} from '../../domain';
import type { Store } from '../../store';
import { inComparingChild, labelledPictures } from '../gate';
import type { ModelRegistry } from '../model-registry';
import type { ComparisonOrder } from './compare-versions';

export interface ComparisonsOptions {
  readonly store: Pick<Store, 'labels' | 'pictures' | 'snapshots' | 'comparisons'>;
  readonly models: Pick<ModelRegistry, 'describe' | 'folderOf'>;
}

/** Nobody has labelled a picture by which versions could be compared. */
export class NothingToCompareWith extends InspectionError {
  constructor(partType: string) {
    super({
      code: 'nothing-to-compare-with',
      status: 'no labelled pictures',
      message: `Nobody has labelled pictures of part type ${partType}, so its versions cannot be compared. Label some in the review.`,
      parameters: { partType },
      httpStatus: 409,
    });
  }
}

const MOST_VERSIONS = 6;

interface Running {
  percent: number;
  readonly abort: AbortController;
  /** Resolves when it is over, whatever came of it. */
  over: Promise<void>;
}

/** Comparisons of versions on the labelled pictures: made one after the other beside the line, and kept. */
export class Comparisons {
  readonly #store: ComparisonsOptions['store'];
  readonly #models: ComparisonsOptions['models'];
  readonly #running = new Map<string, Running>();
  readonly #failed = new Map<string, Fault>();
  #turn: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor({ store, models }: ComparisonsOptions) {
    this.#store = store;
    this.#models = models;
  }

  /**
   * What is known of a comparison.
   *
   * @param versions in the order in which they are compared
   */
  async state(name: string, versions: readonly string[]): Promise<ComparisonState> {
    const key = keyOf(name, versions);
    const running = this.#running.get(key);
    const comparison = await this.#store.comparisons.get(name, versions);
    if (running) return { state: 'running', percent: running.percent, error: null, comparison };
    const error = this.#failed.get(key) ?? null;
    const state = error ? 'failed' : comparison ? 'ready' : 'none';
    return { state, percent: null, error, comparison };
  }

  /**
   * Compares versions on the pictures that are labelled now, in a process of its own; what was known stays until it is done.
   *
   * @param versions 2 to 6, each once
   * @throws {InvalidInput} @throws {NotFound} @throws {NothingToCompareWith}
   */
  async start(name: string, versions: readonly string[]): Promise<ComparisonState> {
    const order = await this.#orderOf(name, versions);
    const key = keyOf(name, versions);
    if (!this.#running.has(key) && !this.#isClosed) {
      this.#failed.delete(key);
      const running: Running = { percent: 0, abort: new AbortController(), over: Promise.resolve() };
      this.#running.set(key, running);
      running.over = this.#inTurn(() => this.#compare(order, running)).then(
        () => {
          this.#running.delete(key);
        },
        (error) => {
          this.#running.delete(key);
          if (!this.#isClosed) this.#failed.set(key, faultOf(error));
        },
      );
    }
    return this.state(name, versions);
  }

  /** Ends what is under way, and leaves no process. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const running = [...this.#running.values()];
    for (const { abort } of running) abort.abort(new Error('the station was closed'));
    await Promise.all(running.map(({ over }) => over));
  }

  async #compare(order: ComparisonOrder, running: Running): Promise<void> {
    const onProgress = ({ percent }: JobProgress) => {
      running.percent = percent;
    };
    const { signal } = running.abort;
    await this.#store.comparisons.add(await inComparingChild<JobProgress, ModelComparison>(order, onProgress, signal));
  }

  async #orderOf(name: string, versions: readonly string[]): Promise<ComparisonOrder> {
    if (versions.length < 2 || versions.length > MOST_VERSIONS || new Set(versions).size < versions.length) {
      throw new InvalidInput(`Between 2 and ${MOST_VERSIONS} different versions can be compared.`);
    }
    const { kind } = modelOfName(name);
    const places = versions.map((version) => ({ name, version, folder: this.#models.folderOf(name, version) }));
    const [{ summary }] = await Promise.all(versions.map((version) => this.#models.describe(name, version)));
    const pictures = await labelledPictures(summary.partType, null, this.#store);
    if (pictures.length === 0) throw new NothingToCompareWith(summary.partType);
    const threads = Math.max(1, availableParallelism() - 1);
    return { task: 'compare', name, kind, versions: places, pictures, threads };
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

function keyOf(name: string, versions: readonly string[]): string {
  return `${name}/${versions.join(',')}`;
}
