import { createHash } from 'node:crypto';
import type { Split } from './dataset';

/** Shares of the pictures, 0..1 together; the rest is for training. */
export interface SplitShares {
  readonly val: number;
  readonly test?: number;
}

/**
 * The split of a picture by the hash of its id: the same whenever and wherever it is asked for, whatever other pictures
 * there are. A share for testing, added later, takes nothing from validation.
 *
 * @throws {RangeError} for shares below 0, or above 1 together
 */
export function fixedSplit(id: string, { val, test = 0 }: SplitShares = { val: 0.2 }): Split {
  if (!(val >= 0 && test >= 0 && val + test <= 1)) throw new RangeError(`${val} and ${test} are no shares of a whole`);
  const place = createHash('sha256').update(id).digest().readUInt32BE(0) / 2 ** 32;
  if (place < val) return 'val';
  return place < val + test ? 'test' : 'train';
}
