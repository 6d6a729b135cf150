import assert from 'node:assert/strict';
import { Matrix as Dense, EigenvalueDecomposition } from 'ml-matrix';
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

  it('leaves features as they are when none is wished', async () => {
    const moments = await featureMoments(mixedPatches(50, 6), small, products);
    assert.equal(await fitConditioning('none', moments, 6, products, random), null);
  });

  it('takes no notice of the unit of a layer', async () => {
    const patches = mixedPatches(300, 6);
    const louder = { ...patches, data: patches.data.map((value, place) => (place % 6 >= 2 ? 1000 * value : value)) };
    for (const kind of ['scaling', 'whitening'] as const) {
      const [own, others] = [await conditioned(kind, patches, small, 6), await conditioned(kind, louder, small, 6)];
      for (const [one, other] of PAIRS) {
        const ratio = distance(others, one, other) / distance(own, one, other);
        assert.ok(Math.abs(ratio - 1) < 1e-3, `${kind}: ${ratio}`);
      }
    }
  });

  it('whitens to uncorrelated numbers of variance 1, less what shrinkage takes', async () => {
    const whitened = await conditioned('whitening', mixedPatches(400, 6), small, 6);
    const covariance = covarianceOf(whitened);
    const variances = covariance.map((row, index) => row[index]);
    for (const [row, values] of covariance.entries()) {
      for (const [column, value] of values.entries()) if (row !== column) assert.ok(Math.abs(value) < 1e-3, `${value}`);
    }
    // with shrinkage s a direction of variance v keeps v / (v + s); after layer scaling the mean of v is 1
    const before = variances.map((variance) => (0.1 * variance) / (1 - variance));
    assert.ok(variances.every((variance) => variance > 0 && variance < 1));
    assert.ok(Math.abs(before.reduce((sum, variance) => sum + variance, 0) - 6) < 0.02, `${before}`);
  });

  it('gives numbers for channels and layers that never vary', async () => {
    const patches = mixedPatches(60, 6);
    const halfConstant = { ...patches, data: patches.data.map((value, place) => (place % 6 >= 2 ? 7 : value)) };
    const constant = { ...patches, data: patches.data.map(() => 7) };
    for (const kind of ['scaling', 'whitening'] as const) {
      for (const still of [halfConstant, constant]) {
        const { data } = await conditioned(kind, still, small, 4);
        assert.ok(data.every(Number.isFinite), kind);
      }
      assert.ok(distance(await conditioned(kind, halfConstant, small, 4), 0, 1) > 0);
      assert.equal(distance(await conditioned(kind, constant, small, 4), 0, 1), 0);
    }
  });

  it('finds the strongest of many directions as an exact decomposition does', async function () {
    this.timeout(180_000);
    // 420 channels of which each direction varies less than the one before, as features do
    const [channels, kept] = [420, 40];
    const wide = [
      { stride: 8, channels: 200 },
      { stride: 16, channels: 220 },
    ];
    const patches = mixedPatches(700, channels, (direction) => 1 / (1 + direction / 4));
    const moments = await featureMoments(patches, wide, products);
    const scales = wide.flatMap((layer, index) => {
      const from = index === 0 ? 0 : wide[0].channels;
      const sum = Array.from({ length: layer.channels }, (_, at) => at + from).reduce(
        (total, channel) => total + moments.covariance.data[channel * channels + channel],
        0,
      );
      return new Array<number>(layer.channels).fill(1 / Math.sqrt(sum / layer.channels));
    });
    // the second source: the eigenvalue decomposition of ml-matrix
    const scaled = Array.from({ length: channels }, (_, row) =>
      scales.map((scale, column) => scale * scales[row] * moments.covariance.data[row * channels + column]),
    );
    const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(new Dense(scaled), {
      assumeSymmetric: true,
    });
    const strongest = [...realEigenvalues.keys()]
      .sort((a, b) => realEigenvalues[b] - realEigenvalues[a])
      .slice(0, kept);
    const own = await conditioned('whitening', patches, wide, kept);
    for (const [one, other] of PAIRS) {
      const difference = scales.map(
        (scale, channel) => scale * (patches.data[one * channels + channel] - patches.data[other * channels + channel]),
      );
      const expected = Math.hypot(
        ...strongest.map((index) => {
          const along = difference.reduce((sum, value, row) => sum + value * eigenvectorMatrix.get(row, index), 0);
          return along / Math.sqrt(realEigenvalues[index] + 0.1);
        }),
      );
      const ratio = distance(own, one, other) / expected;
      assert.ok(Math.abs(ratio - 1) < 0.01, `${one} to ${other}: ${ratio}`);
    }
  });

  const small = [
    { stride: 8, channels: 2 },
    { stride: 16, channels: 4 },
  ];
  const PAIRS = [
    [0, 1],
    [5, 30],
    [44, 7],
  ] as const;

  /** Patches whose channels are mixed from as many directions, each of its own strength. */
  function mixedPatches(rows: number, columns: number, strength = (direction: number) => 1 + 3 * direction): Matrix {
    const mixing = Array.from({ length: columns }, (_, direction) =>
      Float64Array.from({ length: columns }, () => (random() - 0.5) * strength(direction)),
    );
    const data = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row += 1) {
      for (const mix of mixing) {
        const factor = random() - 0.5;
        for (let column = 0; column < columns; column += 1) data[row * columns + column] += factor * mix[column];
      }
    }
    return { data, rows, columns };
  }

  async function conditioned(
    kind: 'scaling' | 'whitening',
    patches: Matrix,
    layersOf: readonly { stride: number; channels: number }[],
    dimension: number,
  ): Promise<Matrix> {
    const moments = await featureMoments(patches, layersOf, products);
    const conditioning = await fitConditioning(kind, moments, dimension, products, random);
    assert.ok(conditioning);
    const { mean, weights } = conditioning;
    const centred = patches.data.map((value, place) => value - mean[place % patches.columns]);
    return products.multiply({ ...patches, data: centred }, weights);
  }
});

function distance({ data, columns }: Matrix, one: number, other: number): number {
  return Math.hypot(
    ...Array.from({ length: columns }, (_, column) => data[one * columns + column] - data[other * columns + column]),
  );
}

function covarianceOf({ data, rows, columns }: Matrix): number[][] {
  const mean = Array.from({ length: columns }, (_, column) => {
    let sum = 0;
    for (let row = 0; row < rows; row += 1) sum += data[row * columns + column];
    return sum / rows;
  });
  return mean.map((own, one) =>
    mean.map((others, other) => {
      let sum = 0;
      for (let row = 0; row < rows; row += 1)
        sum += (data[row * columns + one] - own) * (data[row * columns + other] - others);
      return sum / rows;
    }),
  );
}

function varianceOf({ data, rows, columns }: Matrix, column: number): number {
  let [sum, squares] = [0, 0];
  for (let row = 0; row < rows; row += 1) {
    sum += data[row * columns + column];
    squares += data[row * columns + column] ** 2;
  }
  return squares / rows - (sum / rows) ** 2;
}
