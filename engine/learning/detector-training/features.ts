import type { Tensor } from '../trainer';
import type { WindowWishes } from './draw-window';
import type { LearningPart } from './learning-part';
import { type Sample, sampleOf, type Turn } from './samples';
import type { Chunk } from './training-step';

/** How windows are drawn. */
export type FeatureWishes = WindowWishes & { readonly seed: number };

/** Different windows of a picture, where their features are kept. */
const VARIANTS = 8;

/**
 * Memory that the features of some pictures take when all their windows are kept; 0 where none ever are.
 *
 * @param pictures how many are shown
 */
export function featureBytesOf(
  { pictures: batch, hasTrunk, featureBytes }: LearningPart,
  pictures: number,
  epochs: number,
): number {
  return hasTrunk && batch === 1 ? featureBytes * pictures * Math.min(VARIANTS, epochs) : 0;
}

/**
 * What the trained part begins with, for each turn. Where a frozen trunk is large against what is trained, each picture is
 * shown in a few windows only, and their features are kept while there is memory for them: the trunk then runs once a window, not
 * once an epoch.
 */
export class Features {
  private readonly kept = new Map<
    string,
    { readonly sample: Omit<Sample, 'data'>; readonly features: Chunk['features'] }
  >();
  private free: number;

  /** @param cacheBytes memory that kept features may take; 0: none are kept, and every epoch has windows of its own */
  constructor(
    private readonly part: LearningPart,
    private readonly wishes: FeatureWishes,
    private readonly cacheBytes: number,
  ) {
    this.free = cacheBytes;
  }

  /** @param turns as many as the part takes at once */
  async of(turns: readonly Turn[], epoch: number, isLast: boolean): Promise<Chunk> {
    if (this.cacheBytes > 0 && turns.length === 1) return this.remembered(turns[0], epoch);
    const parts = isLast ? 1 : this.wishes.parts;
    return this.computed(await Promise.all(turns.map((turn) => sampleOf(turn, epoch, { ...this.wishes, parts }))));
  }

  private async remembered(turn: Turn, epoch: number): Promise<Chunk> {
    const variant = epoch % VARIANTS;
    const key = `${turn.group.name} ${turn.picture} ${variant}`;
    const known = this.kept.get(key);
    if (known !== undefined) return { samples: [known.sample], features: known.features };
    // the window depends on the picture and the variant alone, so that it does not matter whether it was kept
    const { data, ...sample } = await sampleOf({ ...turn, place: turn.picture }, variant, this.wishes);
    const chunk = await this.computed([{ data, ...sample }]);
    const bytes = Object.values(chunk.features).reduce((sum, tensor) => sum + tensor.data.byteLength, 0);
    if (bytes <= this.free) {
      this.free -= bytes;
      this.kept.set(key, { sample, features: chunk.features });
    }
    return chunk;
  }

  private async computed(samples: readonly Sample[]): Promise<Chunk> {
    const { side } = this.wishes;
    const size = 3 * side * side;
    const data = samples.length === 1 ? samples[0].data : new Float32Array(samples.length * size);
    if (samples.length > 1) for (const [place, sample] of samples.entries()) data.set(sample.data, place * size);
    const picture: Tensor = { data, dims: [samples.length, 3, side, side] };
    return { samples, features: await this.part.features(picture) };
  }
}
