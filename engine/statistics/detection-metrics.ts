import { seededRandom } from '../domain';
import { quantile } from './bootstrap';
import type { Interval } from './clopper-pearson';
import { confusionOf, type DetectionConfusion } from './detection-confusion';
import { bestConfidence, curveOf, type DetectionCurve, pointAt, totalOf } from './detection-curves';
import { type AreaRange, type ClassOutcome, type JudgedPicture, matchClass, OVERLAPS } from './detection-matching';
import { averagePrecisionOf, meanOf } from './detection-precision';

export interface DetectionMetricsOptions {
  /** Confidence of the operating point (precision, recall, F1 and confusion); the best one unless told. */
  readonly confidence?: number;
  /** Samples for the intervals, 500 unless told; 0: no intervals, for use within a training. */
  readonly resamples?: number;
  /** The same seed gives the same intervals. 1 unless told. */
  readonly seed?: number;
}

export interface ClassMetrics {
  readonly label: string;
  /** Average precision at an overlap of 0.5, and the mean over 0.5 to 0.95. NaN without true boxes. */
  readonly ap50: number;
  readonly ap5095: number;
  /** At {@link DetectionMetrics.confidence} and an overlap of 0.5. */
  readonly recall: number;
  readonly precision: number;
  readonly f1: number;
  /** True boxes that count. */
  readonly count: number;
}

/** All shares 0..1, NaN where there is nothing to tell it from. */
export interface DetectionMetrics {
  /** Means over the classes with true boxes, at an overlap of 0.5, of 0.75, and over 0.5 to 0.95. */
  readonly map50: number;
  readonly map75: number;
  readonly map5095: number;
  readonly perClass: readonly ClassMetrics[];
  /** mAP50-95 of objects up to 32^2, from there to 96^2, and from there on square pixels. */
  readonly byArea: { readonly small: number; readonly medium: number; readonly large: number };
  readonly curves: readonly DetectionCurve[];
  /** The confidence at which the mean F1 of the classes is highest. */
  readonly bestConfidence: number;
  /** The confidence that the operating point was taken at. */
  readonly confidence: number;
  readonly confusion: DetectionConfusion;
  /** 95 % intervals by bootstrap over the pictures. */
  readonly intervals: { readonly map50: Interval; readonly map5095: Interval };
}

const ALL_AREAS: AreaRange = { low: 0, high: 1e10 };
const SMALL = 32 ** 2;
const MEDIUM = 96 ** 2;
const TAIL = 0.025;

/**
 * How good detections are, by COCO's definition: average precision over 101 recalls, ten overlaps, at most 100 detections
 * of a class in a picture, area ranges, crowds. Labels that are not among `classes` are left out on both sides.
 *
 * @param pictures all that were looked at, those without true boxes as well: what is found there is wrong
 * @param classes  in the order of the results
 * @throws {RangeError} for a number that is not finite, or less than two samples
 * @see Lin et al. 2014, "Microsoft COCO", and https://cocodataset.org/#detection-eval
 */
export function evaluateDetections(
  pictures: readonly JudgedPicture[],
  classes: readonly string[],
  { confidence, resamples = 500, seed = 1 }: DetectionMetricsOptions = {},
): DetectionMetrics {
  for (const picture of pictures) refuseUnusable(picture);
  const outcomes = classes.map((label) => matchClass(pictures, label, ALL_AREAS));
  const best = bestConfidence(outcomes);
  const at = confidence ?? (Number.isNaN(best) ? 0 : best);
  const meanInRange = (range: AreaRange) =>
    meanOf(classes.map((label) => meanPrecision(matchClass(pictures, label, range))));
  return {
    map50: meanOf(outcomes.map((outcome) => averagePrecisionOf(outcome, 0))),
    map75: meanOf(outcomes.map((outcome) => averagePrecisionOf(outcome, OVERLAPS.indexOf(0.75)))),
    map5095: meanOf(outcomes.map((outcome) => meanPrecision(outcome))),
    perClass: classes.map((label, place) => ({
      label,
      ap50: averagePrecisionOf(outcomes[place], 0),
      ap5095: meanPrecision(outcomes[place]),
      ...pointAt(outcomes[place], at),
      count: totalOf(outcomes[place].counts),
    })),
    byArea: {
      small: meanInRange({ low: 0, high: SMALL }),
      medium: meanInRange({ low: SMALL, high: MEDIUM }),
      large: meanInRange({ low: MEDIUM, high: ALL_AREAS.high }),
    },
    curves: classes.map((label, place) => curveOf(label, outcomes[place])),
    bestConfidence: best,
    confidence: at,
    confusion: confusionOf(pictures, classes, outcomes, at),
    intervals: intervalsOf(outcomes, pictures.length, resamples, seed),
  };
}

function meanPrecision(outcome: ClassOutcome, weights?: Int32Array): number {
  return OVERLAPS.reduce((sum, _, bit) => sum + averagePrecisionOf(outcome, bit, weights), 0) / OVERLAPS.length;
}

/** Draws the pictures anew with replacement; a sample without true boxes tells nothing and is left out. */
function intervalsOf(outcomes: readonly ClassOutcome[], pictures: number, resamples: number, seed: number) {
  if (!(resamples === 0 || (Number.isInteger(resamples) && resamples >= 2))) {
    throw new RangeError(`${resamples} samples are not 2 or more`);
  }
  const random = seededRandom(seed);
  const map50: number[] = [];
  const map5095: number[] = [];
  for (let sample = 0; sample < resamples; sample += 1) {
    const weights = new Int32Array(pictures);
    for (let draw = 0; draw < pictures; draw += 1) weights[Math.floor(random() * pictures)] += 1;
    map50.push(meanOf(outcomes.map((outcome) => averagePrecisionOf(outcome, 0, weights))));
    map5095.push(meanOf(outcomes.map((outcome) => meanPrecision(outcome, weights))));
  }
  return { map50: intervalOf(map50), map5095: intervalOf(map5095) };
}

function intervalOf(values: readonly number[]): Interval {
  const ascending = Float64Array.from(values.filter((value) => !Number.isNaN(value))).sort();
  if (ascending.length === 0) return { low: Number.NaN, high: Number.NaN };
  return { low: quantile(ascending, TAIL), high: quantile(ascending, 1 - TAIL) };
}

function refuseUnusable({ truth, detections }: JudgedPicture): void {
  for (const { box } of [...truth, ...detections]) {
    if (![box.x, box.y, box.width, box.height].every(Number.isFinite)) {
      throw new RangeError('a box has a number that is not finite');
    }
  }
  for (const { confidence } of detections) {
    if (!Number.isFinite(confidence)) throw new RangeError(`the confidence ${confidence} is not finite`);
  }
}
