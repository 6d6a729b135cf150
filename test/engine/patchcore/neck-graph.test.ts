import assert from 'node:assert/strict';
import { type Random, seededRandom } from '../../../engine/domain';
import { Session, type Tensor } from '../../../engine/inference';
import type { Matrix } from '../../../engine/patchcore/matrix';
import { type Conditioning, type Layer, neckGraph } from '../../../engine/patchcore/neck-graph';
import { type PlainLayer, plainPatches } from './plain-patchcore';

describe('Neck graph', () => {
  const random = seededRandom(31);

  /** Expected values: numpy 2.4 and scipy (map_coordinates order 1 mode nearest). */
  it('pools 3x3 without the border, upsamples the deeper map and puts both side by side', async () => {
    const fill = (length: number, value: (index: number) => number) =>
      Float32Array.from({ length }, (_, index) => value(index));
    const layers = [
      { stride: 8, channels: 2, features: { data: fill(32, Math.sin), dims: [1, 2, 4, 4] } },
      { stride: 16, channels: 3, features: { data: fill(12, Math.cos), dims: [1, 3, 2, 2] } },
    ];
    const { data, dims } = await patchesOf(layers, null);
    assert.deepEqual(dims, [16, 5]);
    close(data.subarray(0, 5), [-0.218564, 0.125075, 0.033541, 0.336023, -0.472819]);
    close(data.subarray(30, 35), [0.019849, 0.000629, 0.033541, 0.336023, -0.472819]);
  });

  it('gives the plain patches for any strides and odd grids', async () => {
    for (const layers of [
      [randomLayer(4, 3, 9, 7, random)],
      [randomLayer(4, 2, 12, 8, random), randomLayer(8, 3, 6, 4, random), randomLayer(32, 4, 2, 1, random)],
      [randomLayer(8, 2, 7, 5, random), randomLayer(16, 3, 4, 3, random)],
    ]) {
      const { data } = await patchesOf(layers, null);
      close(data, plainPatches(layers, null).flat());
    }
  });

  it('conditions each layer on its own as the whole patch would be conditioned', async () => {
    const layers = [randomLayer(4, 3, 8, 8, random), randomLayer(8, 9, 4, 4, random), randomLayer(16, 5, 2, 2, random)];
    for (const columns of [4, 17, 30]) {
      const conditioning = { mean: randomValues(17, random), weights: randomMatrix(17, columns, random) };
      const { data, dims } = await patchesOf(layers, conditioning);
      assert.deepEqual(dims, [64, columns]);
      close(data, plainPatches(layers, conditioning).flat(), 2e-5);
    }
  });

  it('scales channels one by one when the weights are diagonal', async () => {
    const layers = [randomLayer(8, 3, 6, 6, random), randomLayer(16, 4, 3, 3, random)];
    const data = new Float32Array(49);
    for (let index = 0; index < 7; index += 1) data[index * 8] = 0.5 + random();
    const conditioning = { mean: randomValues(7, random), weights: { data, rows: 7, columns: 7 } };
    const graph = neckGraph(layers, conditioning);
    assert.equal(Buffer.from(graph).includes('Conv'), false);
    close((await patchesOf(layers, conditioning)).data, plainPatches(layers, conditioning).flat());
  });

  it('refuses a conditioning of another size, no layers, and layers that are not finest first', () => {
    const layers: Layer[] = [
      { stride: 8, channels: 2 },
      { stride: 16, channels: 3 },
    ];
    const conditioning = { mean: new Float32Array(4), weights: { data: new Float32Array(20), rows: 5, columns: 4 } };
    assert.throws(() => neckGraph(layers, conditioning), /4 means and 5 rows does not fit 5 channels/);
    assert.throws(() => neckGraph([], null), RangeError);
    assert.throws(() => neckGraph([layers[1], layers[0]], null), /16,8 are not in rising order/);
  });
});

async function patchesOf(layers: readonly PlainLayer[], conditioning: Conditioning | null): Promise<Tensor> {
  const neck = await Session.open(neckGraph(layers, conditioning), 1);
  try {
    const feeds = Object.fromEntries(layers.map(({ stride, features }) => [`stride${stride}`, features]));
    return (await neck.run(feeds, ['patches'])).patches;
  } finally {
    await neck.close();
  }
}

function randomLayer(stride: number, channels: number, rows: number, columns: number, random: Random): PlainLayer {
  return {
    stride,
    channels,
    features: { data: randomValues(channels * rows * columns, random), dims: [1, channels, rows, columns] },
  };
}

function randomMatrix(rows: number, columns: number, random: Random): Matrix {
  return { data: randomValues(rows * columns, random), rows, columns };
}

function randomValues(length: number, random: Random): Float32Array {
  return Float32Array.from({ length }, () => 2 * random() - 1);
}

function close(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-5): void {
  assert.equal(actual.length, expected.length);
  for (let index = 0; index < expected.length; index += 1) {
    const difference = Math.abs(actual[index] - expected[index]);
    assert.ok(difference < tolerance, `[${index}] ${actual[index]} is not ${expected[index]}`);
  }
}
