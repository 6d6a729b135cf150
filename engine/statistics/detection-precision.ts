import type { ClassOutcome } from './detection-matching';

/** Recalls at which the precision is read: 0, 0.01, ... 1. */
const RECALL_POINTS = 101;

/**
 * Average precision of one class at one overlap: the mean, over 101 recalls, of the best precision at that recall or a
 * higher one.
 *
 * @param bit     number of the overlap
 * @param weights how often each picture counts; once unless told
 * @returns 0..1; NaN when no true box counts
 * @see https://cocodataset.org/#detection-eval
 */
export function averagePrecisionOf({ outcomes, counts }: ClassOutcome, bit: number, weights?: Int32Array): number {
  const total = counts.reduce((sum, count, picture) => sum + count * (weights?.[picture] ?? 1), 0);
  if (total === 0) return Number.NaN;
  const recalls: number[] = [];
  const precisions: number[] = [];
  const mask = 1 << bit;
  let hits = 0;
  let alarms = 0;
  for (const outcome of outcomes) {
    const weight = weights?.[outcome.picture] ?? 1;
    if (weight === 0 || (outcome.ignored & mask) !== 0) continue;
    alarms += weight;
    if ((outcome.hits & mask) === 0) continue;
    hits += weight;
    recalls.push(hits / total);
    precisions.push(hits / alarms);
  }
  for (let place = precisions.length - 2; place >= 0; place -= 1) {
    precisions[place] = Math.max(precisions[place], precisions[place + 1]);
  }
  let place = 0;
  let sum = 0;
  for (let point = 0; point < RECALL_POINTS; point += 1) {
    while (place < recalls.length && recalls[place] < point * 0.01) place += 1;
    sum += precisions[place] ?? 0;
  }
  return sum / RECALL_POINTS;
}

/** Mean of those that are numbers; NaN when none is. */
export function meanOf(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}
