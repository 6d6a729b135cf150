import type { CalibrationFacts, CalibrationMethod, CalibrationWishes } from './calibration-facts';
import { conformalCount, conformalLowerRank, conformalRank } from './conformal';
import { fitProbability } from './probability';
import type { ProbabilityCurve } from './rates';
import { type StatementPart, sentencesOf, statementOf } from './statement';

export interface CalibrationInput {
  /** Raw image scores of good pictures, in any order. */
  readonly good: ArrayLike<number>;
  /** Raw image scores of defective pictures, none of them used in training. */
  readonly defective?: ArrayLike<number>;
  readonly method: CalibrationMethod;
  /** Folds the pictures were dealt to; 0 when augmented or compared. */
  readonly folds: number;
  /**
   * For each good score a number that near-duplicates share (for `augmented`: the picture that was altered). Only one score
   * of a group counts, since ten pictures of one part are one part; each its own without this.
   */
  readonly groups?: ArrayLike<number>;
}

export interface Calibration extends CalibrationFacts {
  /** Of good pictures, ascending: the highest of each group; all altered copies when `augmented`. */
  readonly scores: readonly number[];
  /** Of defective pictures, ascending. */
  readonly defectScores: readonly number[];
  /** The probability of a defect by score; null when too few of both kinds are known, and when augmented. */
  readonly probability: ProbabilityCurve | null;
  /** All of this in English sentences. */
  readonly statement: string;
  /** The same, to be put into another language. */
  readonly statementParts: readonly StatementPart[];
}

/** Least width between median and an extrapolated reject level, as a share of the median: pictures may all be alike. */
const LEAST_SPREAD = { 'cross-validated': 0.1, compared: 0.1, augmented: 1 };
/** Keeps the reject level above the median where scores are zero. */
const TINY = 1e-6;

/**
 * Thresholds from the scores of held-out good parts and, if there are any, of defective parts.
 *
 * Reject level: the conformal level for `falseRejectRate`. With too few good pictures for that it is extrapolated with an
 * exponential tail through the median and the highest score: the fewer pictures, the wider the band between the two levels,
 * where a person decides.
 *
 * Accept level without defects: the conformal level for `reviewRate`, or the highest score when there are too few. With
 * defects: just below the conformal level for `missRate`; with too few of them for that, the review level, lowered below the
 * lowest defect, so that no known defect would have passed.
 *
 * Where the accept level would come to lie above the reject level it is the reject level: no part needs a person. Then still
 * at most `promisedRejectRate` of good parts are rejected (the reject level has not moved), and at most `promisedMissRate` of
 * defective parts pass (the accept level has only become lower).
 *
 * What is promised: a share, on average over sets of pictures like this one, for parts from the same process. The defects
 * must be a fair sample of the defects to come. Cross-validated scores come from banks slightly smaller than the final one,
 * which gives lower scores.
 *
 * `augmented` (1 to 3 pictures): altered copies say nothing about other parts, so nothing is promised about good ones, and
 * the band is wide. Accept is the median of the copies. Reject is extrapolated as above, with two or three pictures in the
 * place of the number of copies, and is at least twice the median. What defects say holds as ever.
 *
 * @throws {RangeError} with fewer than two scores or groups (`augmented`: fewer than one), a score that is no number, groups
 *         for another number of scores, or wishes out of range
 */
export function calibrate(input: CalibrationInput, wishes: CalibrationWishes): Calibration {
  checkWishes(wishes);
  const { falseRejectRate, reviewRate, missRate } = wishes;
  const { method, folds } = input;
  const isAugmented = method === 'augmented';
  const { scores, independent } = independentScores(input);
  const defectScores = sorted(input.defective ?? []);
  const [count, defects] = [scores.length, defectScores.length];
  const median = middleOf(scores);

  const rejectRank = isAugmented ? null : conformalRank(count, falseRejectRate);
  const level =
    rejectRank === null ? extrapolated(scores, median, independent, falseRejectRate) : scores[rejectRank - 1];
  const room = rejectRank === null ? LEAST_SPREAD[method] * Math.abs(median) : 0;
  const reject = Math.max(level, median + room, median + TINY);

  const reviewRank = isAugmented ? null : (conformalRank(count, reviewRate) ?? count);
  const reviewLevel = Math.min(reviewRank === null ? median : scores[reviewRank - 1], reject);
  const missRank = conformalLowerRank(defects, missRate);
  const byMisses = defects > 0 && (missRank !== null || defectScores[0] <= reviewLevel);
  const accept = byMisses ? Math.min(justBelow(defectScores[(missRank ?? 1) - 1]), reject) : reviewLevel;

  const acceptRank = byMisses ? scores.filter((score) => score <= accept).length : (reviewRank ?? 0);
  const facts = {
    ...wishes,
    method,
    folds,
    pictures: input.good.length,
    independent,
    defects,
    median,
    thresholds: { accept, reject },
    reject: { method: rejectRank === null ? ('extrapolated' as const) : ('conformal' as const), rank: rejectRank },
    accept: byMisses
      ? { method: 'miss-rate' as const, rank: missRank ?? 1 }
      : { method: 'review-rate' as const, rank: reviewRank },
    promisedAcceptRate: isAugmented ? 1 : 1 - acceptRank / (count + 1),
    promisedRejectRate: isAugmented ? 1 : 1 - (rejectRank ?? count) / (count + 1),
    promisedMissRate: defects === 0 ? null : (missRank ?? 1) / (defects + 1),
    picturesNeeded: Math.max(0, conformalCount(falseRejectRate) - independent),
    picturesRequired: conformalCount(falseRejectRate),
    defectsNeeded: Math.max(0, conformalCount(missRate) - defects),
  };
  const statementParts = sentencesOf(facts);
  return {
    ...facts,
    scores,
    defectScores,
    probability: isAugmented ? null : fitProbability(scores, defectScores),
    statement: statementOf(statementParts),
    statementParts,
  };
}

function checkWishes({ falseRejectRate, reviewRate, missRate }: CalibrationWishes): void {
  if (!(falseRejectRate > 0 && falseRejectRate <= 0.5)) {
    throw new RangeError(`the false-reject rate ${falseRejectRate} is not above 0 and at most 0.5`);
  }
  if (!(reviewRate >= falseRejectRate && reviewRate <= 0.5)) {
    throw new RangeError(`the review rate ${reviewRate} is not within the false-reject rate and 0.5`);
  }
  if (!(missRate > 0 && missRate <= 0.5)) {
    throw new RangeError(`the miss rate ${missRate} is not above 0 and at most 0.5`);
  }
}

/**
 * Of each group the highest score: a new part is then as likely as any group to be the highest, at most. Altered copies are
 * kept all, since they are no sample of parts anyway.
 */
function independentScores({ good, groups, method }: CalibrationInput): { scores: number[]; independent: number } {
  if (groups !== undefined && groups.length !== good.length) {
    throw new RangeError(`${groups.length} groups for ${good.length} scores`);
  }
  const all = sorted(good);
  const highest = new Map<number, number>();
  for (let index = 0; index < good.length; index += 1) {
    const group = groups === undefined ? index : groups[index];
    highest.set(group, Math.max(good[index], highest.get(group) ?? Number.NEGATIVE_INFINITY));
  }
  if (method === 'augmented') {
    if (all.length < 1) throw new RangeError('calibration needs at least one score');
    return { scores: all, independent: groups === undefined ? 1 : highest.size };
  }
  if (highest.size < 2) throw new RangeError(`calibration needs at least two independent scores, got ${highest.size}`);
  return { scores: sorted([...highest.values()]), independent: highest.size };
}

function sorted(scores: ArrayLike<number>): number[] {
  const all = Array.from(scores);
  const wrong = all.find((score) => !Number.isFinite(score));
  if (wrong !== undefined) throw new RangeError(`${wrong} is no score`);
  return all.sort((a, b) => a - b);
}

/** The level that an exponential tail through the median and the highest of so many pictures exceeds at a rate. */
function extrapolated(scores: readonly number[], median: number, pictures: number, rate: number): number {
  const stretch = Math.log(0.5 / rate) / Math.log(0.5 * (Math.max(2, pictures) + 1));
  return median + Math.max(1, stretch) * (scores[scores.length - 1] - median);
}

function justBelow(score: number): number {
  return score - Math.max(Math.abs(score) * Number.EPSILON, Number.MIN_VALUE);
}

function middleOf(ascending: readonly number[]): number {
  const half = ascending.length / 2;
  return ascending.length % 2 === 1 ? ascending[Math.floor(half)] : (ascending[half - 1] + ascending[half]) / 2;
}
