export type {
  AnomalyDetails,
  BankDetails,
  CalibrationDetails,
  ClassifierDetails,
  DetectorDetails,
  ModelDetails,
  ReferenceDetails,
} from '../../engine/api/model-details';
export type { BackboneState } from '../../engine/catalogue/backbone-state';
export type {
  AuditEntry,
  Box,
  ChangedDecision,
  ClassFinding,
  ClassifierFigures,
  ClassifierTrainingOptions,
  ComparedVersion,
  ComparisonState,
  Counters,
  CurvePoint,
  DatasetStats,
  DecisionComparison,
  DeploymentPolicy,
  DeploymentRecord,
  DetectedClassFigures,
  Detection,
  DetectionsFinding,
  DetectorFigures,
  DetectorLevel,
  DetectorTrainingOptions,
  Difference,
  Fault,
  Finding,
  FolderImportRun,
  GateDecision,
  GateReport,
  Inspection,
  Job,
  JobProgress,
  Label,
  LabelledBox,
  ModelComparison,
  ModelKind,
  ModelVersion,
  QueueReason,
  Reason,
  ReasonCode,
  Region,
  RemovedVersion,
  RetrainCause,
  RetrainingRun,
  RetrainOutcome,
  RetrainStatus,
  ReviewItem,
  ReviewState,
  RoutingSettings,
  ShadowRun,
  SkippedPicture,
  SnapshotSummary,
  Thresholds,
  TowerLightState,
  TrainingOptions,
  TrainingReportFacts,
  TrainingRequest,
  TrainingSource,
  TrainingStage,
  Verdict,
} from '../../engine/domain';

import type {
  DeclineCause,
  DeploymentRecord,
  Fault,
  Job,
  ModelKind,
  ModelVersion,
  RemovedVersion,
  RetrainStatus,
  RoutingSettings,
  ShadowRun,
  ReviewStats as StoredReviewStats,
  Thresholds,
} from '../../engine/domain';

export type DeploymentState = NonNullable<Job['deployment']>;
export type RetrainState = RetrainStatus['state'];
export type RunState = ShadowRun['state'];

/** What `GET /labeling-queue/stats` says. */
export interface ReviewStats extends StoredReviewStats {
  /** Pictures that the queue did not take today, by cause. */
  readonly declined: Readonly<Record<DeclineCause, number>>;
}

/** A page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

/** What `GET /part-types` says about one part type. */
export interface PartTypeInfo {
  readonly partType: string;
  readonly deployedVersion: string | null;
  /** Name of the deployed model, almost always the part type. */
  readonly deployedModel: string | null;
  /** Pictures a person has labelled OK. */
  readonly okPictures: number;
  readonly ngPictures?: number;
  /** Pictures labelled with boxes. */
  readonly boxedPictures?: number;
  /** Those in production, of every kind. */
  readonly models?: readonly {
    readonly kind: ModelKind;
    readonly name: string;
    readonly version: string;
    readonly classes?: readonly string[];
  }[];
  readonly routing: RoutingSettings;
  readonly modelThresholds: Thresholds | null;
}

/** What `GET /models/{name}` says: all of one model. */
export interface ModelOverview {
  readonly name: string;
  /** The version that rolling back would bring; null when there is none. */
  readonly rollback: string | null;
  readonly versions: readonly ModelVersion[];
  /** Newest first. */
  readonly history: readonly DeploymentRecord[];
  /** Those that can be restored. */
  readonly removed: readonly RemovedVersion[];
}

/** What became of one uploaded file. */
export interface UploadedFrame {
  readonly name: string;
  readonly outcome: 'accepted' | 'duplicate' | 'refused';
  /** It is there with the other label. */
  readonly contradicts?: boolean;
  readonly reason?: string;
  /** Why it was refused. */
  readonly error?: Fault;
}

/** What `GET /health` says, as far as the widgets show it. */
export interface Health {
  readonly state: string;
  /** Newest first. */
  readonly faults: readonly (Fault & { readonly at: string })[];
}

/** The widget node's configuration as the dashboard hands it to the component. */
export interface WidgetProps {
  /** Address of the API, for example `/inspection/api`; set by the node on the server. */
  readonly apiBase?: string;
  /** Id of the inspection-station. */
  readonly station?: string;
  readonly language?: 'auto' | 'en-US' | 'de';
  readonly [key: string]: unknown;
}
