import { Cron } from 'croner';
import { InvalidInput, type RetrainSchedule } from '../../domain';

/**
 * The next time of a schedule. A time of day that daylight saving skips falls on the first moment after the gap, and one
 * that occurs twice falls on the first; patterns with more than one time a day skip it and take both.
 *
 * @param after milliseconds since the epoch
 * @returns null when there is none any more
 */
export function nextTime(schedule: RetrainSchedule, after: number): number | null {
  return cronOf(schedule).nextRun(new Date(after))?.getTime() ?? null;
}

/** The last time of a schedule after a moment, up to and with another; null when there is none. */
export function lastTime(schedule: RetrainSchedule, after: number, until: number): number | null {
  // what is asked for is earlier than the reference, to whole seconds
  const reference = new Date((Math.floor(until / 1000) + 1) * 1000);
  const last = cronOf(schedule).previousRuns(1, reference)[0]?.getTime() ?? null;
  return last !== null && last > after ? last : null;
}

/** @throws {InvalidInput} when the pattern or the time zone is none, or the schedule never comes */
export function checkSchedule(schedule: RetrainSchedule, now: number): void {
  const { cron } = schedule;
  checkTimeZone(schedule.timeZone);
  let next: number | null;
  try {
    next = nextTime(schedule, now);
  } catch (error) {
    throw new InvalidInput(
      `The schedule ${JSON.stringify(cron)} is not understood: ${error instanceof Error ? error.message : error}. ` +
        'Write minute, hour, day of month, month and day of week, for example "0 2 * * *".',
      { cron },
    );
  }
  if (next === null) throw new InvalidInput(`The schedule ${JSON.stringify(cron)} never comes.`, { cron });
}

/** @throws {InvalidInput} unless it is the name of a time zone, as "Europe/Berlin" */
export function checkTimeZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
  } catch {
    throw new InvalidInput(
      `There is no time zone ${JSON.stringify(timeZone)}. Write its IANA name, for example "Europe/Berlin".`,
      { timeZone },
    );
  }
}

function cronOf({ cron, timeZone }: RetrainSchedule): Cron {
  return new Cron(cron, { timezone: timeZone, paused: true, mode: '5-part' });
}
