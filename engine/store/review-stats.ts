import type { Knex } from 'knex';
import {
  type Label,
  QUEUE_REASONS,
  REVIEW_STATES,
  type ReviewerStats,
  type ReviewState,
  type ReviewStats,
  timestamp,
  type Verdict,
} from '../domain';
import type { Span } from './review-types';

/** How many items are alike in all of these. */
interface Count {
  readonly state: ReviewState;
  readonly line_verdict: Verdict;
  /** Empty or null without one. */
  readonly label: Label | '' | null;
  readonly reviewer: string | null;
  readonly items: number | string;
}

/** See `ReviewTable.stats`. */
export async function readReviewStats(knex: Knex, partType: string | undefined, span: Span): Promise<ReviewStats> {
  const [counts, reasons] = [await countsOf(knex, partType, span), await pendingReasons(knex, partType)];
  const count = (wanted: (row: Count) => boolean) =>
    counts.filter(wanted).reduce((sum, row) => sum + Number(row.items), 0);
  const states = Object.fromEntries(
    REVIEW_STATES.map((state) => [state, count((row) => row.state === state)]),
  ) as Record<ReviewState, number>;
  const perReason = Object.fromEntries(
    QUEUE_REASONS.map((reason) => [reason, Number(reasons.find((row) => row.reason === reason)?.items ?? 0)]),
  ) as ReviewStats['perReason'];
  return {
    ...states,
    perReason,
    perReviewer: perReviewer(counts),
    agreement: share(states.approved, states.rejected),
    overrideRate: share(
      count((row) => contradicts(row) === true),
      count((row) => contradicts(row) === false),
    ),
    waitingAudits: perReason['audit-sample'],
  };
}

/** Whether a label that counts is not what the line did; null where a person was asked, or there is none. */
function contradicts({ state, label, line_verdict: verdict }: Count): boolean | null {
  if ((state !== 'labelled' && state !== 'approved') || verdict === 'REVIEW') return null;
  return label !== verdict;
}

function share(some: number, others: number): number | null {
  return some + others === 0 ? null : some / (some + others);
}

function perReviewer(counts: readonly Count[]): readonly ReviewerStats[] {
  const found = new Map<string, { reviewer: string; labelled: number; approved: number; rejected: number }>();
  for (const { state, reviewer, items } of counts) {
    if (!reviewer || (state !== 'labelled' && state !== 'approved' && state !== 'rejected')) continue;
    const stats = found.get(reviewer) ?? { reviewer, labelled: 0, approved: 0, rejected: 0 };
    stats[state] += Number(items);
    found.set(reviewer, stats);
  }
  const total = ({ labelled, approved, rejected }: ReviewerStats) => labelled + approved + rejected;
  return [...found.values()]
    .filter((stats) => total(stats) > 0)
    .sort((a, b) => total(b) - total(a) || (a.reviewer < b.reviewer ? -1 : 1));
}

/**
 * What waits now, and what was decided in the span. Whole days (UTC) are counted already: only the items of the days on
 * which the span begins and ends are looked at.
 */
async function countsOf(knex: Knex, partType: string | undefined, { from, to }: Span): Promise<Count[]> {
  const firstDay = from === undefined ? NO_DAY : nextMidnight(from);
  const lastDay = to === undefined ? AFTER_ALL : to.slice(0, 10);
  const counted = knex('review_counts').where((day) => {
    day.where({ day: NO_DAY }).orWhere((within) => within.where('day', '>=', firstDay).where('day', '<', lastDay));
  });
  const counts = [await grouped(counted, partType, knex.raw('sum(items) as items'))];
  const edges =
    firstDay < lastDay
      ? [
          [from, firstDay],
          [lastDay, to],
        ]
      : [[from, to]];
  for (const [start, end] of edges) {
    if (start === undefined || end === undefined) continue;
    const decided = knex('review_items').where('decided_at', '>=', start).where('decided_at', '<', end);
    counts.push(await grouped(decided, partType, knex.raw('count(*) as items')));
  }
  return counts.flat();
}

/** The day of what nobody has decided. */
const NO_DAY = '';
/** After every day there is. */
const AFTER_ALL = '~';

function grouped(query: Knex.QueryBuilder, partType: string | undefined, items: Knex.Raw): Promise<Count[]> {
  query
    .groupBy('state', 'line_verdict', 'label', 'reviewer')
    .select('state', 'line_verdict', 'label', 'reviewer', items);
  return (partType === undefined ? query : query.where({ part_type: partType })) as never;
}

/** The first midnight (UTC) at or after a moment, as a day. */
function nextMidnight(moment: string): string {
  const day = 86_400_000;
  return timestamp(Math.ceil(Date.parse(moment) / day) * day).slice(0, 10);
}

function pendingReasons(
  knex: Knex,
  partType: string | undefined,
): Promise<{ readonly reason: string; readonly items: number | string }[]> {
  const query = knex('review_reason_counts')
    .where({ state: 'pending' })
    .groupBy('reason')
    .select('reason')
    .sum({ items: 'items' });
  return (partType === undefined ? query : query.where({ part_type: partType })) as never;
}
