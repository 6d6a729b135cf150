import { clopperPearson } from '../statistics';
import type { AuditedDay } from '../store';

/** Of the intervals. */
export const ESCAPE_CONFIDENCE = 0.95;
/** More audits than this nobody makes. */
export const MOST_AUDITS = 1_000_000;

/** What the audit says about the parts that passed. */
export interface EscapeShare {
  readonly partType: string;
  readonly audited: number;
  readonly bad: number;
  /** Share of bad parts among the audited, 0..1; null without audits. */
  readonly share: number | null;
  /** Clopper-Pearson interval of the share of bad parts among all that passed, 0..1. */
  readonly low: number;
  readonly high: number;
  /** Audits that are missing until the interval ends at the bound, when no further bad part is found; null: out of reach. */
  readonly missing: number | null;
}

export interface EscapeWeek extends EscapeShare {
  /** ISO week, UTC, for example `2026-W47`. */
  readonly week: string;
}

export interface EscapeEstimate {
  /** The wished bound on the share of bad parts among the passed. */
  readonly bound: number;
  readonly confidence: number;
  /** Per part type, by name, and week, newest first. */
  readonly items: readonly EscapeWeek[];
  /** Per part type over all these weeks. */
  readonly total: readonly EscapeShare[];
}

/**
 * The share of bad parts among those that passed, from a random audit alone: other labels come from parts that were chosen
 * because something was odd about them.
 *
 * @param bound above 0, below 1
 * @see Clopper and Pearson 1934, "The use of confidence or fiducial limits illustrated in the case of the binomial"
 */
export function escapeEstimate(days: readonly AuditedDay[], bound: number): EscapeEstimate {
  const weeks = summed(days, ({ partType, day }) => `${partType} ${isoWeek(day)}`);
  const all = summed(days, ({ partType }) => partType);
  const items = weeks.map((sum) => ({ ...escapeShare(sum, bound), week: isoWeek(sum.day) }));
  return {
    bound,
    confidence: ESCAPE_CONFIDENCE,
    items: items.sort((one, other) => compare(one.partType, other.partType) || compare(other.week, one.week)),
    total: all.map((sum) => escapeShare(sum, bound)).sort((one, other) => compare(one.partType, other.partType)),
  };
}

/**
 * How many audits are missing until the interval's upper end is at most `bound`, when no further bad part is found: until so
 * few bad ones have at most 2.5 % probability with a share of `bound`, which is how Clopper and Pearson define that end.
 *
 * @returns null when more than {@link MOST_AUDITS} would be
 */
export function missingAudits(bad: number, audited: number, bound: number): number | null {
  const reaches = (missing: number) => atMostBad(bad, audited + missing, bound) <= (1 - ESCAPE_CONFIDENCE) / 2;
  if (reaches(0)) return 0;
  if (!reaches(MOST_AUDITS)) return null;
  let [short, enough] = [0, MOST_AUDITS];
  while (enough - short > 1) {
    const middle = Math.floor((short + enough) / 2);
    if (reaches(middle)) enough = middle;
    else short = middle;
  }
  return enough;
}

/** Probability of at most `bad` bad ones among `audited`, by logarithms of the terms, because (1 - share)^audited is 0 soon. */
function atMostBad(bad: number, audited: number, share: number): number {
  let term = audited * Math.log1p(-share);
  let [greatest, sum] = [term, 1];
  for (let count = 0; count < bad; count += 1) {
    term += Math.log(((audited - count) * share) / ((count + 1) * (1 - share)));
    if (term > greatest) {
      sum = sum * Math.exp(greatest - term) + 1;
      greatest = term;
    } else sum += Math.exp(term - greatest);
  }
  return Math.exp(greatest) * sum;
}

/** The ISO 8601 week of a day (`yyyy-mm-dd`): it belongs to the year of its Thursday. */
export function isoWeek(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  const weekday = (date.getUTCDay() + 6) % 7;
  date.setUTCDate(date.getUTCDate() - weekday + 3);
  const year = date.getUTCFullYear();
  const days = (date.getTime() - Date.UTC(year, 0, 1)) / 86_400_000;
  return `${year}-W${String(Math.floor(days / 7) + 1).padStart(2, '0')}`;
}

/** The Monday of the week of a moment that many weeks ago, 0 for its own. @returns ISO 8601, UTC */
export function startOfWeek(now: number, weeksAgo: number): string {
  const date = new Date(now);
  date.setUTCHours(0, 0, 0, 0);
  date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7) - 7 * weeksAgo);
  return date.toISOString();
}

function escapeShare({ partType, audited, bad }: AuditedDay, bound: number): EscapeShare {
  const interval = audited === 0 ? { low: 0, high: 1 } : clopperPearson(bad, audited, ESCAPE_CONFIDENCE);
  const share = audited === 0 ? null : bad / audited;
  return { partType, audited, bad, share, ...interval, missing: missingAudits(bad, audited, bound) };
}

function summed(days: readonly AuditedDay[], keyOf: (day: AuditedDay) => string): AuditedDay[] {
  const sums = new Map<string, AuditedDay>();
  for (const day of days) {
    const key = keyOf(day);
    const sum = sums.get(key);
    sums.set(key, sum ? { ...sum, audited: sum.audited + day.audited, bad: sum.bad + day.bad } : day);
  }
  return [...sums.values()];
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
