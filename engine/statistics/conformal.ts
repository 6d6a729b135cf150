/** Keeps a product such as 0.99 x 100 from being taken for more than it is. */
const ROUNDING = 1e-9;

/**
 * The rank (1 = smallest) of the held-out score that a new good part exceeds with probability `rate` at most: a bound that
 * holds for any distribution of scores, as long as parts come from the same process. It holds on average over such held-out
 * sets, not for each single one.
 *
 * @param count good held-out scores
 * @param rate  above 0, below 1
 * @returns null when `count` scores are too few for that rate: it takes `conformalCount(rate)`
 * @see Vovk et al. 2005, "Algorithmic Learning in a Random World" (split conformal prediction)
 */
export function conformalRank(count: number, rate: number): number | null {
  const rank = Math.ceil((1 - rate) * (count + 1) - ROUNDING);
  return rank <= count ? Math.max(rank, 1) : null;
}

/**
 * The rank (1 = smallest) of the defective score below which a new defective part scores with probability `rate` at most.
 *
 * @param count scores of defective parts
 * @returns null when they are too few for that rate: it takes `conformalCount(rate)`
 */
export function conformalLowerRank(count: number, rate: number): number | null {
  const rank = Math.floor(rate * (count + 1) + ROUNDING);
  return rank >= 1 ? Math.min(rank, count) : null;
}

/** How many scores it takes to promise a rate. */
export function conformalCount(rate: number): number {
  return Math.ceil(1 / rate - 1 - ROUNDING);
}
