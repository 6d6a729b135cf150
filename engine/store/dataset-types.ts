import type {
  ImportedPicture,
  Label,
  LabelSource,
  Snapshot,
  SnapshotCounts,
  SnapshotItem,
  SnapshotSummary,
} from '../domain';

/** A label that counts, with its picture, as a snapshot is made of them. */
export type CountingLabel = Omit<SnapshotItem, 'split'>;

/** What a snapshot holds, and what is told of it. */
export interface SnapshotContent {
  readonly items: readonly SnapshotItem[];
  readonly hash: string;
  readonly counts: SnapshotCounts;
}

export interface SnapshotOrder {
  readonly id: string;
  readonly partType: string;
  readonly actor: string;
  readonly note: string | null;
  /** ISO 8601, UTC. */
  readonly at: string;
}

export interface SnapshotFilter {
  readonly partType?: string;
  /** 1..500, 500 unless told. */
  readonly limit?: number;
}

export interface SnapshotTable {
  /**
   * Takes the labels that count now. The snapshot, its mark on the labels that none had taken yet, and the audit entry are
   * written in one transaction. When nothing has changed since the newest snapshot of the part type, that one is given again.
   *
   * @param contentOf makes the content of the labels, which come by id
   */
  take(
    order: SnapshotOrder,
    contentOf: (labels: readonly CountingLabel[]) => SnapshotContent | Promise<SnapshotContent>,
  ): Promise<Snapshot>;
  /** Deleted ones included. */
  get(id: string): Promise<Snapshot | null>;
  /** Newest first, deleted ones included. */
  list(filter?: SnapshotFilter): Promise<readonly SnapshotSummary[]>;
  /** Marks one as deleted (`at`), or takes that back (null), and writes the audit entry. @throws {NotFound} */
  setDeleted(id: string, deletedAt: string | null, actor: string, at: string): Promise<SnapshotSummary>;
  /** Removes those deleted before a moment for good. @returns how many */
  purge(before: string): Promise<number>;
}

export interface ImportedFilter {
  readonly partType?: string;
  readonly label?: Label;
  /** True: only deleted ones; false: only those that are there; all unless told. */
  readonly deleted?: boolean;
  /** 1..500, 50 unless told. */
  readonly limit?: number;
  readonly cursor?: string;
}

export type NewImportedPicture = Omit<ImportedPicture, 'usedForTraining' | 'deletedAt'>;

export interface ImportedTable {
  /**
   * Adds a picture and its audit entry.
   *
   * @returns null; or the picture of the same bytes and part type that is there already, and then nothing is added
   */
  add(picture: NewImportedPicture): Promise<ImportedPicture | null>;
  get(id: string): Promise<ImportedPicture | null>;
  /**
   * Says what a picture shows that is labelled NG and has neither a class nor boxes, and writes the audit entry.
   *
   * @returns false when there is no such picture, or it is deleted: then it stays as it is
   */
  addClass(id: string, shown: string, actor: string, at: string): Promise<boolean>;
  /** Newest first. */
  list(
    filter?: ImportedFilter,
  ): Promise<{ readonly items: readonly ImportedPicture[]; readonly nextCursor: string | null }>;
  /**
   * Marks one as deleted (`at`), or takes that back (null), and writes the audit entry.
   *
   * @throws {NotFound}
   * @throws {PictureThere} when the same picture was imported again in the meantime
   */
  setDeleted(id: string, deletedAt: string | null, actor: string, at: string): Promise<ImportedPicture>;
  /** Those deleted before a moment that no snapshot holds, 500 at most: their files may go. */
  purgeable(before: string): Promise<readonly ImportedPicture[]>;
  /** Removes rows for good, once their files are gone. */
  purge(ids: readonly string[]): Promise<void>;
  /** Those of the given ids, 500 at most, that have a row. */
  known(ids: readonly string[]): Promise<ReadonlySet<string>>;
}

/** Labels that count, counted. */
export interface LabelFacts {
  readonly perMonth: readonly {
    /** `yyyy-mm`, UTC. */
    readonly month: string;
    readonly source: LabelSource;
    readonly label: Label;
    readonly count: number;
  }[];
  readonly perClass: readonly { readonly label: string; readonly boxes: number; readonly pictures: number }[];
  readonly ids: readonly string[];
}
