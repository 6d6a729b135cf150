import { type RetrainingRun, type RetrainSettings, type RetrainStatus, timestamp } from '../../domain';
import type { Readiness, RetrainFacts } from './readiness';
import { foundNothingNew } from './run';

/** @param runs of the model, newest first */
export function statusOf(
  { partType, kind }: RetrainSettings,
  { job, newLabels }: RetrainFacts,
  { causes, reasons, nextSchedule, possibleFrom, labelsNeeded }: Readiness,
  runs: readonly RetrainingRun[],
): RetrainStatus {
  return {
    partType,
    kind,
    state: job ? 'running' : causes.length > 0 ? 'waiting' : 'idle',
    wouldTrain: job === null && possibleFrom === null,
    reasons,
    nextSchedule: nextSchedule === null ? null : timestamp(nextSchedule),
    newLabels,
    labelsNeeded,
    waiting: causes.map(({ cause }) => cause),
    possibleFrom: possibleFrom === null ? null : timestamp(possibleFrom),
    lastRun: runs.find((run) => !foundNothingNew(run)) ?? null,
    runningJob: job?.id ?? null,
  };
}
