/**
 * Weights with which all classes count alike, however many rows they have: `rows / (classes * count)`; 0 for a class
 * without rows.
 */
export function balancedWeights(labels: ArrayLike<number>, classes: number): Float64Array {
  const counts = new Float64Array(classes);
  for (let row = 0; row < labels.length; row += 1) counts[labels[row]] += 1;
  return counts.map((count) => (count === 0 ? 0 : labels.length / (classes * count)));
}

/**
 * Deals rows to folds so that each has about as many of each class; rows of one group (a picture and its altered copies) stay
 * together.
 *
 * @param labels of the groups
 * @returns the fold of each group
 */
export function stratifiedFolds(labels: ArrayLike<number>, folds: number, random: () => number): Int32Array {
  const dealt = new Int32Array(labels.length);
  const byClass = new Map<number, number[]>();
  for (let group = 0; group < labels.length; group += 1) {
    byClass.set(labels[group], [...(byClass.get(labels[group]) ?? []), group]);
  }
  let next = 0;
  for (const [, groups] of [...byClass].sort(([a], [b]) => a - b)) {
    for (let last = groups.length - 1; last > 0; last -= 1) {
      const other = Math.floor(random() * (last + 1));
      [groups[last], groups[other]] = [groups[other], groups[last]];
    }
    for (const group of groups) {
      dealt[group] = next % folds;
      next += 1;
    }
  }
  return dealt;
}
