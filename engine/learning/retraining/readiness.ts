import type { Reason, RetrainSettings } from '../../domain';
import type { RetrainingState, WaitingCause } from '../../store';
import { quietUntil } from './quiet-hours';
import { reasons } from './reasons';
import { nextTime } from './schedule';

const MINUTE_MS = 60_000;

/** What decides about a retraining at one moment. Times are milliseconds since the epoch. */
export interface RetrainFacts {
  readonly now: number;
  /** Labels that no training of the model has used. */
  readonly newLabels: number;
  /** Labels that a training used and that count no more: there is something to forget. */
  readonly withdrawn: number;
  readonly state: RetrainingState;
  /** When the last retraining started; null: there was none. */
  readonly lastStart: number | null;
  /** The training of the model that is under way. */
  readonly job: { readonly id: string; readonly state: 'queued' | 'running' } | null;
}

export interface Readiness {
  /** The conditions that are met, oldest first, that of the labels last. */
  readonly causes: readonly WaitingCause[];
  /** What keeps a retraining from starting, other than one under way. */
  readonly blockers: readonly Reason[];
  /** When the blockers let it start; null: nothing blocks. */
  readonly possibleFrom: number | null;
  readonly nextSchedule: number | null;
  /** How many more labels start a retraining; null: labels start none. */
  readonly labelsNeeded: number | null;
  /** Start now. */
  readonly fires: boolean;
  readonly reasons: readonly Reason[];
}

/** Whether a model is retrained now, and why (not). */
export function readinessOf(settings: RetrainSettings, facts: RetrainFacts): Readiness {
  const { conditions } = settings;
  const { now, newLabels, state, job } = facts;
  const labelsNeeded =
    conditions.labels === null ? null : Math.max(0, conditions.labels + state.labelsTried - newLabels);
  const causes = labelsNeeded === 0 ? [...state.waiting, labelsCause(settings, facts)] : state.waiting;
  const { blockers, possibleFrom } = blockedBy(settings, facts);
  const ready = causes.filter((cause) => isWorthwhile(cause, facts));
  const nextSchedule = conditions.schedule && nextTime(conditions.schedule, now);
  return {
    causes,
    blockers,
    possibleFrom,
    nextSchedule,
    labelsNeeded,
    fires: job === null && possibleFrom === null && ready.length > 0,
    reasons: [
      ...(job ? [job.state === 'running' ? reasons.running(job.id) : reasons.queued(job.id)] : []),
      ...causes.map((cause) => waitingReason(cause, settings, facts)),
      ...blockers,
      ...outlook(settings, facts, labelsNeeded, nextSchedule),
    ],
  };
}

/** Conditions that are met whatever is learnt; the others need something new. */
function isWorthwhile({ cause }: WaitingCause, facts: RetrainFacts): boolean {
  return cause === 'manual' || isNews(facts);
}

/** Whether a training would learn or forget anything. */
export function isNews({ newLabels, withdrawn }: Pick<RetrainFacts, 'newLabels' | 'withdrawn'>): boolean {
  return newLabels > 0 || withdrawn > 0;
}

function labelsCause({ conditions }: RetrainSettings, { now, newLabels }: RetrainFacts): WaitingCause {
  const reason = reasons.labelsReached(newLabels, conditions.labels ?? 0);
  return { cause: 'labels', actor: '', at: new Date(now).toISOString(), reason };
}

function blockedBy(
  settings: RetrainSettings,
  { now, lastStart }: RetrainFacts,
): Pick<Readiness, 'blockers' | 'possibleFrom'> {
  const { minimumIntervalMinutes, quietHours, timeZone } = settings;
  const blockers: Reason[] = [];
  let from = now;
  const intervalEnd = lastStart === null ? now : lastStart + minimumIntervalMinutes * MINUTE_MS;
  if (intervalEnd > now) {
    blockers.push(reasons.minimumInterval(minimumIntervalMinutes, intervalEnd, timeZone));
    from = intervalEnd;
  }
  const quietEnd = quietUntil(quietHours, timeZone, now);
  if (quietEnd !== null) blockers.push(reasons.quietHours(quietEnd, timeZone));
  // also where the interval ends within quiet hours
  from = quietUntil(quietHours, timeZone, Math.max(from, quietEnd ?? now)) ?? Math.max(from, quietEnd ?? now);
  return { blockers, possibleFrom: from > now ? from : null };
}

function waitingReason(
  { cause, at, reason }: WaitingCause,
  { timeZone, conditions }: RetrainSettings,
  facts: RetrainFacts,
): Reason {
  const time = Date.parse(at);
  switch (cause) {
    case 'drift':
      return isNews(facts) ? reasons.driftWaits(time, timeZone) : reasons.driftWaitsForLabels(time, timeZone);
    case 'schedule':
      return reasons.scheduleWaits(time, conditions.schedule?.timeZone ?? timeZone);
    default:
      return reason;
  }
}

/** What would start the next one. */
function outlook(
  { conditions }: RetrainSettings,
  facts: RetrainFacts,
  labelsNeeded: number | null,
  nextSchedule: number | null,
): Reason[] {
  const { labels, drift, schedule } = conditions;
  const { newLabels, state } = facts;
  const told: Reason[] = [];
  if (labels !== null && labelsNeeded !== null && labelsNeeded > 0) {
    told.push(
      state.labelsTried > 0
        ? reasons.labelsFailed(state.labelsTried, labelsNeeded)
        : reasons.labelsMissing(newLabels, labelsNeeded, labels),
    );
  }
  if (schedule && nextSchedule !== null) {
    told.push(reasons.scheduleNext(nextSchedule, schedule.timeZone));
    if (!isNews(facts)) told.push(reasons.nothingNew());
  }
  if (drift && !state.waiting.some(({ cause }) => cause === 'drift')) told.push(reasons.driftStarts());
  return labels === null && !drift && schedule === null ? [reasons.noCondition()] : told;
}
