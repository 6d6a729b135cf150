import type { EmbeddingTable, StoredEmbedding } from '../store';
import { alikeOf, distanceOf, nearestOf, type Scale, scaleOf } from './novelty';

/** Pictures in the queue that others are compared with, of one part type: the newest. */
const MOST_COMPARED = 2000;
/** Pictures that the scale is read from: all pairs of them are compared. */
const MOST_IN_SCALE = 200;
/** The scale is read anew when so many pictures have come since. */
const SCALE_LASTS = 20;
/** How many of those that look alike are asked whether they wait. */
const MOST_ALIKE = 500;

/** What pictures looked like when they were scored. */
export interface EmbeddingSource {
  /** Null when the picture was not scored by a memory bank, or too long ago. */
  of(inspectionId: string): Omit<StoredEmbedding, 'id'> | null;
  /** Those scored last, for what is usual on this line. */
  recent(partType: string, space: string): readonly Float32Array[];
}

/** How a picture compares with those in the queue. */
export interface PictureLikeness {
  /** To the picture in the queue most like it; null when there is none. */
  readonly distance: number | null;
  /** Up to this distance pictures look alike. */
  readonly radius: number;
  /** The item it looks like; null when it is unlike all. */
  readonly similarTo: string | null;
  /** How many that look like it wait. */
  readonly waiting: number;
  /** It is farther from all known pictures than nearly all of them are from their nearest. */
  readonly novel: boolean;
}

/** Pictures of one part type that can be compared. */
interface Space {
  readonly ids: string[];
  readonly vectors: Float32Array[];
  scale: Scale;
  /** Comparisons until the scale is read anew. */
  scaleLeft: number;
}

/** Compares pictures with those that are in the queue or have come out of it. */
export class Likeness {
  private readonly spaces = new Map<string, Promise<Space>>();

  constructor(
    private readonly table: EmbeddingTable,
    private readonly source: EmbeddingSource,
  ) {}

  /**
   * Compares a picture with all others.
   * @returns null when nothing is known of what it looks like
   */
  async of(inspectionId: string): Promise<PictureLikeness | null> {
    const own = this.source.of(inspectionId);
    if (own === null) return null;
    const { partType, space: name, vector } = own;
    const space = await this.spaceOf(partType, name);
    const recent = this.source.recent(partType, name).filter((other) => other !== vector);
    const { radius, novelBeyond } = this.scaleIn(space, recent);
    const { ids, vectors } = without(inspectionId, space);
    const nearest = nearestOf(vector, vectors);
    const alike = alikeOf(vector, vectors, radius).slice(-MOST_ALIKE);
    const isFarFromAll = (others: readonly Float32Array[], beyond: number) =>
      others.every((other) => distanceOf(vector, other) > beyond);
    return {
      distance: nearest?.distance ?? null,
      radius,
      similarTo: nearest !== null && nearest.distance <= radius ? ids[nearest.index] : null,
      waiting: alike.length === 0 ? 0 : await this.table.waiting(alike.map((index) => ids[index])),
      novel: novelBeyond !== null && isFarFromAll(vectors, novelBeyond) && isFarFromAll(recent, novelBeyond),
    };
  }

  /** Keeps what an item looks like. */
  async add(embedding: StoredEmbedding): Promise<void> {
    const space = await this.spaceOf(embedding.partType, embedding.space);
    await this.table.add(embedding);
    if (space.ids.includes(embedding.id)) return;
    space.ids.push(embedding.id);
    space.vectors.push(embedding.vector);
    if (space.ids.length <= MOST_COMPARED) return;
    space.ids.shift();
    space.vectors.shift();
  }

  private spaceOf(partType: string, name: string): Promise<Space> {
    const key = `${partType} ${name}`;
    const known = this.spaces.get(key) ?? this.load(partType, name);
    this.spaces.set(key, known);
    known.catch(() => this.spaces.delete(key));
    return known;
  }

  private async load(partType: string, name: string): Promise<Space> {
    const stored = await this.table.list(partType, name, MOST_COMPARED);
    return {
      ids: stored.map(({ id }) => id),
      vectors: stored.map(({ vector }) => vector),
      scale: scaleOf([]),
      scaleLeft: 0,
    };
  }

  private scaleIn(space: Space, recent: readonly Float32Array[]): Scale {
    if (space.scaleLeft <= 0) {
      const known = [...new Set([...recent, ...space.vectors.slice(-MOST_IN_SCALE / 2)])];
      space.scale = scaleOf(known.slice(-MOST_IN_SCALE));
      space.scaleLeft = Math.min(SCALE_LASTS, Math.ceil(known.length / 10));
    }
    space.scaleLeft -= 1;
    return space.scale;
  }
}

/** A picture that is in the queue already is not compared with itself. */
function without(id: string, { ids, vectors }: Space): Pick<Space, 'ids' | 'vectors'> {
  const place = ids.indexOf(id);
  return place < 0 ? { ids, vectors } : { ids: ids.toSpliced(place, 1), vectors: vectors.toSpliced(place, 1) };
}
