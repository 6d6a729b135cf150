export type {
  AuditEntry,
  Box,
  Counters,
  DeploymentRecord,
  Finding,
  Inspection,
  Job,
  JobProgress,
  Label,
  ModelVersion,
  ReasonCode,
  Region,
  ReviewItem,
  RoutingSettings,
  Thresholds,
  TrainingSource,
  TrainingStage,
  Verdict,
} from '../../engine/domain';

import type { RoutingSettings, Thresholds } from '../../engine/domain';

/** A page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

/** What `GET /part-types` says about one part type. */
export interface PartTypeInfo {
  readonly partType: string;
  readonly deployedVersion: string | null;
  /** Pictures a person has labelled OK. */
  readonly okPictures: number;
  readonly routing: RoutingSettings;
  readonly modelThresholds: Thresholds | null;
}

/** The state of a tower light, as `lamp` events carry it. */
export interface LampState {
  readonly node: string;
  /** Null: all lamps off. */
  readonly colour: string | null;
  readonly flashing: boolean;
  readonly connected: boolean;
  /** The node is gone, and its lamps with it. */
  readonly removed?: boolean;
}

export interface Fault {
  readonly code: string;
  readonly message: string;
  /** Fill the gaps of the catalog's text. */
  readonly parameters?: Readonly<Record<string, string | number>>;
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
