import type { GateReport, ModelComparison, ShadowRun } from '../domain';

/** A version by its name and number. */
export interface VersionKey {
  readonly name: string;
  readonly version: string;
}

/** Whether the gate let a version pass. */
export interface GateVerdict extends VersionKey {
  readonly accepted: boolean;
  /** ISO 8601, UTC. */
  readonly at: string;
}

export interface GateReportTable {
  /** Keeps the report on its candidate, in place of an earlier one. */
  add(report: GateReport): Promise<void>;
  get(version: VersionKey): Promise<GateReport | null>;
  /** Of every version that the gate has judged, or of those of one model. */
  verdicts(name?: string): Promise<readonly GateVerdict[]>;
}

export interface ModelNoteTable {
  /** Replaces what was noted, with an audit entry. @param notes empty: nothing is noted any more */
  set(version: VersionKey, notes: string, actor: string, at: string): Promise<void>;
  get(version: VersionKey): Promise<string | null>;
  /** Of every version, or of those of one model. */
  all(name?: string): Promise<readonly (VersionKey & { readonly notes: string })[]>;
}

export interface RemovalRecord extends VersionKey {
  readonly actor: string;
  /** ISO 8601, UTC. */
  readonly removedAt: string;
}

export interface RemovedModelTable {
  /** Records a removal with an audit entry; again when it was recorded before. */
  add(removal: RemovalRecord): Promise<void>;
  /** Takes a removal back, with an audit entry. @returns false when there was none */
  restore(version: VersionKey, actor: string, at: string): Promise<boolean>;
  /** Forgets a removal, with what was noted and found of the version: it is gone for good. */
  purge(version: VersionKey): Promise<void>;
  get(version: VersionKey): Promise<RemovalRecord | null>;
  /** Newest first; of all models, or of one. */
  list(name?: string): Promise<readonly RemovalRecord[]>;
}

export interface ComparisonTable {
  /** Keeps a comparison in place of an earlier one of the same versions. */
  add(comparison: ModelComparison): Promise<void>;
  /** @param versions in their order */
  get(name: string, versions: readonly string[]): Promise<ModelComparison | null>;
}

export interface ShadowTable {
  /** Keeps a run as it is now. */
  put(run: ShadowRun): Promise<void>;
  /** Those that go on. */
  running(): Promise<readonly ShadowRun[]>;
  /** The newest of a model; null when there was none. */
  last(name: string): Promise<ShadowRun | null>;
}
