import type { Finding, LabelledBox } from './inspection';
import type { ReasonCode, Verdict } from './verdict';

/**
 * What became of a review item: `pending` → `labelled` → `approved` or `rejected` by a second person, or `skipped`. One
 * that was skipped or whose label was rejected can be labelled anew.
 */
export const REVIEW_STATES = ['pending', 'labelled', 'approved', 'rejected', 'skipped'] as const;

export type ReviewState = (typeof REVIEW_STATES)[number];

/** Why a picture is put before a person; the texts for people come from the catalogs. */
export const QUEUE_REASONS = [
  /** A score near one of the thresholds. */
  'near-threshold',
  /** A detection or class that the model is not sure of. */
  'low-confidence',
  /** Analyses that contradict each other. */
  'disagreement',
  /** An analysis that could not be done. */
  'failure',
  /** A person asked for it. */
  'flagged',
  /** Parts change, says whoever watches for that. */
  'drift',
  /** Unlike all pictures in the queue and among the labels. */
  'novel',
  /** Passed, and looked at by chance: the escape estimate rests on these alone. */
  'audit-sample',
  /** The flow sent it, for none of the other reasons. */
  'sent',
] as const;

export type QueueReason = (typeof QUEUE_REASONS)[number];

export type Label = 'OK' | 'NG';

/** A person is looking at an item; until then nobody else may decide it. */
export interface ReviewLock {
  readonly reviewer: string;
  /** ISO 8601, UTC. */
  readonly until: string;
}

/** A picture waiting for, or decided by, a person. */
export interface ReviewItem {
  /** Equals the inspection's id: each picture once. */
  readonly id: string;
  readonly state: ReviewState;
  /** Id of the review-queue node it came through; absent when it came another way, or long ago. */
  readonly node?: string;
  readonly partType: string;
  readonly serial?: string;
  /** Those of the line's decision, most telling first. */
  readonly reasons: readonly ReasonCode[];
  /** Why it is in the queue, most telling first. */
  readonly queueReasons: readonly QueueReason[];
  /** How much its label would teach, 0..1. */
  readonly information: number;
  /** Id of the item in the queue that it looks like; null when it is unlike all, or nobody compared it. */
  readonly similarTo: string | null;
  /** What the line did with the part. */
  readonly lineVerdict: Verdict;
  readonly findings: readonly Finding[];
  readonly label: Label | null;
  /** The boxes a person drew or confirmed; null when nobody did. */
  readonly boxes: readonly LabelledBox[] | null;
  /** A person says that the model was wrong about the part. */
  readonly modelMistake: boolean;
  /** Who labelled or skipped it. */
  readonly reviewer: string | null;
  readonly note: string | null;
  readonly createdAt: string;
  readonly decidedAt: string | null;
  /** The second person, who approved or rejected the label. */
  readonly approver: string | null;
  readonly approvalNote: string | null;
  readonly approvedAt: string | null;
  /** Id of the first data set snapshot that took its label. Set once, never changed. */
  readonly usedForTraining: string | null;
  /** Null when nobody looks at it, or the lock has run out. */
  readonly lock: ReviewLock | null;
}

/** What people did with the items of one part type, or of all. */
export interface ReviewStats extends Readonly<Record<ReviewState, number>> {
  /** How many pending items there are of each reason; one item may have several. */
  readonly perReason: Readonly<Record<QueueReason, number>>;
  /** By the name of who labelled, those with most labels first; items count where they stand now. */
  readonly perReviewer: readonly ReviewerStats[];
  /** Share of the labels looked at by a second person that were approved, 0..1; null without any. */
  readonly agreement: number | null;
  /** Share of labels, 0..1, that contradict the line, among parts that it passed or rejected; null without any. */
  readonly overrideRate: number | null;
  /** Passed parts of the random audit that wait for a person. */
  readonly waitingAudits: number;
}

export interface ReviewerStats {
  readonly reviewer: string;
  /** Labels that no second person has looked at. */
  readonly labelled: number;
  readonly approved: number;
  readonly rejected: number;
}
