import type { ModelKind, Reason, RetrainCause, RetrainingRun } from '../domain';

/** The model that is retrained. */
export interface RetrainedModel {
  readonly partType: string;
  readonly kind: ModelKind;
}

/** A condition that is met, and waits until a retraining may start. */
export interface WaitingCause {
  readonly cause: RetrainCause;
  readonly actor: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly reason: Reason;
}

/** What must be known of a model's retraining after a restart. */
export interface RetrainingState {
  /** ISO 8601, UTC: labels given since then are new; null: all are. */
  readonly labelsSince: string | null;
  /** New labels that a retraining was started for in vain: it takes more than these. */
  readonly labelsTried: number;
  /** ISO 8601, UTC: times of the schedule up to here are dealt with; null: none was ever looked at. */
  readonly scheduleSince: string | null;
  /** The schedule that this is true of; another one starts anew. */
  readonly scheduleOf: string | null;
  /** Oldest first, each cause once. */
  readonly waiting: readonly WaitingCause[];
}

export interface RetrainingFilter {
  readonly partType?: string;
  readonly kind?: RetrainedModel['kind'];
  readonly outcome?: RetrainingRun['outcome'];
  /** 1..500, 50 unless told. */
  readonly limit?: number;
  /** Leaves out those of which no training came: declined and interrupted ones. */
  readonly trained?: true;
}

export interface RetrainingTable {
  insert(run: RetrainingRun): Promise<void>;
  /** Replaces the stored run of the same id. @throws {NotFound} */
  update(run: RetrainingRun): Promise<void>;
  get(id: string): Promise<RetrainingRun | null>;
  /** Newest first. */
  list(filter?: RetrainingFilter): Promise<readonly RetrainingRun[]>;
  /** What was kept; the state of a model that was never retrained where nothing was. */
  state(model: RetrainedModel): Promise<RetrainingState>;
  keepState(model: RetrainedModel, state: RetrainingState): Promise<void>;
  /**
   * Labels of a part type that count for trainings and were given, or approved, since a moment.
   *
   * @param since ISO 8601, UTC; null: all
   */
  newLabels(partType: string, since: string | null): Promise<number>;
  /**
   * Labels of a part type that a snapshot took and that were rejected, or their imported pictures deleted, since a moment: the
   * next version of a model forgets them.
   *
   * @param since ISO 8601, UTC; null: all
   */
  newlyWithdrawn(partType: string, since: string | null): Promise<number>;
}
