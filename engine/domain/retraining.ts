import type { DeploymentPolicy } from './gate';
import type { ModelKind } from './identifiers';
import type { Reason } from './reason';
import type { RetrainCause, TrainingRequest } from './training';

/** When a retraining is wished. */
export interface RetrainConditions {
  /** New labels since the last retraining, 1 or more; null: labels start none. */
  readonly labels: number | null;
  /** A drift alarm starts one. */
  readonly drift: boolean;
  readonly schedule: RetrainSchedule | null;
}

export interface RetrainSchedule {
  /** Five fields: minute, hour, day of month, month, day of week. */
  readonly cron: string;
  /** IANA name, for example `Europe/Berlin`. */
  readonly timeZone: string;
}

/** A span of the day, `HH:MM`; one that ends before it starts goes over midnight. */
export interface QuietHours {
  readonly from: string;
  readonly to: string;
}

/** How a retraining is done, beside its data, which are always the pictures that people labelled. */
export type RetrainRequest = Pick<TrainingRequest, 'backbone' | 'options' | 'detector' | 'classifier' | 'priority'>;

export interface RetrainSettings {
  readonly partType: string;
  readonly kind: ModelKind;
  readonly conditions: RetrainConditions;
  /** From the start of one retraining to the start of the next, 0 or more. */
  readonly minimumIntervalMinutes: number;
  readonly quietHours: readonly QuietHours[];
  /** Of the quiet hours; IANA name. */
  readonly timeZone: string;
  readonly request: RetrainRequest;
  readonly policy: DeploymentPolicy;
}

export type RetrainOutcome =
  | 'running'
  /** The training could not be started. */
  | 'declined'
  /** A version was made and is not in production. */
  | 'candidate'
  | 'deployed'
  | 'failed'
  | 'cancelled'
  | 'interrupted';

/** One retraining, from the condition that started it to what came of it. */
export interface RetrainingRun {
  readonly id: string;
  readonly partType: string;
  readonly kind: ModelKind;
  readonly trigger: RetrainCause;
  readonly actor: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Null while there is none, or when none could be started. */
  readonly jobId: string | null;
  readonly outcome: RetrainOutcome;
  /** The version made. */
  readonly version: string | null;
  /** Why it started, and what came of it. */
  readonly reasons: readonly Reason[];
  readonly endedAt: string | null;
}

/** Whether a part type's model would be trained now, and why (not). */
export interface RetrainStatus {
  readonly partType: string;
  readonly kind: ModelKind;
  /** `waiting`: a condition is met, and the retraining must not start yet. */
  readonly state: 'idle' | 'waiting' | 'running';
  /** True when neither a training, the interval nor quiet hours keep the next one from starting. */
  readonly wouldTrain: boolean;
  readonly reasons: readonly Reason[];
  /** The next time of the schedule; ISO 8601, UTC; null without one. */
  readonly nextSchedule: string | null;
  /** Labels that no retraining has used. */
  readonly newLabels: number;
  /** How many more start a retraining; null when labels start none. */
  readonly labelsNeeded: number | null;
  /** The conditions that are met and wait, oldest first. */
  readonly waiting: readonly RetrainCause[];
  /** When the minimum interval and the quiet hours let the next one start; ISO 8601, UTC; null: now. */
  readonly possibleFrom: string | null;
  readonly lastRun: RetrainingRun | null;
  /** Id of the job. */
  readonly runningJob: string | null;
}
