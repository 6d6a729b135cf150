import type { Label, ReviewItem, ReviewLock, ReviewState, Verdict } from '../domain';
import { boxesOf } from './counting-labels';
import type { NewReviewItem } from './review-types';

/** A review item as it stands in the database. */
export interface ReviewRow {
  id: string;
  state: ReviewState;
  node: string | null;
  part_type: string;
  serial: string | null;
  line_verdict: Verdict;
  reasons: string;
  queue_reasons: string;
  information: number;
  similar_to: string | null;
  findings: string;
  label: Label | null;
  boxes: string | null;
  model_mistake: boolean | number;
  reviewer: string | null;
  /** The actor who labelled it. */
  labelled_by: string | null;
  note: string | null;
  /** What was said with it when it came, or was flagged; `note` is that until there is a decision. */
  entry_note: string | null;
  created_at: string;
  decided_at: string | null;
  /** Counts up over all decisions. */
  decision_order: number | null;
  approver: string | null;
  approval_note: string | null;
  approved_at: string | null;
  used_for_training: string | null;
  lock_reviewer: string | null;
  lock_until: string | null;
}

/** What of a row is of a decision, before there is one; but for its note. */
export const UNDECIDED = {
  state: 'pending',
  label: null,
  boxes: null,
  model_mistake: false,
  reviewer: null,
  labelled_by: null,
  decided_at: null,
  decision_order: null,
  approver: null,
  approval_note: null,
  approved_at: null,
  lock_reviewer: null,
  lock_until: null,
} as const satisfies Partial<ReviewRow>;

export function toReviewRow(item: NewReviewItem): ReviewRow {
  return {
    ...UNDECIDED,
    id: item.id,
    node: item.node ?? null,
    part_type: item.partType,
    serial: item.serial ?? null,
    line_verdict: item.lineVerdict,
    reasons: JSON.stringify(item.reasons),
    queue_reasons: JSON.stringify(item.queueReasons),
    information: item.information,
    similar_to: item.similarTo,
    findings: JSON.stringify(item.findings),
    note: item.note,
    entry_note: item.note,
    created_at: item.createdAt,
    used_for_training: null,
  };
}

/** @param now ISO 8601, UTC: a lock that has run out by then is none */
export function toReviewItem(row: ReviewRow, now: string): ReviewItem {
  return {
    id: row.id,
    state: row.state,
    ...(row.node === null ? {} : { node: row.node }),
    partType: row.part_type,
    ...(row.serial === null ? {} : { serial: row.serial }),
    reasons: JSON.parse(row.reasons),
    queueReasons: JSON.parse(row.queue_reasons),
    information: row.information,
    similarTo: row.similar_to,
    lineVerdict: row.line_verdict,
    findings: JSON.parse(row.findings),
    label: row.label,
    boxes: boxesOf(row.boxes),
    modelMistake: Boolean(row.model_mistake),
    reviewer: row.reviewer,
    note: row.note,
    createdAt: row.created_at,
    decidedAt: row.decided_at,
    approver: row.approver,
    approvalNote: row.approval_note,
    approvedAt: row.approved_at,
    usedForTraining: row.used_for_training,
    lock: livingLock(row, now),
  };
}

export function livingLock({ lock_reviewer: reviewer, lock_until: until }: ReviewRow, now: string): ReviewLock | null {
  return reviewer !== null && until !== null && until > now ? { reviewer, until } : null;
}

/** Names are typed by hand: case makes no other person. */
export function isSamePerson(one: string | null, other: string | null): boolean {
  return one !== null && other !== null && one.toLowerCase() === other.toLowerCase();
}
