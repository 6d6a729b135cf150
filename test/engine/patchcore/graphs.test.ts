import assert from 'node:assert/strict';
import { seededRandom } from '../../../engine/domain';
import { headGraph, neckGraph } from '../../../engine/patchcore/graphs';
import { Session } from '../../../engine/patchcore/session';

const fill = (length: number, value: (index: number) => number) =>
  Float32Array.from({ length }, (_, index) => value(index));

const features = {
  stride8: { data: fill(32, Math.sin), dims: [1, 2, 4, 4] },
  stride16: { data: fill(12, Math.cos), dims: [1, 3, 2, 2] },
};
const channels = { stride8: 2, stride16: 3 };

const close = (actual: ArrayLike<number>, expected: ArrayLike<number>) => {
  for (let index = 0; index < expected.length; index += 1) {
    assert.ok(
      Math.abs(actual[index] - expected[index]) < 1e-5,
      `[${index}] ${actual[index]} is not ${expected[index]}`,
    );
  }
};

/** Expected values: numpy 2.4 and scipy (map_coordinates order 1 mode nearest; gaussian_filter mode nearest, truncate 4). */
describe('PatchCore graphs', () => {
  it('pools 3x3 without the border, upsamples the deeper map and puts both side by side', async () => {
    const neck = await Session.open(neckGraph(channels), 1);
    const { patches } = await neck.run(features, ['patches']);
    assert.deepEqual(patches.dims, [16, 5]);
    close(patches.data.subarray(0, 5), [-0.218564, 0.125075, 0.033541, 0.336023, -0.472819]);
    close(patches.data.subarray(30, 35), [0.019849, 0.000629, 0.033541, 0.336023, -0.472819]);
    await neck.close();
  });

  it('finds the distance to the nearest bank row for each patch, and smooths it to a map', async () => {
    const bank = { data: fill(20, (index) => Math.sin(index * 0.7)), rows: 4, columns: 5 };
    const head = await Session.open(headGraph(channels, bank, 2), 1);
    const { distances, map } = await head.run(features, ['distances', 'map']);
    assert.deepEqual(distances.dims, [1, 1, 4, 4]);
    close(
      distances.data,
      [
        1.467613, 1.495451, 1.563557, 1.613755, 1.473506, 1.45944, 1.437675, 1.426531, 1.446054, 1.454191, 1.467837,
        1.475779, 1.615458, 1.555509, 1.440477, 1.381224,
      ],
    );
    assert.deepEqual(map.dims, [1, 1, 32, 32]);
    const at = (y: number, x: number) => map.data[y * 32 + x];
    close([at(0, 0), at(5, 9), at(16, 16), at(31, 31), at(20, 3)], [1.467756, 1.48208, 1.455631, 1.381876, 1.47074]);
    await head.close();
  });

  it('finds the same distances when the bank is searched in several blocks', async () => {
    const random = seededRandom(8);
    const bank = { data: fill(1300 * 5, () => random() - 0.5), rows: 1300, columns: 5 };
    const neck = await Session.open(neckGraph(channels), 1);
    const { patches } = await neck.run(features, ['patches']);
    const expected = Array.from({ length: 16 }, (_, patch) => {
      let least = Number.POSITIVE_INFINITY;
      for (let row = 0; row < bank.rows; row += 1) {
        let sum = 0;
        for (let k = 0; k < 5; k += 1) sum += (patches.data[patch * 5 + k] - bank.data[row * 5 + k]) ** 2;
        least = Math.min(least, sum);
      }
      return Math.sqrt(least);
    });
    const head = await Session.open(headGraph(channels, bank, 2), 1);
    const { distances } = await head.run(features, ['distances']);
    close(distances.data, expected);
    await neck.close();
    await head.close();
  });
});
