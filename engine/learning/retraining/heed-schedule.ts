import { type RetrainSchedule, timestamp } from '../../domain';
import type { RetrainingState, WaitingCause } from '../../store';
import { reasons } from './reasons';
import { lastTime } from './schedule';

/** A missed time of a schedule is made up for within this time. */
const MAKE_UP_MS = 24 * 3_600_000;
/** A time of the schedule that is seen so much too late was missed. */
const LATE_MS = 2 * 60_000;

/**
 * Whether a time of the schedule has come since it was looked at last.
 *
 * @returns the state from now on, the same when nothing has come; and what is due: null also when the schedule waits
 *   already, or its time is too long ago
 */
export function heedSchedule(
  schedule: RetrainSchedule,
  state: RetrainingState,
  now: number,
  actor: string,
): { readonly state: RetrainingState; readonly due: WaitingCause | null } {
  const { cron, timeZone } = schedule;
  const scheduleOf = `${cron} ${timeZone}`;
  if (state.scheduleOf !== scheduleOf || state.scheduleSince === null) {
    return { state: { ...state, scheduleOf, scheduleSince: timestamp(now) }, due: null };
  }
  const time = lastTime(schedule, Date.parse(state.scheduleSince), now);
  if (time === null) return { state, due: null };
  const seen = { ...state, scheduleSince: timestamp(time) };
  const late = now - time;
  if (late > MAKE_UP_MS || state.waiting.some(({ cause }) => cause === 'schedule')) return { state: seen, due: null };
  const reason = late > LATE_MS ? reasons.scheduleMissed(time, timeZone) : reasons.scheduleDue(time, timeZone);
  return { state: seen, due: { cause: 'schedule', actor, at: timestamp(time), reason } };
}
