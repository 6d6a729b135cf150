import { pairwiseGraph } from './graphs';
import type { Matrix } from './matrix';
import { Session } from './session';

/** Neighbours in the bank that a row's spacing is averaged over. */
const NEIGHBOURS = 9;
const LEAST = 1e-6;

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
  if (count < 1) return new Float32Array(bank.rows).fill(1);
  const session = await Session.open(pairwiseGraph(bank.columns), threads);
  try {
    const tensor = { data: bank.data.subarray(0, bank.rows * bank.columns), dims: [bank.rows, bank.columns] };
    const { squared } = await session.run({ a: tensor, b: tensor }, ['squared']);
    return Float32Array.from({ length: bank.rows }, (_, row) => {
      const distances = squared.data.slice(row * bank.rows, (row + 1) * bank.rows);
      distances[row] = Number.POSITIVE_INFINITY;
      distances.sort();
      let sum = 0;
      for (let place = 0; place < count; place += 1) sum += Math.sqrt(distances[place]);
      return Math.max(sum / count, LEAST);
    });
  } finally {
    await session.close();
  }
}
