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
  ClassFinding,
  ClassifierFigures,
  ClassifierTrainingOptions,
  Counters,
  CurvePoint,
  DeploymentRecord,
  DetectedClassFigures,
  Detection,
  DetectionsFinding,
  DetectorFigures,
  DetectorLevel,
  DetectorTrainingOptions,
  Fault,
  Finding,
  GateDecision,
  GateReason,
  Inspection,
  Job,
  JobProgress,
  Label,
  LabelledBox,
  ModelKind,
  ModelVersion,
  ReasonCode,
  Region,
  ReviewItem,
  RoutingSettings,
  SkippedPicture,
  Thresholds,
  TowerLightState,
  TrainingOptions,
  TrainingReportFacts,
  TrainingRequest,
  TrainingSource,
  TrainingStage,
  Verdict,
} from '../../engine/domain';

import type { Fault, ModelKind, RoutingSettings, Thresholds } from '../../engine/domain';

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
