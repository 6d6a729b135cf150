import type { Knex } from 'knex';
import {
  type Label,
  QUEUE_REASONS,
  REVIEW_STATES,
  type ReviewerStats,
  type ReviewState,
  type ReviewStats,
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
  const spanned = span.from !== undefined || span.to !== undefined;
  const [now, reasons] = [await currentCounts(knex, partType), await pendingReasons(knex, partType)];
  const decided = spanned ? await countsWithin(knex, partType, span) : now;
  const count = (wanted: (row: Count) => boolean, rows = decided) =>
    rows.filter(wanted).reduce((sum, row) => sum + Number(row.items), 0);
  const states = Object.fromEntries(
    REVIEW_STATES.map((state) => [state, count((row) => row.state === state, state === 'pending' ? now : decided)]),
  ) as Record<ReviewState, number>;
  const perReason = Object.fromEntries(
    QUEUE_REASONS.map((reason) => [reason, Number(reasons.find((row) => row.reason === reason)?.items ?? 0)]),
  ) as ReviewStats['perReason'];
  return {
    ...states,
    perReason,
    perReviewer: perReviewer(decided),
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

function currentCounts(knex: Knex, partType: string | undefined): Promise<Count[]> {
  const query = knex('review_counts')
    .groupBy('state', 'line_verdict', 'label', 'reviewer')
    .select('state', 'line_verdict', 'label', 'reviewer')
    .sum({ items: 'items' });
  return (partType === undefined ? query : query.where({ part_type: partType })) as never;
}

function countsWithin(knex: Knex, partType: string | undefined, { from, to }: Span): Promise<Count[]> {
  const query = knex('review_items')
    .whereNotNull('decided_at')
    .groupBy('state', 'line_verdict', 'label', 'reviewer')
    .select('state', 'line_verdict', 'label', 'reviewer')
    .count({ items: '*' });
  if (from !== undefined) query.where('decided_at', '>=', from);
  if (to !== undefined) query.where('decided_at', '<', to);
  return (partType === undefined ? query : query.where({ part_type: partType })) as never;
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
