import { InvalidInput, type QuietHours } from '../../domain';
import { localMinute } from './local-time';

const MINUTE_MS = 60_000;
const DAY = 24 * 60;

/**
 * When the quiet hours that a moment lies in are over, by the clock on the wall of the time zone.
 *
 * @param at milliseconds since the epoch
 * @returns milliseconds since the epoch; null when the moment lies in none
 */
export function quietUntil(hours: readonly QuietHours[], timeZone: string, at: number): number | null {
  const spans = hours.map(spanOf);
  const isQuiet = (time: number) => spans.some((span) => isWithin(localMinute(time, timeZone), span));
  if (!isQuiet(at)) return null;
  // minute by minute: where daylight saving begins or ends, a span is longer or shorter than it reads
  let time = Math.floor(at / MINUTE_MS) * MINUTE_MS;
  do time += MINUTE_MS;
  while (isQuiet(time));
  return time;
}

/** @throws {InvalidInput} when a time is none, a span is empty, or no minute of the day is left */
export function checkQuietHours(hours: readonly QuietHours[]): void {
  const spans = hours.map(spanOf);
  const isFree = (minute: number) => !spans.some((span) => isWithin(minute, span));
  if (!Array.from({ length: DAY }, (_, minute) => minute).some(isFree)) {
    throw new InvalidInput('The quiet hours cover the whole day: nothing could ever be trained. Leave some time.');
  }
}

interface Span {
  /** Minutes of the day. */
  readonly from: number;
  /** Not quiet any more. */
  readonly to: number;
}

function spanOf({ from, to }: QuietHours): Span {
  const span = { from: minuteOf(from), to: minuteOf(to) };
  if (span.from === span.to) {
    throw new InvalidInput(`The quiet hours from ${from} to ${to} have no length.`, { from, to });
  }
  return span;
}

function minuteOf(text: string): number {
  const match = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (!match) throw new InvalidInput(`Quiet hours are written as 22:00, not as ${JSON.stringify(text)}.`);
  return 60 * Number(match[1]) + Number(match[2]);
}

function isWithin(minute: number, { from, to }: Span): boolean {
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}
