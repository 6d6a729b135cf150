import { type Random, shuffled } from '../domain';

/**
 * Deals pictures to folds of about equal size, all pictures of a group to the same one: the largest groups first, each to the
 * fold with the fewest pictures so far.
 *
 * @param groups for each picture the number of its group
 * @param count  folds, at least 2
 * @param random decides among groups of the same size; the same numbers give the same folds
 * @returns for each picture its fold, from 0; none is empty, so that there are fewer folds where there are fewer groups
 * @throws {RangeError} with fewer than two folds
 */
export function dealFolds(groups: ArrayLike<number>, count: number, random: Random): Int32Array {
  if (!(Number.isInteger(count) && count >= 2)) throw new RangeError(`${count} folds are not 2 or more`);
  const members = new Map<number, number[]>();
  for (let picture = 0; picture < groups.length; picture += 1) {
    const others = members.get(groups[picture]);
    if (others) others.push(picture);
    else members.set(groups[picture], [picture]);
  }
  const dealt = shuffled([...members.values()], random).sort((a, b) => b.length - a.length);
  const sizes = new Array<number>(Math.min(count, dealt.length)).fill(0);
  const folds = new Int32Array(groups.length);
  for (const pictures of dealt) {
    const smallest = sizes.indexOf(Math.min(...sizes));
    sizes[smallest] += pictures.length;
    for (const picture of pictures) folds[picture] = smallest;
  }
  return folds;
}
