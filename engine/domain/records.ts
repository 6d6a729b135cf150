import type { ModelKind } from './identifiers';
import type { Inspection, Thresholds } from './inspection';

/** An inspection as the store keeps it. */
export interface InspectionRecord extends Inspection {
  readonly state: 'open' | 'settled';
  /** Picture path relative to the data folder, with forward slashes; null when there is none (any more). */
  readonly picturePath: string | null;
  /** ISO 8601, UTC; null while open. */
  readonly settledAt: string | null;
}

/** One version of a model, as the registry lists it. */
export interface ModelVersion {
  /** Model name, see `modelNameOf`. */
  readonly name: string;
  readonly version: string;
  readonly kind: ModelKind;
  readonly partType: string;
  readonly createdAt: string;
  readonly deployed: boolean;
  /** `bank`: pictures learnt; `calibration`: pictures held out to measure with. */
  readonly pictures: { readonly bank: number; readonly calibration: number };
  /** Null for kinds that give no anomaly score. */
  readonly thresholds: Thresholds | null;
  /** What a detector or classifier tells apart, in its order. */
  readonly classes?: readonly string[];
  /** What it achieved on held-out pictures, 0..1: `map50`, `map5095` and `recall` of a detector, `accuracy` of a classifier. */
  readonly figures?: Readonly<Record<string, number>>;
  /** False when the gate refused it: it was worse than what was in production. */
  readonly accepted?: boolean;
  /** Bytes on disk. */
  readonly bytes: number;
  readonly parent: string | null;
  /** What an imported version was called on the station it comes from. */
  readonly origin?: { readonly name: string; readonly version: string };
  /** What people noted about it. */
  readonly notes: string | null;
  /** The snapshot it learnt from, where people labelled the pictures. */
  readonly dataset: { readonly id: string; readonly hash: string } | null;
  /** Whether it may take the place of what was in production when it was made; null when nobody asked the gate. */
  readonly gate: { readonly accepted: boolean; readonly at: string } | null;
}

/** A version that was removed and can be restored for a while. */
export interface RemovedVersion {
  readonly name: string;
  readonly version: string;
  readonly actor: string;
  /** ISO 8601, UTC. */
  readonly removedAt: string;
  /** After this it is gone for good; ISO 8601, UTC. */
  readonly until: string;
}

/** A removed version that is among the others again, and who did it. */
export type RestoredVersion = Pick<RemovedVersion, 'name' | 'version' | 'actor'>;

/** A version was taken away, or is among the others again. */
export interface VersionChange extends RestoredVersion {
  readonly change: 'removed' | 'restored';
}

/** One switch of the model in production. */
export interface DeploymentRecord {
  readonly partType: string;
  readonly kind: ModelKind;
  readonly name: string;
  readonly version: string;
  readonly previousVersion: string | null;
  readonly action: 'deploy' | 'rollback';
  readonly actor: string;
  readonly at: string;
  /** Why, in the words of who did it. */
  readonly reason: string | null;
}

/** What a router uses where a part type has no settings of its own. */
export interface RoutingDefaults {
  /** Null: the deployed model's calibration rules. */
  readonly thresholds: Thresholds | null;
  /** Share of passed parts shown to a person, 0..1. */
  readonly auditShare: number;
}

/** How parts of a type are routed. */
export interface RoutingSettings {
  readonly partType: string;
  /** Set by hand; null: the deployed model's calibration rules. */
  readonly thresholds: Thresholds | null;
  /** Share of passed parts shown to a person, 0..1; null: each router's own. */
  readonly auditShare: number | null;
}

export interface AuditEntry {
  readonly id: number;
  readonly at: string;
  readonly actor: string;
  /** For example `routing.thresholds`, `model.deploy`, `review.label`. */
  readonly action: string;
  /** What was changed, for example the part type or the item's id. */
  readonly subject: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** How many parts got which verdict in a span of time. */
export interface Counters {
  readonly since: string;
  readonly ok: number;
  readonly ng: number;
  readonly review: number;
  readonly failSafe: number;
  readonly total: number;
  /** ok / total, null without parts. */
  readonly yield: number | null;
}

/** The state of a tower light, told by the node that drives it. */
export interface TowerLightState {
  readonly node: string;
  /** Null: all lamps off. */
  readonly colour: string | null;
  readonly flashing: boolean;
  readonly connected: boolean;
  /** The node is gone, and its lamps with it. */
  readonly removed?: boolean;
}
