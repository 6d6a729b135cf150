import { type Random, seededRandom } from '../domain';
import type { Interval } from './clopper-pearson';
import { auroc } from './metrics';

export interface BootstrapOptions {
  /** How many samples are drawn, 2000 unless told. */
  readonly resamples?: number;
  /** 0..1, 0.95 unless told. */
  readonly confidence?: number;
  /** The same seed gives the same interval. */
  readonly seed: number;
}

/**
 * Confidence interval of the AUROC by the percentile bootstrap: good and defective scores are drawn anew, each kind by itself
 * and with replacement, and the middle part of the areas is the interval. Where the kinds do not overlap no sample does, and
 * the interval is a point: it then says nothing about parts to come.
 *
 * @returns NaN for both bounds when one of the two is empty
 * @throws {RangeError} with fewer than two samples, or a confidence that is not between 0 and 1
 * @see Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13
 */
export function aurocInterval(
  good: ArrayLike<number>,
  defective: ArrayLike<number>,
  { resamples = 2000, confidence = 0.95, seed }: BootstrapOptions,
): Interval {
  if (!(Number.isInteger(resamples) && resamples >= 2)) throw new RangeError(`${resamples} samples are not 2 or more`);
  if (!(confidence > 0 && confidence < 1)) throw new RangeError(`the confidence ${confidence} is not between 0 and 1`);
  if (good.length === 0 || defective.length === 0) return { low: Number.NaN, high: Number.NaN };
  const random = seededRandom(seed);
  const areas = Float64Array.from({ length: resamples }, () => auroc(drawn(good, random), drawn(defective, random)));
  areas.sort();
  const tail = (1 - confidence) / 2;
  return { low: quantile(areas, tail), high: quantile(areas, 1 - tail) };
}

function drawn(scores: ArrayLike<number>, random: Random): Float64Array {
  return Float64Array.from({ length: scores.length }, () => scores[Math.floor(random() * scores.length)]);
}

/** With straight lines between the sorted values. */
export function quantile(ascending: Float64Array, share: number): number {
  const place = share * (ascending.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, ascending.length - 1);
  return ascending[below] + (place - below) * (ascending[above] - ascending[below]);
}
