import type { Fault } from './errors';
import type { LabelledBox } from './inspection';
import type { Label } from './review';

/** Where a labelled picture came from: it was inspected and reviewed, or it was imported with its label. */
export type LabelSource = 'inspection' | 'imported';

/** A labelled picture as a snapshot took it. */
export interface SnapshotItem {
  /** Of the inspection, or of the imported picture. */
  readonly id: string;
  readonly source: LabelSource;
  readonly label: Label;
  /** Null when nobody drew or confirmed any. */
  readonly boxes: readonly LabelledBox[] | null;
  /** What the whole picture shows; absent where its boxes say it, or nobody. */
  readonly class?: string;
  /** Held out (`val`) or learnt; by the id alone, but the same picture under two ids is held out or learnt as a whole. */
  readonly split: 'train' | 'val';
  /** Hex, of the picture's file. */
  readonly sha256: string;
  /** Of the picture, in pixels. */
  readonly size: { readonly width: number; readonly height: number };
  /** Relative to the data folder. */
  readonly picturePath: string;
}

export interface SnapshotCounts {
  readonly ok: number;
  readonly ng: number;
  readonly boxes: number;
  /** Boxes of each class. */
  readonly perClass: Readonly<Record<string, number>>;
  readonly train: number;
  readonly val: number;
}

/** What a data set says of itself without its pictures. */
export interface SnapshotSummary {
  readonly id: string;
  readonly partType: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly actor: string;
  /** Hex SHA-256 over the items: equal for equal pictures, labels and splits. */
  readonly hash: string;
  readonly counts: SnapshotCounts;
  readonly note: string | null;
  /** ISO 8601, UTC; it can be restored for 30 days. Null: it is there. */
  readonly deletedAt: string | null;
}

/** A data set of labelled pictures that never changes. */
export interface Snapshot extends SnapshotSummary {
  /** By id. */
  readonly items: readonly SnapshotItem[];
}

/** The snapshot that something was made from. */
export type SnapshotReference = Pick<Snapshot, 'id' | 'hash'>;

/** A picture that came with its label, not over the line. */
export interface ImportedPicture {
  readonly id: string;
  readonly partType: string;
  readonly label: Label;
  /** Null when nobody drew any. */
  readonly boxes: readonly LabelledBox[] | null;
  /** What the whole picture shows, for a classifier; null where its boxes say it, or nobody. */
  readonly class: string | null;
  /** What its file was called. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly sha256: string;
  /** Relative to the data folder. */
  readonly picturePath: string;
  /** When it was imported; ISO 8601, UTC. */
  readonly at: string;
  readonly actor: string;
  /** Id of the first snapshot that took it. Set once, never changed. */
  readonly usedForTraining: string | null;
  /** ISO 8601, UTC; it can be restored for 30 days. Null: it is there. */
  readonly deletedAt: string | null;
}

/** An import of a folder of pictures, or of a data set. */
export interface FolderImportRun {
  readonly id: string;
  readonly partType: string;
  /** Absolute path. */
  readonly folder: string;
  /** What all its pictures show; null: the data set says it of each. */
  readonly label: Label | null;
  readonly actor: string;
  /** `failed`: the folder or data set could not be read; what was imported before it was cancelled stays. */
  readonly state: 'running' | 'completed' | 'failed' | 'cancelled';
  /** Files looked at, of all; null until they are counted. */
  readonly done: number;
  readonly total: number | null;
  readonly accepted: number;
  /** Labelled already. */
  readonly duplicates: number;
  /** Of those labelled already, the ones with another label than the import gives; theirs stays. */
  readonly contradicting: number;
  readonly refused: number;
  /** The first hundred of those refused. */
  readonly refusals: readonly { readonly name: string; readonly reason: string; readonly error: Fault }[];
  /** Why it failed. */
  readonly error: Fault | null;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly endedAt: string | null;
}

/** What people have labelled of a part type, as trainings would take it now. */
export interface DatasetStats {
  readonly partType: string;
  readonly labels: { readonly ok: number; readonly ng: number };
  /** By the number of boxes, most first. Pictures may be of a class without a box. */
  readonly perClass: readonly { readonly label: string; readonly boxes: number; readonly pictures: number }[];
  /** `yyyy-mm` (UTC) in which they were labelled, oldest first. */
  readonly perMonth: readonly { readonly month: string; readonly ok: number; readonly ng: number }[];
  readonly perSource: { readonly review: number; readonly imported: number };
  readonly boxes: number;
  readonly split: { readonly train: number; readonly val: number };
  /** Labels that no snapshot has taken yet. */
  readonly unused: number;
  /** Snapshots that are there. */
  readonly snapshots: number;
  readonly lastSnapshot: SnapshotSummary | null;
}
