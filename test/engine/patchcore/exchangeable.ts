/**
 * How many of `fresh` scores lie above the `place`-th highest of `known` ones at most, but for one case in a thousand, when
 * all come from the same process: a bound on what a conformal level may do without breaking its promise (negative
 * hypergeometric law).
 */
export function mostAbove(known: number, place: number, fresh: number): number {
  let probability = 1;
  for (let index = 0; index < place; index += 1) probability *= (known - index) / (known + fresh - index);
  let [count, below] = [0, probability];
  while (below < 0.999) {
    probability *= ((count + place) / (count + 1)) * ((fresh - count) / (fresh - count + known - place));
    count += 1;
    below += probability;
  }
  return count;
}
