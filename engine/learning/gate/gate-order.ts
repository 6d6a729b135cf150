import type {
  DeploymentPolicy,
  GateDecision,
  Label,
  LabelledBox,
  LabelSource,
  ModelKind,
  SnapshotReference,
  Thresholds,
} from '../../domain';

/** A version of a model on the disk. */
export interface ModelPlace {
  readonly name: string;
  readonly version: string;
  /** Absolute path of the package. */
  readonly folder: string;
}

/** A picture that a person labelled. */
export interface GatePicture {
  readonly id: string;
  /** Absolute path. */
  readonly picture: string;
  readonly label: Label;
  /** Null when nobody drew or confirmed any. */
  readonly boxes: readonly LabelledBox[] | null;
  /** What the whole picture shows; absent where its boxes say it, or nobody. */
  readonly class?: string;
  /** `train`: models may have learnt it. */
  readonly split: 'train' | 'val';
  readonly source: LabelSource;
}

/** The newest pictures that the line took of a part type. */
export interface ProductionPictures {
  readonly dataFolder: string;
  readonly databaseFile?: string;
  readonly partType: string;
  /** How many; 0: none. */
  readonly last: number;
}

/** What is to be judged, and by which pictures. */
export interface GateOrder {
  readonly task: 'judge';
  readonly kind: ModelKind;
  readonly candidate: ModelPlace;
  /** The version in production; null when there is none. */
  readonly against: ModelPlace | null;
  readonly dataset: SnapshotReference | null;
  readonly pictures: readonly GatePicture[];
  readonly production: ProductionPictures;
  /**
   * Of anomaly scores, set by hand in place of the models' own; null: not. Those of a part type end with the anomaly model in
   * production, those of a router count for a candidate, too.
   */
  readonly thresholds: { readonly before: Thresholds | null; readonly after: Thresholds | null };
  /** Null: nobody set one. */
  readonly policy: DeploymentPolicy | null;
  /** Pictures labelled NG that judge, and by which the version in production has set its accept level, but not the candidate. */
  readonly levelledBefore: number;
  /** What the training itself made of the candidate; null when it did not ask. */
  readonly trained: GateDecision | null;
  readonly threads: number;
}
