import { newId, type RetrainingRun, type RetrainSettings } from '../../domain';
import type { WaitingCause } from '../../store';

/** A run for all conditions that are met, told by the first of them. */
export function newRun(
  { partType, kind }: RetrainSettings,
  causes: readonly [WaitingCause, ...WaitingCause[]],
  at: string,
): RetrainingRun {
  const [{ cause: trigger, actor }] = causes;
  return {
    id: newId(),
    partType,
    kind,
    trigger,
    actor,
    at,
    jobId: null,
    outcome: 'running',
    version: null,
    reasons: causes.map(({ reason }) => reason),
    endedAt: null,
  };
}

/** True for a time of the schedule at which there was nothing to learn. */
export function foundNothingNew({ reasons }: RetrainingRun): boolean {
  return reasons.some(({ code }) => code === 'nothing-new');
}
