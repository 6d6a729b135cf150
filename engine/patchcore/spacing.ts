import { Session } from '../inference';
import { closestGraph } from './distance-graphs';
import { type Matrix, rowsBetween } from './matrix';

/** Neighbours in the bank that a row's spacing is averaged over. */
const NEIGHBOURS = 9;
const LEAST = 1e-6;
/** Rows measured per run: bounds the memory for distances. */
const CHUNK = 1024;

/**
 * How far a bank row's neighbours in the bank lie away, on average. Where good patches are rare and varied the bank is
 * sparse, and a distance says less there: divided by the spacing, distances become comparable all over the picture, and 1
 * means "as far as bank patches are from one another". The idea is that of the local outlier factor (Breunig et al. 2000)
 * and of the paper's re-weighting (Roth et al. 2022, equation 7), here for every patch.
 *
 * @param bank one patch a row
 * @returns one a row, above 0
 */
export async function bankSpacing(bank: Matrix, threads: number): Promise<Float32Array> {
  const count = Math.min(NEIGHBOURS, bank.rows - 1);
  const result = new Float32Array(bank.rows).fill(1);
  if (count < 1) return result;
  const session = await Session.open(closestGraph(bank.columns, count + 1), threads);
  try {
    const b = { data: rowsBetween(bank, 0, bank.rows), dims: [bank.rows, bank.columns] };
    for (let from = 0; from < bank.rows; from += CHUNK) {
      const to = Math.min(from + CHUNK, bank.rows);
      const a = { data: rowsBetween(bank, from, to), dims: [to - from, bank.columns] };
      const { data } = (await session.run({ a, b }, ['closest'])).closest;
      for (let row = from; row < to; row += 1) {
        // The nearest one is the row itself.
        const first = (row - from) * (count + 1) + 1;
        let sum = 0;
        for (let place = first; place < first + count; place += 1) sum += Math.sqrt(data[place]);
        result[row] = Math.max(sum / count, LEAST);
      }
    }
    return result;
  } finally {
    await session.close();
  }
}
