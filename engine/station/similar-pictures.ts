import { type Inspection, type ModelReference, NotFound, worstAnomaly } from '../domain';
import type { ComputePool } from '../inference';
import type { ModelRegistry } from '../learning';
import type { NearestGood } from '../patchcore';
import { NoNearest } from './errors';

/** Answers kept. */
const MOST_KEPT = 256;
const LIMIT_MS = 20_000;

export interface SimilarPictureMeans {
  readonly pool: Pick<ComputePool, 'run'>;
  readonly models: Pick<ModelRegistry, 'describe' | 'folderOf'>;
  /** @returns null when there is none */
  readonly inspection: (id: string) => Promise<Inspection | null>;
  /** @throws {NotFound} when it is not kept */
  readonly picture: (id: string) => Promise<Buffer>;
}

/** The most similar good picture that a model knows, and the model that scored the part. */
export interface SimilarPicture extends NearestGood {
  readonly model: ModelReference;
}

/** What models compared parts with: looked up when a person asks, while no verdict waits, and kept in memory. */
export class SimilarPictures {
  readonly #found = new Map<string, Promise<SimilarPicture>>();

  constructor(private readonly means: SimilarPictureMeans) {}

  /** @see Station.similarPicture */
  of(id: string): Promise<SimilarPicture> {
    const known = this.#found.get(id);
    if (known) {
      this.#found.delete(id);
      this.#found.set(id, known);
      return known;
    }
    const looking = this.#look(id);
    this.#found.set(id, looking);
    looking.catch(() => this.#found.delete(id));
    const [oldest] = this.#found.keys();
    if (this.#found.size > MOST_KEPT) this.#found.delete(oldest);
    return looking;
  }

  async #look(id: string): Promise<SimilarPicture> {
    const { pool, models } = this.means;
    const inspection = await this.means.inspection(id);
    if (inspection === null) throw new NotFound('inspection', id);
    const model = worstAnomaly(inspection.findings)?.model;
    if (!model) throw new NoNearest(id);
    const { name, version } = model;
    await models.describe(name, version).catch((error) => {
      throw error instanceof NotFound ? new NoNearest(id) : error;
    });
    const request = { folder: models.folderOf(name, version), picture: await this.means.picture(id) };
    const limits = { priority: 'background', deadline: Date.now() + LIMIT_MS } as const;
    const found = await pool.run<NearestGood | null>('patchcore/nearest', request, limits);
    if (found === null) throw new NoNearest(id);
    return { ...found, model: { name, version } };
  }
}
