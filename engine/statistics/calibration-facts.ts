import type { Thresholds } from '../domain';

export interface CalibrationWishes {
  /** Share of good parts that may be rejected, above 0 and at most 0.5. */
  readonly falseRejectRate: number;
  /** Share of good parts that may go to a person (or be rejected), at least `falseRejectRate` and at most 0.5. */
  readonly reviewRate: number;
  /** Share of defective parts that may pass, above 0 and at most 0.5. */
  readonly missRate: number;
}

/**
 * `cross-validated`: each good picture was scored by a bank that does not know it. `compared`: each was compared with its
 * golden picture. `augmented`: there are too few pictures for either, and altered copies of them were scored.
 */
export type CalibrationMethod = 'cross-validated' | 'compared' | 'augmented';

/** What a calibration found, in figures. */
export interface CalibrationFacts extends CalibrationWishes {
  readonly method: CalibrationMethod;
  readonly folds: number;
  /** Good pictures (`augmented`: altered copies) that were scored. */
  readonly pictures: number;
  /** How many of them are independent of one another: the groups. */
  readonly independent: number;
  /** Pictures of defective parts that were scored. */
  readonly defects: number;
  readonly median: number;
  /** OK up to `accept`, NG above `reject`, REVIEW between. Equal when no part needs a person. */
  readonly thresholds: Thresholds;
  /** `rank` in `scores` (1 = smallest); null when the level is extrapolated. */
  readonly reject: { readonly method: 'conformal' | 'extrapolated'; readonly rank: number | null };
  /**
   * `review-rate`: `rank` in `scores`, null when augmented. `miss-rate`: the level stays just below that rank in
   * `defectScores`, or at the reject level if this is lower.
   */
  readonly accept: { readonly method: 'review-rate' | 'miss-rate'; readonly rank: number | null };
  /** Most good parts above the accept level; 1 when nothing is promised. */
  readonly promisedAcceptRate: number;
  /** Most good parts above the reject level; 1 when nothing is promised. */
  readonly promisedRejectRate: number;
  /** Most defective parts up to the accept level; null when no defects are known. */
  readonly promisedMissRate: number | null;
  /** Independent good pictures still missing for the wished false-reject rate, 0 when it is promised. */
  readonly picturesNeeded: number;
  /** Independent good pictures it takes in all. */
  readonly picturesRequired: number;
  /** Defective pictures still missing for the wished miss rate, 0 when it is promised. */
  readonly defectsNeeded: number;
}
