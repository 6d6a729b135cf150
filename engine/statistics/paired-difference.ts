import { seededRandom } from '../domain';
import { type BootstrapOptions, quantile } from './bootstrap';
import { type AreaRange, type JudgedPicture, matchClass } from './detection-matching';
import { averagePrecisionOf, meanOf } from './detection-precision';
import { auroc } from './metrics';

/** A figure of two models on the same pictures, and the interval of the difference `after - before`. */
export interface PairedDifference {
  readonly before: number;
  readonly after: number;
  readonly difference: number;
  readonly low: number;
  readonly high: number;
}

/** What two models gave, place by place for the same pictures. */
export interface Paired<Value> {
  readonly before: Value;
  readonly after: Value;
}

/** How often each picture counts in a sample. */
type Weights = Int32Array;

const ALL_AREAS: AreaRange = { low: 0, high: 1e10 };

/**
 * Difference of a share, for example of the pictures that pass, with its interval by the paired percentile bootstrap: the
 * pictures are drawn anew with replacement, and each brings what both models said of it. What the models have in common
 * then cancels out.
 *
 * @param counts how much of its total each picture has (found boxes; 1 or 0 for a picture that counts as a whole)
 * @param totals of each picture (its boxes; 1); pictures of 0 tell nothing
 * @returns NaN for all when the totals are 0
 * @throws {RangeError} for lists of other lengths than each other, and options out of range
 * @see Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapters 8 and 13
 */
export function pairedShares(
  counts: Paired<ArrayLike<number>>,
  totals: ArrayLike<number>,
  options: BootstrapOptions,
): PairedDifference {
  assertAlike(totals.length, counts.before.length, counts.after.length);
  const share = (ofPicture: ArrayLike<number>, weights: Weights | null) => {
    let sum = 0;
    let total = 0;
    for (let place = 0; place < totals.length; place += 1) {
      const weight = weights === null ? 1 : weights[place];
      sum += weight * ofPicture[place];
      total += weight * totals[place];
    }
    return sum / total;
  };
  const at = (weights: Weights | null) => ({
    before: share(counts.before, weights),
    after: share(counts.after, weights),
  });
  const random = seededRandom(options.seed);
  return paired(at(null), () => at(drawn(totals.length, random)), options);
}

/**
 * Difference of the area under the ROC curve, the good and the defective pictures drawn each kind by itself; else as
 * `pairedShares`.
 *
 * @returns NaN for all when one of the kinds is empty
 * @throws {RangeError} as `pairedShares`
 */
export function pairedAuroc(
  good: Paired<ArrayLike<number>>,
  defective: Paired<ArrayLike<number>>,
  options: BootstrapOptions,
): PairedDifference {
  assertAlike(good.before.length, good.after.length);
  assertAlike(defective.before.length, defective.after.length);
  const random = seededRandom(options.seed);
  const places = (count: number) => Int32Array.from({ length: count }, () => Math.floor(random() * count));
  const chosen = (scores: ArrayLike<number>, which: Int32Array) => Float64Array.from(which, (place) => scores[place]);
  const sample = () => {
    const [ofGood, ofDefective] = [places(good.before.length), places(defective.before.length)];
    return {
      before: auroc(chosen(good.before, ofGood), chosen(defective.before, ofDefective)),
      after: auroc(chosen(good.after, ofGood), chosen(defective.after, ofDefective)),
    };
  };
  const whole = { before: auroc(good.before, defective.before), after: auroc(good.after, defective.after) };
  return paired(whole, sample, options);
}

/**
 * Difference of the mean average precision at an overlap of 0.5 (COCO); else as `pairedShares`. A sample without true boxes
 * tells nothing and is left out.
 *
 * @param pictures with the same true boxes before and after
 * @throws {RangeError} as `pairedShares`
 */
export function pairedMap50(
  pictures: Paired<readonly JudgedPicture[]>,
  classes: readonly string[],
  options: BootstrapOptions,
): PairedDifference {
  assertAlike(pictures.before.length, pictures.after.length);
  const outcomes = {
    before: classes.map((label) => matchClass(pictures.before, label, ALL_AREAS)),
    after: classes.map((label) => matchClass(pictures.after, label, ALL_AREAS)),
  };
  const at = (weights?: Weights) => ({
    before: meanOf(outcomes.before.map((outcome) => averagePrecisionOf(outcome, 0, weights))),
    after: meanOf(outcomes.after.map((outcome) => averagePrecisionOf(outcome, 0, weights))),
  });
  const random = seededRandom(options.seed);
  return paired(at(), () => at(drawn(pictures.before.length, random)), options);
}

/**
 * How many true boxes of a class a detector finds in each picture, at an overlap of 0.5 and from a confidence on.
 *
 * @returns found and true boxes, picture by picture
 */
export function foundBoxes(
  pictures: readonly JudgedPicture[],
  label: string,
  confidence: number,
): { readonly found: Int32Array; readonly counts: Int32Array } {
  const { outcomes, counts } = matchClass(pictures, label, ALL_AREAS);
  const found = new Int32Array(pictures.length);
  for (const outcome of outcomes) {
    const isHit = (outcome.hits & 1) === 1 && (outcome.ignored & 1) === 0;
    if (isHit && outcome.confidence >= confidence) found[outcome.picture] += 1;
  }
  return { found, counts };
}

function paired(
  { before, after }: Paired<number>,
  sample: () => Paired<number>,
  { resamples = 2000, confidence = 0.95 }: BootstrapOptions,
): PairedDifference {
  if (!(Number.isInteger(resamples) && resamples >= 2)) throw new RangeError(`${resamples} samples are not 2 or more`);
  if (!(confidence > 0 && confidence < 1)) throw new RangeError(`the confidence ${confidence} is not between 0 and 1`);
  const difference = after - before;
  if (Number.isNaN(difference)) return { before, after, difference, low: Number.NaN, high: Number.NaN };
  const differences = Float64Array.from({ length: resamples }, () => {
    const one = sample();
    return one.after - one.before;
  })
    .filter((value) => !Number.isNaN(value))
    .sort();
  const tail = (1 - confidence) / 2;
  return { before, after, difference, low: quantile(differences, tail), high: quantile(differences, 1 - tail) };
}

function drawn(count: number, random: () => number): Weights {
  const weights = new Int32Array(count);
  for (let draw = 0; draw < count; draw += 1) weights[Math.floor(random() * count)] += 1;
  return weights;
}

function assertAlike(first: number, ...others: readonly number[]): void {
  if (others.some((other) => other !== first)) throw new RangeError('the lists are not of the same pictures');
}
