import type { DeclineCause, ModelReference, QueueReason } from '../domain';

/** A place taken in the review queue. */
export interface ReviewAdmission {
  /** Of the item. */
  readonly id: string;
  readonly node: string;
  /** What the item was taken for: its quota is used. */
  readonly reason: QueueReason;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What came into the review queue through which node, and what was not taken. */
export interface AdmissionTable {
  add(admission: ReviewAdmission): Promise<void>;
  /** How many came through a node at this time (milliseconds) or later, in all or for a reason. */
  count(node: string, since: number, reason?: QueueReason): Promise<number>;
  /** Counts a picture that was not taken. @param day `yyyy-mm-dd`, UTC */
  decline(
    declined: { readonly node: string; readonly partType: string; readonly cause: DeclineCause },
    day: string,
  ): Promise<void>;
  /** How many were not taken on this day (`yyyy-mm-dd`, UTC) or later. */
  declined(sinceDay: string, partType?: string): Promise<Readonly<Record<DeclineCause, number>>>;
}

/** What a picture in the queue looks like, see `Embedding` of PatchCore. */
export interface StoredEmbedding {
  /** Of the item. */
  readonly id: string;
  readonly partType: string;
  /** Vectors of one space can be compared. */
  readonly space: string;
  readonly model: ModelReference;
  readonly vector: Float32Array;
}

export interface EmbeddingTable {
  /** Does nothing when the item has one. */
  add(embedding: StoredEmbedding): Promise<void>;
  /** Of items of a part type in one space, the newest `limit` of them, oldest first. */
  list(partType: string, space: string, limit: number): Promise<readonly Pick<StoredEmbedding, 'id' | 'vector'>[]>;
  /** How many of these items, 500 at most, wait for a person. */
  waiting(ids: readonly string[]): Promise<number>;
}

export interface AuditedFilter {
  readonly partType?: string;
  /** ISO 8601: that came into the queue at this time or later. */
  readonly from?: string;
}

/** Parts of the random audit that passed, and that a person judged. */
export interface AuditedTable {
  /** By part type and day (`yyyy-mm-dd`, UTC), in no order. With a second person, only approved labels count. */
  days(filter?: AuditedFilter): Promise<readonly AuditedDay[]>;
}

export interface AuditedDay {
  readonly partType: string;
  readonly day: string;
  readonly audited: number;
  readonly bad: number;
}
