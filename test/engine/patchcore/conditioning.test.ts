import assert from 'node:assert/strict';
import { seededRandom } from '../../../engine/domain';
import { featureMoments, fitConditioning } from '../../../engine/patchcore/conditioning';
import type { Matrix } from '../../../engine/patchcore/matrix';
import { Products } from '../../../engine/patchcore/product';

describe('Conditioning', () => {
  const random = seededRandom(12);
  const layers = [
    { stride: 8, channels: 200 },
    { stride: 16, channels: 300 },
  ];
  let products: Products;
  before(async () => {
    products = await Products.open(1);
  });
  after(() => products.close());

  /** Patches of 500 channels that vary in a few directions only, the first a hundred times as much as the next. */
  function patchesOf(directions: number): Matrix {
    const [rows, columns] = [600, 500];
    const mixing = Array.from({ length: directions }, (_, index) =>
      Float32Array.from({ length: columns }, () => (random() - 0.5) * (index === 0 ? 100 : 1)),
    );
    const data = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row += 1) {
      const factors = mixing.map(() => random() - 0.5);
      for (let column = 0; column < columns; column += 1) {
        data[row * columns + column] = 3 + mixing.reduce((sum, mix, index) => sum + mix[column] * factors[index], 0);
      }
    }
    return { data, rows, columns };
  }

  it('keeps the distances of patches that vary in fewer directions than are kept', async () => {
    for (const directions of [3, 40]) {
      const patches = patchesOf(directions);
      const moments = await featureMoments(patches, layers, products);
      const conditioning = await fitConditioning('scaling', moments, 60, products, random);
      assert.ok(conditioning);
      const scales = layers.flatMap(({ channels }, index) => {
        const from = index === 0 ? 0 : layers[0].channels;
        let variance = 0;
        for (let channel = from; channel < from + channels; channel += 1)
          variance += varianceOf(patches, channel) / channels;
        return Array.from({ length: channels }, () => 1 / Math.sqrt(variance));
      });
      for (const [one, other] of [
        [0, 1],
        [5, 300],
        [77, 599],
      ]) {
        const difference = Array.from(
          { length: 500 },
          (_, channel) => patches.data[one * 500 + channel] - patches.data[other * 500 + channel],
        );
        const expected = Math.hypot(...difference.map((value, channel) => value * scales[channel]));
        const { data, columns } = conditioning.weights;
        const conditioned = Array.from({ length: columns }, (_, column) =>
          difference.reduce((sum, value, channel) => sum + value * data[channel * columns + column], 0),
        );
        const actual = Math.hypot(...conditioned);
        assert.ok(Math.abs(actual / expected - 1) < 1e-3, `${directions}: ${actual} is not ${expected}`);
      }
    }
  });

  it('whitens patches that vary in few directions without dividing by nothing', async () => {
    const moments = await featureMoments(patchesOf(3), layers, products);
    const conditioning = await fitConditioning('whitening', moments, 60, products, random);
    assert.ok(conditioning);
    assert.ok(conditioning.weights.data.every(Number.isFinite));
  });
});

function varianceOf({ data, rows, columns }: Matrix, column: number): number {
  let [sum, squares] = [0, 0];
  for (let row = 0; row < rows; row += 1) {
    sum += data[row * columns + column];
    squares += data[row * columns + column] ** 2;
  }
  return squares / rows - (sum / rows) ** 2;
}
