import type {
  ClassifierTrainingOptions,
  DetectorTrainingOptions,
  Label,
  LabelledBox,
  SkippedPicture,
  SnapshotItem,
  SnapshotReference,
  TrainingOptions,
  TrainingReportFacts,
} from '../domain';

/** Where a training of PatchCore finds its pictures. */
export type PictureSource =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'files'; readonly files: readonly NamedFile[] }
  | SimulatorSource;

/** A picture's file, by a name for people. */
export interface NamedFile {
  readonly name: string;
  readonly path: string;
  /** Hex. */
  readonly sha256: string;
}

export interface SimulatorSource {
  readonly kind: 'simulator';
  readonly product: string;
  readonly count: number;
  readonly seed: number;
}

/** A picture that a person labelled. */
export interface LabelledFile {
  /** Of the inspection, or of the imported picture. */
  readonly id: string;
  readonly path: string;
  readonly label: Label;
  /** Null when nobody drew or confirmed any. */
  readonly boxes: readonly LabelledBox[] | null;
  /** What the whole picture shows; absent where its boxes say it, or nobody. */
  readonly class?: string;
  /** Dealt by the id unless told. */
  readonly split?: SnapshotItem['split'];
  /** Hex, of the file; it is left out when it is another one. */
  readonly sha256?: string;
}

/** A data set on the disk. */
export interface DatasetPlace {
  readonly path: string;
  /** Folders that its pictures must lie in; anywhere unless told. */
  readonly within?: readonly string[];
}

/** Where a training of a detector or classifier finds its pictures, and what is on them. */
export type DatasetSource =
  | ({ readonly kind: 'dataset' } & DatasetPlace)
  | { readonly kind: 'labels'; readonly pictures: readonly LabelledFile[] }
  | SimulatorSource;

/** Below a job's own folder: where its training goes on after it was ended from outside. */
export const CHECKPOINT_FOLDER = 'checkpoint';

interface OrderBase {
  readonly partType: string;
  /** Of the model. */
  readonly name: string;
  readonly version: string;
  readonly parent: string | null;
  /** Where the package is written; it is moved to its final place by the parent process. */
  readonly outFolder: string;
  /** The job's own: whatever else it needs on the disk lies here. */
  readonly workFolder: string;
  /** For the manifest: where the pictures came from. */
  readonly sourceText: string;
  /** The snapshot they came from; null for pictures from elsewhere. */
  readonly dataset: SnapshotReference | null;
  /** Pictures of it that were left out as good ones, because they are labelled NG, too. */
  readonly contradicted?: readonly string[];
  readonly threads: number;
}

export interface PatchcoreOrder extends OrderBase {
  readonly kind: 'patchcore';
  readonly source: PictureSource;
  /** Labelled NG: they set the accept level. */
  readonly defects: readonly NamedFile[];
  /** Labelled NG, or labels that a snapshot took once and that count no more: what was learnt from them as good is forgotten. */
  readonly withdrawn: readonly NamedFile[];
  readonly backbone?: string;
  /** Folders and files in it are absolute. */
  readonly options: TrainingOptions;
  /** Folder of the version the pictures are added to; null: the training starts anew. */
  readonly updateFrom: string | null;
}

export interface DetectorOrder extends OrderBase {
  readonly kind: 'detector';
  readonly source: DatasetSource;
  /** The network it starts from. */
  readonly base: { readonly name: string; readonly path: string };
  readonly replay: DatasetPlace | null;
  readonly options: DetectorTrainingOptions;
  /** The command of another trainer, program first; null: the built-in one trains. */
  readonly command: readonly string[] | null;
}

export interface ClassifierOrder extends OrderBase {
  readonly kind: 'classifier';
  readonly source: DatasetSource;
  /** The version in production, to compare with; null: there is none. */
  readonly parentFolder: string | null;
  /** Its file; absent: the embedded one. */
  readonly backbone?: string;
  readonly options: ClassifierTrainingOptions;
}

/** What the training process is to do. */
export type TrainingOrder = PatchcoreOrder | DetectorOrder | ClassifierOrder;

/** What came of it, beside the package. */
export interface TrainingOutcome {
  readonly skipped: readonly SkippedPicture[];
  /** Of a detector or classifier. */
  readonly report?: TrainingReportFacts;
  /** Pictures that the version it grew from had learnt and it has not. */
  readonly forgotten?: readonly string[];
  /** What went otherwise than wished. */
  readonly notes?: readonly string[];
}
