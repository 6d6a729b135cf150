import assert from 'node:assert/strict';
import { seededRandom } from '../../../engine/domain';
import { greedyCoreset } from '../../../engine/patchcore';

const fill = (length: number, value: (index: number) => number) =>
  Float32Array.from({ length }, (_, index) => value(index));

describe('Greedy coreset', () => {
  /** The algorithm as it stands in the paper, one pick after the other. */
  function plainGreedy(data: Float32Array, rows: number, columns: number, start: number[], size: number): number[] {
    const picks: number[] = [];
    const least = new Float64Array(rows).fill(Number.POSITIVE_INFINITY);
    while (picks.length < size) {
      const centre = start[picks.length] ?? least.indexOf(Math.max(...least));
      for (let row = 0; row < rows; row += 1) {
        let sum = 0;
        for (let k = 0; k < columns; k += 1) sum += (data[row * columns + k] - data[centre * columns + k]) ** 2;
        least[row] = Math.min(least[row], sum);
      }
      picks.push(centre);
    }
    return picks;
  }

  it('picks what the plain algorithm picks, in the same order', async () => {
    const random = seededRandom(21);
    const [rows, columns, size] = [3000, 6, 120];
    const data = fill(rows * columns, () => random());
    const { indices } = await greedyCoreset({ data, rows, columns }, size, seededRandom(2));
    const first = Math.floor(seededRandom(2)() * rows);
    assert.deepEqual([...indices], plainGreedy(data, rows, columns, [first], size));
  });

  it('goes on from rows chosen before', async () => {
    const random = seededRandom(9);
    const [rows, columns, size] = [2500, 5, 90];
    const data = fill(rows * columns, () => random());
    const start = [1200, 3, 77, 2499];
    const { indices } = await greedyCoreset({ data, rows, columns }, size, seededRandom(2), { start });
    assert.deepEqual([...indices], plainGreedy(data, rows, columns, start, size));
    const all = await greedyCoreset({ data, rows, columns }, 4, seededRandom(2), { start });
    assert.deepEqual([...all.indices], start);
  });

  it('refuses to start with more rows than wanted, the same twice, and rows that are not there', async () => {
    const patches = { data: fill(40, Math.sin), rows: 10, columns: 4 };
    for (const start of [[1, 2, 3, 4], [1, 1], [10], [-1], [0.5]]) {
      await assert.rejects(greedyCoreset(patches, 3, seededRandom(1), { start }), RangeError);
    }
  });

  it('picks what the plain algorithm picks from more patches than are measured at once', async () => {
    const random = seededRandom(4);
    const [rows, columns, size] = [9000, 4, 60];
    const data = fill(rows * columns, () => random() ** 4);
    const { indices } = await greedyCoreset({ data, rows, columns }, size, seededRandom(6), { threads: 2 });
    const first = Math.floor(seededRandom(6)() * rows);
    assert.deepEqual([...indices], plainGreedy(data, rows, columns, [first], size));
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
