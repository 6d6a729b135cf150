import type {
  DeploymentPolicy,
  GateDecision,
  GateReport,
  Job,
  JobProgress,
  ModelKind,
  TrainingRequest,
} from '../domain';

/** A version that lies among the models and is not in production yet. */
export interface VersionToJudge {
  readonly kind: ModelKind;
  readonly partType: string;
  readonly version: string;
  /** The snapshot it learnt from; null when it learnt from something else. */
  readonly dataset: { readonly id: string; readonly hash: string } | null;
  readonly policy: DeploymentPolicy | null;
  /** What its training found; null for kinds that find nothing. */
  readonly trained: GateDecision | null;
}

/**
 * Compares a version with the one in production and keeps the report; null: there is nothing to compare with.
 *
 * @param onProgress gets the progress of the comparison alone, 0..100
 * @param signal     ends it at once
 */
export type JudgeVersion = (
  wish: VersionToJudge,
  onProgress: (progress: JobProgress) => void,
  signal: AbortSignal,
) => Promise<GateReport | null>;

/** What shall become of a version that was made: `deployed` has still to be done. */
export type VersionFate = Exclude<Job['deployment'], 'removed' | undefined>;

/**
 * What a request wants done with its version, as it was judged.
 *
 * @param report  the comparison with the version in production; null: nothing could be compared
 * @param trained what the training itself found; undefined for kinds that find nothing
 */
export function fateOf(
  { deploy, policy }: Pick<TrainingRequest, 'deploy' | 'policy'>,
  report: GateReport | null,
  trained: GateDecision | undefined,
): VersionFate {
  if (policy?.kind === 'manual') return 'awaiting';
  if (policy ? policy.kind === 'never' : !deploy) return 'none';
  const accepted = (report?.decision.accepted ?? true) && (trained?.accepted ?? true);
  return accepted ? 'deployed' : 'refused';
}
