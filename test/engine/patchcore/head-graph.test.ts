import assert from 'node:assert/strict';
import { type Random, seededRandom } from '../../../engine/domain';
import { Session } from '../../../engine/inference';
import { OnnxInvalid } from '../../../engine/onnx';
import { type BankStorage, bankOf } from '../../../engine/patchcore/bank-storage';
import { type Head, headGraph } from '../../../engine/patchcore/head-graph';
import type { Matrix } from '../../../engine/patchcore/matrix';
import { neckGraph } from '../../../engine/patchcore/neck-graph';
import { distanceTo, plainMap, plainNearest, plainPatches, plainReweighted } from './plain-patchcore';

const [ROWS, COLUMNS] = [6, 5];
const PATCHES = ROWS * COLUMNS;
const SIGMA = 3;

describe('Head graph', () => {
  const random = seededRandom(77);
  const layers = [
    { stride: 8, channels: 4, features: { data: randomValues(4 * PATCHES, random), dims: [1, 4, ROWS, COLUMNS] } },
    { stride: 16, channels: 6, features: { data: randomValues(6 * 9, random), dims: [1, 6, 3, 3] } },
  ];
  const conditioning = { mean: randomValues(10, random), weights: randomMatrix(10, 7, random) };
  const patches = plainPatches(layers, conditioning);
  const bank = randomMatrix(700, 7, random);
  const head: Head = { layers, conditioning, bank, sigma: SIGMA };
  const everyPatch = new Float32Array(PATCHES).fill(1);

  it('finds the distance to the nearest bank row for each patch, whatever the number of blocks', async () => {
    for (const rows of [1, 3, 255, 256, 257, 700]) {
      const part = { ...bank, rows };
      const { distances } = await run({ ...head, bank: part }, everyPatch);
      assert.deepEqual(distances.dims, [1, 1, ROWS, COLUMNS]);
      close(
        distances.data,
        patches.map((patch) => plainNearest(patch, part).distance),
      );
    }
  });

  it('gives distance 0 to a patch that is in the bank', async () => {
    const neck = await Session.open(neckGraph(layers, conditioning), 1);
    const own = (await neck.run(feedsOf(everyPatch), ['patches'])).patches.data;
    await neck.close();
    const { distances } = await run({ ...head, bank: { data: own, rows: PATCHES, columns: 7 } }, everyPatch);
    close(distances.data, new Float32Array(PATCHES), 3e-3);
  });

  it('names the patch that counts and is farthest away, and its nearest bank row', async () => {
    const nearest = patches.map((patch) => plainNearest(patch, bank));
    const order = nearest.map((_, patch) => patch).sort((a, b) => nearest[b].distance - nearest[a].distance);
    const counts = everyPatch.slice();
    counts[order[0]] = 0;
    counts[order[1]] = 0;
    const { distances, worst } = await run(head, counts);
    assert.deepEqual([...worst.data], [order[2], nearest[order[2]].row]);
    assert.equal(distances.data[order[0]], 0);
    assert.equal(distances.data[order[1]], 0);
    close([distances.data[order[2]]], [nearest[order[2]].distance]);
  });

  it('gives 0 everywhere when no patch counts', async () => {
    const outputs = await run({ ...head, neighbours: 3 }, new Float32Array(PATCHES));
    close(outputs.distances.data, new Float32Array(PATCHES), 1e-9);
    close(outputs.map.data, new Float32Array(64 * PATCHES), 1e-9);
    assert.deepEqual([...outputs.reweighted.data], [0]);
  });

  it('divides the distance to each bank row by its spacing before it takes the least', async () => {
    const spacing = Float32Array.from({ length: bank.rows }, () => 0.5 + random());
    const { distances, worst } = await run({ ...head, spacing }, everyPatch);
    const scaled = patches.map((patch) => Array.from(spacing, (value, row) => distanceTo(patch, bank, row) / value));
    const least = scaled.map((values) => Math.min(...values));
    close(distances.data, least);
    const farthest = least.indexOf(Math.max(...least));
    assert.deepEqual([...worst.data], [farthest, scaled[farthest].indexOf(least[farthest])]);
  });

  it('smooths the distances to a map of input pixels', async () => {
    const { distances, map } = await run(head, everyPatch);
    const grid = Array.from({ length: ROWS }, (_, row) => [
      ...distances.data.subarray(row * COLUMNS, (row + 1) * COLUMNS),
    ]);
    assert.deepEqual(map.dims, [1, 1, ROWS * 8, COLUMNS * 8]);
    close(map.data, plainMap(grid, 8, SIGMA).flat());
  });

  it('lowers the distance of the worst patch by how usual its nearest bank row is', async () => {
    for (const neighbours of [2, 9, 700]) {
      const { worst, reweighted } = await run({ ...head, neighbours }, everyPatch);
      assert.deepEqual(reweighted.dims, [1]);
      close(reweighted.data, [plainReweighted(patches[worst.data[0]], bank, neighbours)]);
    }
  });

  it('reweights distances whose exponential is beyond float32', async () => {
    const far: Matrix = { ...bank, data: bank.data.map((value) => 200 * value) };
    const { worst, reweighted } = await run({ ...head, bank: far, neighbours: 5 }, everyPatch);
    const patch = patches[worst.data[0]];
    const { distance, row } = plainNearest(patch, far);
    assert.ok(distance > 89, 'the case needs distances above 89');
    const own = far.data.subarray(row * 7, row * 7 + 7);
    const closest = Array.from({ length: far.rows }, (_, other) => ({ other, apart: distanceTo(own, far, other) }))
      .sort((a, b) => a.apart - b.apart)
      .slice(0, 5);
    const sum = closest.reduce((total, { other }) => total + Math.exp(distanceTo(patch, far, other) - distance), 0);
    close([reweighted.data[0] / distance], [1 - 1 / sum]);
  });

  describe('with positions', () => {
    const bankRows = Array.from({ length: 700 }, (_, row) => row % ROWS);
    const bankColumns = Array.from({ length: 700 }, (_, row) => Math.floor(row / ROWS) % COLUMNS);
    const places = { gridRows: ROWS, gridColumns: COLUMNS, bankRows, bankColumns };
    const apart = (patch: number, row: number) =>
      Math.max(Math.abs(bankRows[row] - Math.floor(patch / COLUMNS)), Math.abs(bankColumns[row] - (patch % COLUMNS)));

    it('lets only bank rows from nearby places compete', async () => {
      for (const reach of [0, 1, 2, 6]) {
        const { distances, worst } = await run({ ...head, position: { reach, ...places } }, everyPatch);
        const expected = patches.map((patch, index) => plainNearest(patch, bank, (row) => apart(index, row) <= reach));
        close(
          distances.data,
          expected.map(({ distance }) => distance),
        );
        const farthest = Math.max(...expected.map(({ distance }) => distance));
        const patch = expected.findIndex(({ distance }) => distance === farthest);
        assert.deepEqual([...worst.data], [patch, expected[patch].row]);
      }
    });

    it('divides by the spacing of the rows in reach', async () => {
      const spacing = Float32Array.from({ length: 700 }, () => 0.2 + random());
      const { distances, worst } = await run({ ...head, spacing, position: { reach: 1, ...places } }, everyPatch);
      const expected = patches.map((patch, index) => {
        const near = bankRows.map((_, row) => row).filter((row) => apart(index, row) <= 1);
        return Math.min(...near.map((row) => distanceTo(patch, bank, row) / spacing[row]));
      });
      close(distances.data, expected);
      assert.equal(worst.data[0], expected.indexOf(Math.max(...expected)));
    });

    it('looks as far as the nearest places where no bank row is in reach', async () => {
      const few = { ...bank, rows: 3 };
      const position = { ...places, reach: 1, bankRows: bankRows.slice(0, 3), bankColumns: bankColumns.slice(0, 3) };
      const { distances } = await run({ ...head, bank: few, position }, everyPatch);
      const expected = patches.map((patch, index) => {
        const nearestPlace = Math.min(...[0, 1, 2].map((row) => apart(index, row)));
        return plainNearest(patch, few, (row) => apart(index, row) <= Math.max(1, nearestPlace)).distance;
      });
      close(distances.data, expected);
    });

    it('refuses places outside the grid, and missing ones', () => {
      const outside = { ...places, reach: 1, bankRows: bankRows.with(4, ROWS) };
      assert.throws(() => headGraph({ ...head, position: outside }), /bank row 4 lies at 6, 0/);
      const missing = { ...places, reach: 1, bankColumns: [] };
      assert.throws(() => headGraph({ ...head, position: missing }), RangeError);
    });
  });

  describe('stored smaller', () => {
    const sizes: Record<BankStorage, number> = { float32: 4, float16: 2, int8: 1 };

    it('reads the bank back, float32 exactly, the others within their rounding', () => {
      assert.deepEqual(bankOf(headGraph(head)), bank);
      const half = bankOf(headGraph({ ...head, storage: 'float16' }));
      close(half.data, bank.data, 2 ** -11);
      const bytes = bankOf(headGraph({ ...head, storage: 'int8' }));
      close(bytes.data, bank.data, 1 / 127 / 2 + 1e-6);
    });

    it('searches the very bank that it gives back', async () => {
      for (const storage of ['float16', 'int8'] as const) {
        const graph = { ...head, storage, neighbours: 4 };
        const stored = bankOf(headGraph(graph));
        const { distances, worst, reweighted } = await run(graph, everyPatch);
        close(
          distances.data,
          patches.map((patch) => plainNearest(patch, stored).distance),
        );
        close(reweighted.data, [plainReweighted(patches[worst.data[0]], stored, 4)]);
      }
    });

    it('takes the bytes it promises', () => {
      const bytes = (storage: BankStorage) => headGraph({ ...head, storage }).length;
      for (const storage of ['float16', 'int8'] as const) {
        const saved = bytes('float32') - bytes(storage);
        const expected = (4 - sizes[storage]) * 700 * 7 - (storage === 'int8' ? 4 * 700 : 0);
        assert.ok(Math.abs(saved - expected) < 300, `${storage} saves ${saved} bytes, not ${expected}`);
      }
    });

    it('does not take another graph for a head', () => {
      assert.throws(() => bankOf(neckGraph(layers, null)), OnnxInvalid);
    });
  });

  it('refuses a bank of other patches, an empty one, and more neighbours than rows', () => {
    assert.throws(() => headGraph({ ...head, conditioning: null }), /rows have 7 numbers, the patches 10/);
    assert.throws(() => headGraph({ ...head, bank: { ...bank, rows: 0 } }), RangeError);
    assert.throws(() => headGraph({ ...head, neighbours: 701 }), /701 neighbours/);
    assert.throws(() => headGraph({ ...head, sigma: 0 }), RangeError);
  });

  function feedsOf(counts: Float32Array) {
    const features = layers.map(({ stride, features: tensor }) => [`stride${stride}`, tensor]);
    return { ...Object.fromEntries(features), counts: { data: counts, dims: [1, 1, ROWS, COLUMNS] } };
  }

  async function run(wanted: Head, counts: Float32Array) {
    const session = await Session.open(headGraph(wanted), 1);
    try {
      const outputs = ['distances', 'map', 'worst', ...(wanted.neighbours ? ['reweighted'] : [])];
      return await session.run(feedsOf(counts), outputs);
    } finally {
      await session.close();
    }
  }
});

function randomMatrix(rows: number, columns: number, random: Random): Matrix {
  return { data: randomValues(rows * columns, random), rows, columns };
}

function randomValues(length: number, random: Random): Float32Array {
  return Float32Array.from({ length }, () => 2 * random() - 1);
}

function close(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-4): void {
  assert.equal(actual.length, expected.length);
  for (let index = 0; index < expected.length; index += 1) {
    const difference = Math.abs(actual[index] - expected[index]);
    assert.ok(difference < tolerance, `[${index}] ${actual[index]} is not ${expected[index]}`);
  }
}
