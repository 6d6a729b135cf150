import assert from 'node:assert/strict';
import { seededRandom } from '../../../engine/domain';
import { Session } from '../../../engine/inference';
import { greedyCoreset } from '../../../engine/patchcore';
import { featureMoments, fitConditioning } from '../../../engine/patchcore/conditioning';
import { headGraph } from '../../../engine/patchcore/head-graph';
import type { Matrix } from '../../../engine/patchcore/matrix';
import { neckGraph } from '../../../engine/patchcore/neck-graph';
import { Products } from '../../../engine/patchcore/product';
import { assertClose, referenceValues } from '../../support/reference-values';

interface PlainMatrix {
  rows: number;
  columns: number;
  data: number[];
}

interface Patches {
  layers: { stride: number; dims: number[]; data: number[] }[];
  pooled: number[][];
  patches: number[];
  conditioning: { mean: number[]; weights: number[]; rows: number; columns: number };
  conditioned: number[];
}

interface Search {
  bank: PlainMatrix;
  counts: number[];
  distances: number[];
  worst: number[];
  reweighted: Record<string, number>;
  probes: [number, number][];
  maps: Record<string, number[]>;
}

interface Coreset extends PlainMatrix {
  start: number;
  picks: number[];
  radius: number;
}

interface Whitening extends PlainMatrix {
  layers: { stride: number; channels: number }[];
  dimension: number;
  mean: number[];
  pairs: [number, number][];
  whitened: number[];
  scaled: number[];
}

const matrixOf = ({ rows, columns, data }: PlainMatrix): Matrix => ({ rows, columns, data: Float32Array.from(data) });

/** Expected values: numpy, written out plainly (test/fixtures/reference/make_reference.py). */
describe('PatchCore equals a second implementation', () => {
  const reference = referenceValues<Patches>('patches');
  const layers = reference.layers.map(({ stride, dims }) => ({ stride, channels: dims[1] }));
  const features = Object.fromEntries(
    reference.layers.map(({ stride, dims, data }) => [`stride${stride}`, { dims, data: Float32Array.from(data) }]),
  );
  const { rows, columns, weights } = reference.conditioning;
  const conditioning = {
    mean: Float32Array.from(reference.conditioning.mean),
    weights: matrixOf({ rows, columns, data: weights }),
  };

  it('in 3x3 pooling', async () => {
    for (const [index, { stride, dims, data }] of reference.layers.entries()) {
      const [, channels, height, width] = dims;
      const only = [{ stride, channels }];
      const { patches } = await run(neckGraph(only, null), { [`stride${stride}`]: { dims, data } }, ['patches']);
      // Patches hold the channels last.
      const planes = Float32Array.from({ length: data.length }, (_, place) => {
        const cell = place % (height * width);
        return patches.data[cell * channels + Math.floor(place / (height * width))];
      });
      assertClose(planes, reference.pooled[index], `stride ${stride}`);
    }
  });

  it('in patches of three layers, the deeper ones upsampled', async () => {
    const { patches } = await run(neckGraph(layers, null), features, ['patches']);
    assertClose(patches.data, reference.patches, 'patches');
  });

  it('in conditioned patches', async () => {
    const { patches } = await run(neckGraph(layers, conditioning), features, ['patches']);
    assertClose(patches.data, reference.conditioned, 'conditioned');
  });

  it('in distances, worst patch, re-weighted score and map', async () => {
    const search = referenceValues<Search>('search');
    const bank = matrixOf(search.bank);
    const feeds = { ...features, counts: { dims: [1, 1, 7, 6], data: Float32Array.from(search.counts) } };
    for (const [sigma, expected] of Object.entries(search.maps)) {
      const head = headGraph({ layers, conditioning, bank, sigma: Number(sigma) });
      const { distances, worst, map } = await run(head, feeds, ['distances', 'worst', 'map']);
      assertClose(distances.data, search.distances, 'distances');
      assert.deepEqual([...worst.data], search.worst);
      assert.deepEqual(map.dims, [1, 1, 56, 48]);
      assertClose(
        search.probes.map(([row, column]) => map.data[row * 48 + column]),
        expected,
        `map with sigma ${sigma}`,
      );
    }
    for (const [neighbours, expected] of Object.entries(search.reweighted)) {
      const head = headGraph({ layers, conditioning, bank, sigma: 4, neighbours: Number(neighbours) });
      const { reweighted } = await run(head, feeds, ['reweighted']);
      assertClose(reweighted.data, [expected], `${neighbours} neighbours`);
    }
  });

  it('in the order of a k-center coreset', async () => {
    const { start, picks, radius, ...patches } = referenceValues<Coreset>('coreset');
    const random = () => (start + 0.5) / patches.rows;
    const coreset = await greedyCoreset(matrixOf(patches), picks.length, random);
    assert.deepEqual([...coreset.indices], picks);
    assertClose([coreset.radius], [radius], 'radius');
  });

  // Principal directions have no sign, so distances between conditioned patches are compared.
  it('in patches whitened with shrinkage, and in patches whose layers are scaled', async () => {
    const {
      layers: parts,
      dimension,
      mean,
      pairs,
      whitened,
      scaled,
      ...samples
    } = referenceValues<Whitening>('whitening');
    const products = await Products.open(1);
    try {
      const patches = matrixOf(samples);
      const moments = await featureMoments(patches, parts, products);
      for (const [kind, expected] of [['whitening', whitened] as const, ['scaling', scaled] as const]) {
        const fitted = await fitConditioning(kind, moments, dimension, products, seededRandom(1));
        assert.ok(fitted !== null);
        // The mean is the same for both patches of a pair.
        const { data, columns: kept } = await products.multiply(patches, fitted.weights);
        assert.equal(kept, dimension);
        const distances = pairs.map(([a, b]) => {
          const row = (index: number) => data.subarray(index * kept, (index + 1) * kept);
          return Math.hypot(...row(a).map((value, place) => value - row(b)[place]));
        });
        assertClose(distances, expected, kind);
        assertClose(fitted.mean, mean, 'mean');
      }
    } finally {
      await products.close();
    }
  });
});

async function run<Output extends string>(
  graph: Uint8Array,
  feeds: Record<string, { dims: number[]; data: ArrayLike<number> }>,
  outputs: readonly Output[],
) {
  const session = await Session.open(graph, 1);
  try {
    const tensors = Object.entries(feeds).map(([name, { dims, data }]) => [
      name,
      { dims, data: Float32Array.from(data) },
    ]);
    return await session.run(Object.fromEntries(tensors), outputs);
  } finally {
    await session.close();
  }
}
