import type { Thresholds } from '../domain';

export interface CalibrationWishes {
  /** Share of good parts that may be rejected, above 0 and at most 0.5. */
  readonly falseRejectRate: number;
  /** Share of good parts that may go to a person (or be rejected), at least `falseRejectRate`. */
  readonly reviewRate: number;
}

export interface Calibration extends CalibrationWishes {
  readonly pictures: number;
  /** Ascending. */
  readonly scores: number[];
  readonly median: number;
  readonly thresholds: Thresholds;
  readonly reject: { readonly method: 'conformal' | 'extrapolated'; readonly rank: number | null };
  readonly accept: { readonly rank: number };
  readonly promisedAcceptRate: number;
  readonly promisedRejectRate: number;
  readonly picturesNeeded: number;
  readonly statement: string;
}

/** Least width between median and reject level, as a share of the median: held-out pictures may all be alike. */
const LEAST_SPREAD = 0.02;

/**
 * The rank (1 = smallest) of the held-out score that a new good part exceeds with probability `rate` at most: a bound that
 * holds for any distribution of scores, as long as parts come from the same process.
 *
 * @returns null when `count` scores are too few for that rate: it takes `1 / rate - 1` of them
 * @see Vovk et al. 2005, "Algorithmic Learning in a Random World" (split conformal prediction)
 */
export function conformalRank(count: number, rate: number): number | null {
  const rank = Math.ceil((1 - rate) * (count + 1) - 1e-9);
  return rank <= count ? Math.max(rank, 1) : null;
}

/**
 * Thresholds from the scores of held-out good parts.
 *
 * The accept level is the conformal level for `reviewRate`, or the highest score when there are too few for that. The
 * reject level is the conformal level for `falseRejectRate`. With too few pictures for that it is extrapolated with an
 * exponential tail through the median and the highest score: the fewer pictures, the wider the band between the two levels,
 * where a person decides.
 *
 * @param scores raw image scores, at least two, in any order
 * @throws {RangeError} with fewer than two scores, or wishes out of range
 */
export function calibrate(scores: ArrayLike<number>, { falseRejectRate, reviewRate }: CalibrationWishes): Calibration {
  if (scores.length < 2) throw new RangeError(`calibration needs at least two scores, got ${scores.length}`);
  if (!(falseRejectRate > 0 && falseRejectRate <= 0.5)) {
    throw new RangeError(`the false-reject rate ${falseRejectRate} is not above 0 and at most 0.5`);
  }
  if (!(reviewRate >= falseRejectRate && reviewRate <= 0.5)) {
    throw new RangeError(`the review rate ${reviewRate} is not within the false-reject rate and 0.5`);
  }
  const sorted = Array.from(scores).sort((a, b) => a - b);
  const count = sorted.length;
  const median = quantileMiddle(sorted);
  const acceptRank = conformalRank(count, reviewRate) ?? count;
  const rejectRank = conformalRank(count, falseRejectRate);
  const highest = Math.max(sorted[count - 1], median + LEAST_SPREAD * Math.abs(median), median + 1e-6);
  const stretch = Math.log(0.5 / falseRejectRate) / Math.log(0.5 * (count + 1));
  const reject = rejectRank === null ? median + (highest - median) * Math.max(1, stretch) : sorted[rejectRank - 1];
  const accept = sorted[acceptRank - 1];
  const facts = {
    falseRejectRate,
    reviewRate,
    pictures: count,
    median,
    thresholds: { accept, reject: Math.max(reject, accept, median + 1e-6) },
    reject: { method: rejectRank === null ? ('extrapolated' as const) : ('conformal' as const), rank: rejectRank },
    accept: { rank: acceptRank },
    promisedAcceptRate: 1 - acceptRank / (count + 1),
    promisedRejectRate: 1 - (rejectRank ?? count) / (count + 1),
    picturesNeeded: Math.ceil(1 / falseRejectRate - 1 - 1e-9),
  };
  return { ...facts, scores: sorted, statement: statementOf(facts) };
}

function statementOf(facts: Omit<Calibration, 'scores' | 'statement'>): string {
  const { pictures, falseRejectRate, promisedAcceptRate, promisedRejectRate, picturesNeeded } = facts;
  const review = `At most ${percent(promisedAcceptRate)} of good parts score above the accept level`;
  if (facts.reject.method === 'conformal') {
    return `${review}, at most ${percent(promisedRejectRate)} above the reject level (${pictures} held-out pictures).`;
  }
  return (
    `${review} (${pictures} held-out pictures). That is too few to promise the wished false-reject rate of ` +
    `${percent(falseRejectRate)}: it takes ${picturesNeeded}. The reject level is an estimate above the highest held-out ` +
    `score, so that parts in doubt go to a person; at most ${percent(promisedRejectRate)} of good parts are rejected.`
  );
}

function quantileMiddle(sorted: readonly number[]): number {
  const half = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(half)] : (sorted[half - 1] + sorted[half]) / 2;
}

function percent(rate: number): string {
  return `${Number((100 * rate).toPrecision(2))} %`;
}
