import type { QueueReason } from './review';

/** Why a picture offered to the review queue was not taken. The verdict on the part is not touched by that. */
export const DECLINE_CAUSES = [
  /** As many came in the last hour as may. */
  'quota-hour',
  /** As many came in the last 24 hours as may. */
  'quota-day',
  /** As many came in the last 24 hours for each of its reasons as may. */
  'quota-reason',
  /** Enough pictures that look like it wait already. */
  'similar',
] as const;

export type DeclineCause = (typeof DECLINE_CAUSES)[number];

/** What may come into the review queue through a node, and how reasons are told. */
export interface AdmissionSettings {
  /** A score counts as near a threshold up to this share of it away, 0..1. */
  readonly nearThreshold: number;
  /** Detections and classes below this confidence, 0..1, count as unsure. */
  readonly lowConfidence: number;
  /** Pictures in any 60 minutes; null: without limit. */
  readonly quotaHour: number | null;
  /** Pictures in any 24 hours; null: without limit. */
  readonly quotaDay: number | null;
  /** Pictures in any 24 hours by the reason they were taken for; null or absent: without limit. */
  readonly quotaPerReason: Readonly<Partial<Record<QueueReason, number | null>>>;
  /** How many pictures that look alike may wait at once; 0: without limit. */
  readonly similarLimit: number;
}

export const DEFAULT_ADMISSION: AdmissionSettings = {
  nearThreshold: 0.1,
  lowConfidence: 0.6,
  quotaHour: null,
  quotaDay: null,
  quotaPerReason: {},
  similarLimit: 5,
};

/** A picture that the review queue did not take. */
export interface DeclinedReview {
  /** Of the inspection. */
  readonly id: string;
  readonly partType: string;
  readonly node: string;
  readonly cause: DeclineCause;
  /** What it would have come in for, most telling first. */
  readonly queueReasons: readonly QueueReason[];
  /** ISO 8601, UTC. */
  readonly at: string;
}
