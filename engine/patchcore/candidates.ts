import type { Random } from '../domain';
import { greedyCoreset } from './coreset';
import { chosenRows, countedPatches, joined, type PatchSet, type ViewPatches } from './patch-set';

/** Memory for the patches that banks are chosen from, whatever the number of pictures. */
const CANDIDATE_BYTES = 400 * 1024 * 1024;
/** Memory for whole pictures' patches, which their held-out scores need. */
const RETAINED_BYTES = 1536 * 1024 * 1024;

/** One picture's patches. */
export interface PictureCandidates {
  /** For each section, the patches its banks are chosen from. */
  readonly sections: readonly PatchSet[];
  /** All patches, for the held-out score; null where memory does not reach. */
  readonly views: readonly ViewPatches[] | null;
}

/**
 * Keeps the patches of training pictures within a fixed memory: up to the limit all of a picture, beyond it the coreset of
 * each picture. Whole pictures are kept for scoring as long as there is memory for all; otherwise of every few pictures
 * one.
 */
export class Candidates {
  private readonly kept = new Map<number, PictureCandidates>();

  /**
   * @param pictures how many will be added, at most
   * @param sections banks there are
   */
  constructor(
    private readonly pictures: number,
    private readonly sections: number,
    private readonly random: Random,
    private readonly threads: number,
    private readonly limits = { candidateBytes: CANDIDATE_BYTES, retainedBytes: RETAINED_BYTES },
  ) {}

  /** Added pictures with their places in the list of training pictures, in the order they were added. */
  get all(): ReadonlyMap<number, PictureCandidates> {
    return this.kept;
  }

  /** @param views of one picture; those of its altered copies, if any, come with it and are not scored */
  async add(picture: number, views: readonly ViewPatches[], copies: readonly ViewPatches[] = []): Promise<void> {
    const columns = views[0].patches.columns;
    const bytes = [...views, ...copies].reduce((sum, { patches }) => sum + patches.rows * columns * 4, 0);
    const share = this.limits.candidateBytes / (bytes * this.pictures);
    const sections: PatchSet[] = [];
    for (let section = 0; section < this.sections; section += 1) {
      const own = [...views, ...copies].filter((view) => view.section === section);
      const set = joined(
        own.map((view) => countedPatches(view, picture)),
        columns,
      );
      sections.push(share >= 1 ? set : await this.reduced(set, share));
    }
    const every = Math.ceil((bytes * this.pictures) / this.limits.retainedBytes);
    this.kept.set(picture, { sections, views: picture % every === 0 ? views : null });
  }

  private async reduced(set: PatchSet, share: number): Promise<PatchSet> {
    const size = Math.max(1, Math.floor(set.patches.rows * share));
    if (set.patches.rows <= size) return set;
    const { indices } = await greedyCoreset(set.patches, size, this.random, { threads: this.threads });
    return chosenRows(set, indices);
  }
}
