/** Below and above, probabilities are as good as 0 and 1, or all alike. */
const LEAST = 0.05;
const MOST = 20;
const STEPS = 60;

/**
 * What logits must be divided by, so that the probabilities made of them are most likely what happens: the one with the
 * smallest weighted cross entropy.
 *
 * @param logits  row-major [rows x classes], of pictures that were not learnt
 * @param labels  the class of each row
 * @param weights how much a row of each class counts
 * @returns 0.05..20
 * @see Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2
 */
export function fitTemperature(
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
  weights: ArrayLike<number>,
): number {
  // the cross entropy is convex in 1 / temperature: golden section, in its logarithm
  const ratio = (Math.sqrt(5) - 1) / 2;
  const cost = (at: number) => crossEntropy(logits, labels, classes, weights, Math.exp(at));
  let [low, high] = [Math.log(LEAST), Math.log(MOST)];
  let [left, right] = [high - ratio * (high - low), low + ratio * (high - low)];
  let [atLeft, atRight] = [cost(left), cost(right)];
  for (let step = 0; step < STEPS; step += 1) {
    if (atLeft <= atRight) {
      [high, right, atRight] = [right, left, atLeft];
      left = high - ratio * (high - low);
      atLeft = cost(left);
    } else {
      [low, left, atLeft] = [left, right, atRight];
      right = low + ratio * (high - low);
      atRight = cost(right);
    }
  }
  return Math.exp((low + high) / 2);
}

/** Weighted mean of the negative logarithm of the true class's probability; logits are divided by the temperature. */
export function crossEntropy(
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
  weights: ArrayLike<number>,
  temperature = 1,
): number {
  let [sum, total] = [0, 0];
  for (let row = 0; row < labels.length; row += 1) {
    const from = row * classes;
    let highest = Number.NEGATIVE_INFINITY;
    for (let label = 0; label < classes; label += 1) highest = Math.max(highest, logits[from + label] / temperature);
    let shares = 0;
    for (let label = 0; label < classes; label += 1) shares += Math.exp(logits[from + label] / temperature - highest);
    const weight = weights[labels[row]];
    sum += weight * (highest + Math.log(shares) - logits[from + labels[row]] / temperature);
    total += weight;
  }
  return sum / total;
}

/** The class with the highest logit of each row. */
export function namedClasses(logits: ArrayLike<number>, classes: number): Int32Array {
  return Int32Array.from({ length: logits.length / classes }, (_, row) => {
    let best = 0;
    for (let label = 1; label < classes; label += 1) {
      if (logits[row * classes + label] > logits[row * classes + best]) best = label;
    }
    return best;
  });
}
