import type { Random } from '../domain';
import { type Matrix, rowsBetween } from './matrix';

/** Memory for the patches the bank is chosen from, whatever the number of pictures. */
const LIMIT_BYTES = 400 * 1024 * 1024;

/**
 * Collects patches for the bank. Up to the memory limit every patch is kept; beyond it each picture gives an equal number,
 * drawn at random.
 */
export class CandidatePatches {
  private data: Float32Array;
  private columns = 0;
  private rows = 0;
  private quota = 0;

  /** @param pictures how many will be added, at most */
  constructor(
    private readonly pictures: number,
    private readonly random: Random,
    private readonly limitBytes = LIMIT_BYTES,
  ) {
    this.data = new Float32Array(0);
  }

  get matrix(): Matrix {
    return { data: this.data, rows: this.rows, columns: this.columns };
  }

  add(patches: Matrix): void {
    if (this.columns === 0) this.allocate(patches);
    if (this.quota >= patches.rows) {
      this.append(patches.data);
      return;
    }
    for (const row of sample(patches.rows, this.quota, this.random)) this.append(rowsBetween(patches, row, row + 1));
  }

  private allocate(first: Matrix): void {
    this.columns = first.columns;
    const limit = Math.floor(this.limitBytes / (4 * first.columns));
    this.quota = Math.max(1, Math.min(first.rows, Math.floor(limit / this.pictures)));
    this.data = new Float32Array(this.quota * this.pictures * first.columns);
  }

  private append(rows: Float32Array): void {
    this.data.set(rows, this.rows * this.columns);
    this.rows += rows.length / this.columns;
  }
}

/** `count` different numbers below `limit`, ascending. */
function sample(limit: number, count: number, random: Random): number[] {
  const numbers = Uint32Array.from({ length: limit }, (_, index) => index);
  for (let index = 0; index < count; index += 1) {
    const other = index + Math.floor(random() * (limit - index));
    [numbers[index], numbers[other]] = [numbers[other], numbers[index]];
  }
  return Array.from(numbers.subarray(0, count)).sort((a, b) => a - b);
}
