/** What a calibration says about scores and thresholds. Free of Node, so that a browser can load this file by itself. */
import type { Thresholds } from '../domain';
import { clopperPearson, type Interval } from './clopper-pearson';

/** How a score becomes the probability of a defect: a curve (Platt) or steps with straight lines between (isotonic). */
export type ProbabilityCurve =
  | { readonly method: 'platt'; readonly slope: number; readonly intercept: number }
  | { readonly method: 'isotonic'; readonly scores: readonly number[]; readonly values: readonly number[] };

/** A counted share with its exact 95 % interval. */
export interface Rate extends Interval {
  readonly count: number;
  readonly total: number;
  readonly rate: number;
}

export interface Rates {
  /** Good parts above the reject level. */
  readonly falseReject: Rate;
  /** Good parts above the accept level, up to the reject level. */
  readonly goodToReview: Rate;
  /** Defective parts up to the accept level; null when none are known. */
  readonly miss: Rate | null;
}

/**
 * What the calibration's pictures would have met at other thresholds.
 *
 * @param calibration raw scores of good and of defective parts, in any order
 * @throws {RangeError} without good scores, or with an accept level above the reject level
 */
export function ratesAt(
  { scores, defectScores }: { readonly scores: readonly number[]; readonly defectScores: readonly number[] },
  { accept, reject }: Thresholds,
): Rates {
  if (!(accept <= reject)) throw new RangeError(`the accept level ${accept} is above the reject level ${reject}`);
  const rejected = scores.filter((score) => score > reject).length;
  const passed = scores.filter((score) => score <= accept).length;
  return {
    falseReject: rateOf(rejected, scores.length),
    goodToReview: rateOf(scores.length - passed - rejected, scores.length),
    miss:
      defectScores.length === 0
        ? null
        : rateOf(defectScores.filter((score) => score <= accept).length, defectScores.length),
  };
}

/**
 * The probability that a part with this score is defective, if defective parts were as frequent as good ones. Null when the
 * calibration knew too few defects for that. (On a line with a share p of defects, the odds are p / (1 - p) times as high.)
 *
 * @param score raw image score
 * @returns 0..1, never falling with the score
 */
export function probabilityOf(curve: ProbabilityCurve | null, score: number): number | null {
  if (curve === null) return null;
  if (curve.method === 'platt') return 1 / (1 + Math.exp(-(curve.slope * score + curve.intercept)));
  const { scores, values } = curve;
  const after = scores.findIndex((knot) => knot >= score);
  if (after === -1) return values[values.length - 1];
  if (after === 0 || scores[after] === score) return values[after];
  const share = (score - scores[after - 1]) / (scores[after] - scores[after - 1]);
  return values[after - 1] + share * (values[after] - values[after - 1]);
}

/** How many of how many, with the exact 95 % interval. @throws {RangeError} when it is no share of anything */
export function rateOf(count: number, total: number): Rate {
  return { count, total, rate: count / total, ...clopperPearson(count, total) };
}
