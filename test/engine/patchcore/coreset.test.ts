import assert from 'node:assert/strict';
import { seededRandom } from '../../../engine/domain';
import { greedyCoreset } from '../../../engine/patchcore';

const fill = (length: number, value: (index: number) => number) =>
  Float32Array.from({ length }, (_, index) => value(index));

describe('Greedy coreset', () => {
  /** The algorithm as it stands in the paper, one pick after the other. */
  function plainGreedy(data: Float32Array, rows: number, columns: number, first: number, size: number): number[] {
    const picks = [first];
    const least = new Float64Array(rows).fill(Number.POSITIVE_INFINITY);
    while (picks.length < size) {
      const centre = picks[picks.length - 1];
      for (let row = 0; row < rows; row += 1) {
        let sum = 0;
        for (let k = 0; k < columns; k += 1) sum += (data[row * columns + k] - data[centre * columns + k]) ** 2;
        least[row] = Math.min(least[row], sum);
      }
      picks.push(least.indexOf(Math.max(...least)));
    }
    return picks;
  }

  it('picks what the plain algorithm picks, in the same order', async () => {
    const random = seededRandom(21);
    const [rows, columns, size] = [3000, 6, 120];
    const data = fill(rows * columns, () => random());
    const { indices } = await greedyCoreset({ data, rows, columns }, size, seededRandom(2));
    const first = Math.floor(seededRandom(2)() * rows);
    assert.deepEqual([...indices], plainGreedy(data, rows, columns, first, size));
  });

  it('covers every patch within the radius it tells', async () => {
    const random = seededRandom(5);
    const [rows, columns] = [2000, 4];
    const data = fill(rows * columns, () => random());
    const { indices, radius } = await greedyCoreset({ data, rows, columns }, 50, seededRandom(1));
    let farthest = 0;
    for (let row = 0; row < rows; row += 1) {
      const distances = [...indices].map((pick) =>
        Math.hypot(...[0, 1, 2, 3].map((k) => data[row * 4 + k] - data[pick * 4 + k])),
      );
      farthest = Math.max(farthest, Math.min(...distances));
    }
    assert.ok(Math.abs(farthest - radius) < 1e-3, `${farthest} is not ${radius}`);
  });

  it('stops early when every patch equals a chosen one', async () => {
    const data = fill(300, (index) => (Math.floor(index / 3) % 2) + (index % 3));
    const { indices } = await greedyCoreset({ data, rows: 100, columns: 3 }, 10, seededRandom(1));
    assert.ok(indices.length <= 10);
    assert.equal(new Set([...indices].map((index) => data[index * 3])).size, 2);
  });

  it('refuses sizes outside the number of patches, and stops when told', async () => {
    const patches = { data: new Float32Array(40), rows: 10, columns: 4 };
    await assert.rejects(greedyCoreset(patches, 0, seededRandom(1)), RangeError);
    await assert.rejects(greedyCoreset(patches, 11, seededRandom(1)), RangeError);
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(greedyCoreset(patches, 5, seededRandom(1), { signal }), /enough/);
  });
});
