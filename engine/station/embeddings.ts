import type { ModelReference } from '../domain';
import type { Embedding } from '../patchcore';
import type { EmbeddingSource } from '../review';

/** Pictures kept, of 64 numbers each: about a megabyte. */
const CAPACITY = 2000;
/** Pictures of one part type that say what is usual. */
const MOST_RECENT = 100;

/** What a picture looked like when it was scored. */
interface Kept extends Embedding {
  readonly partType: string;
  readonly model: ModelReference;
  readonly normalizedScore: number;
}

/** What the pictures scored last look like, in memory, so that those that go to a person can be compared. */
export class EmbeddingMemory implements EmbeddingSource {
  private readonly kept = new Map<string, Kept>();

  /** Of several analyses of one picture, the one that speaks most against it counts. */
  keep(inspectionId: string, embedding: Kept): void {
    const present = this.kept.get(inspectionId);
    if (present && present.normalizedScore >= embedding.normalizedScore) return;
    this.kept.set(inspectionId, embedding);
    if (this.kept.size <= CAPACITY) return;
    const [oldest] = this.kept.keys();
    this.kept.delete(oldest);
  }

  of(inspectionId: string): Kept | null {
    return this.kept.get(inspectionId) ?? null;
  }

  recent(partType: string, space: string): readonly Float32Array[] {
    const same = [...this.kept.values()].filter((kept) => kept.partType === partType && kept.space === space);
    return same.slice(-MOST_RECENT).map(({ vector }) => vector);
  }
}
