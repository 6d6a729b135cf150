import type { BankManifest } from '../packages';

/** How patch distances become the score of a picture. */
export type Scoring = BankManifest['recipe']['scoring'];

/** The patches of one view of a picture, compared with the bank. */
export interface ViewDistances {
  /** One a patch, row-major; 0 where a patch does not count. */
  readonly distances: Float32Array;
  /** 1 where a patch counts, 0 elsewhere. */
  readonly counts: Float32Array;
  /** Re-weighted distance of the view's worst patch, where the head gives it. */
  readonly reweighted?: number;
}

/**
 * The raw score of a picture, over all its views.
 *
 * - `max`: the most unusual patch
 * - `reweighted`: the same, lowered where its neighbours in the bank are themselves unusual (Roth et al. 2022, equation 7)
 * - `top-mean`: the mean of the most unusual share of the patches, at least one: steadier than one patch
 *
 * Patches that do not count change nothing; without any that counts the score is 0.
 */
export function imageScore(views: readonly ViewDistances[], scoring: Scoring): number {
  if (views.length === 0) return 0;
  switch (scoring.method) {
    case 'max':
      return Math.max(0, ...views.map(highest));
    case 'reweighted': {
      const worst = views.reduce((most, view) => (highest(view) > highest(most) ? view : most));
      return worst.reweighted ?? highest(worst);
    }
    case 'top-mean':
      return meanOfTop(views, scoring.share);
  }
}

function highest({ distances }: ViewDistances): number {
  return distances.reduce((most, distance) => Math.max(most, distance), 0);
}

function meanOfTop(views: readonly ViewDistances[], share: number): number {
  const length = views.reduce((sum, { distances }) => sum + distances.length, 0);
  const counted = new Float32Array(length);
  let found = 0;
  for (const { distances, counts } of views) {
    for (let patch = 0; patch < distances.length; patch += 1) {
      if (counts[patch] > 0) counted[found++] = distances[patch];
    }
  }
  if (found === 0) return 0;
  const sorted = counted.subarray(0, found).sort();
  const top = Math.max(1, Math.round(found * share));
  let sum = 0;
  for (let index = found - top; index < found; index += 1) sum += sorted[index];
  return sum / top;
}

/** Neighbours of a bank row that a head must look up for this scoring; undefined for none. */
export function neighboursFor(scoring: Scoring, bankRows: number): number | undefined {
  return scoring.method === 'reweighted' && bankRows >= 2 ? Math.min(scoring.neighbours, bankRows) : undefined;
}
