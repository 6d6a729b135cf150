/** Fewer scores do not show what is usual. */
const LEAST_SCORES = 8;
/** The highest of them say nothing about what is usual: they may be the defective ones. */
const DOUBTFUL_SHARE = 0.15;
/** Share of good ones among the suspects, on average, and of good sets with a suspect: if the tail is exponential. */
const FALSE_ALARM_RATE = 0.1;
/** Least mean excess over the median, as a share of it: scores may all be alike. */
const LEAST_EXCESS = 0.01;

/**
 * Training pictures whose held-out scores stand out so far that they are probably defective, for a person to look at. The
 * scores above the median are taken for an exponential tail; its mean comes from the scores between the median and the
 * highest 15 %. Suspect are the highest scores of which, by that tail, at most a tenth would be there without defects. With
 * few scores the mean is known badly, and the level is accordingly higher.
 *
 * On sets of 8 to 2,000 good scores that means a suspect in at most 10 % of sets of normal, Gumbel, gamma or exponential
 * scores, and less than half a suspect a set for log-normal ones with sigma 0.5. Defective pictures that resemble one another
 * hide one another, because the one is in the bank that scores the other.
 *
 * @param scores raw image scores, each from a bank that does not know the picture, in the order of the pictures
 * @returns places in `scores`, the highest score first; none with fewer than 8 scores
 * @see Epstein and Sobel 1953, "Life Testing" (mean of an exponential tail of which the end is cut off); Benjamini and
 *      Hochberg 1995, "Controlling the False Discovery Rate"
 */
export function suspects(scores: readonly number[]): number[] {
  const count = scores.length;
  if (count < LEAST_SCORES) return [];
  const places = scores.map((_, place) => place).sort((a, b) => scores[b] - scores[a]);
  const expectedAbove = tailOf(scores.slice().sort((a, b) => a - b));
  let found = 0;
  for (let rank = 1; rank <= count / 2; rank += 1) {
    if (expectedAbove(scores[places[rank - 1]]) <= FALSE_ALARM_RATE * rank) found = rank;
  }
  return places.slice(0, found);
}

/** How many of so many good scores would lie above a score. */
function tailOf(ascending: readonly number[]): (score: number) => number {
  const count = ascending.length;
  const middle = Math.ceil(count / 2);
  const end = Math.floor((1 - DOUBTFUL_SHARE) * count);
  const median = ascending[middle - 1];
  // Of the scores above the median those up to `end` are known, the others only to lie above.
  const known = end - middle;
  const excess = ascending.slice(middle, end).reduce((sum, score) => sum + score - median, 0);
  const mean = Math.max(
    (excess + (count - end) * (ascending[end - 1] - median)) / known,
    LEAST_EXCESS * Math.abs(median),
    Number.MIN_VALUE,
  );
  // A new excess, over a mean from `known` others, follows a Pareto law.
  return (score) => (count - middle) * (1 + Math.max(0, score - median) / (mean * known)) ** -known;
}
