import { type Random, seededRandom } from '../engine/domain';
import { Session } from '../engine/inference';
import { GraphBuilder, writeModel } from '../engine/onnx';
import { greedyCoreset } from '../engine/patchcore';
import { searchGraph } from '../engine/patchcore/head-graph';
import type { Matrix } from '../engine/patchcore/matrix';
import { heading, row, Stopwatch } from './table';

interface Size {
  readonly grid: number;
  readonly bank: number;
  readonly dimension: number;
}

/** The first is a size that was given as a goal: its distances in 3.5 ms. */
const SIZES: readonly Size[] = [
  { grid: 28, bank: 1500, dimension: 224 },
  ...[500, 1000, 2000, 4000, 8000].map((bank) => ({ grid: 36, bank, dimension: 192 })),
];
const RUNS = 20;

/**
 * How long the search takes as the bank grows, and how near it comes to a plain matrix product of the same size: everything a
 * head does but the pooling, against the product alone.
 */
export async function benchSearch(threads: number): Promise<void> {
  heading(`search with ${threads} threads (patches x bank x dimension), median (and best) of ${RUNS}`);
  for (const size of SIZES) {
    const random = seededRandom(1);
    const bank = randomMatrix(size.bank, size.dimension, random);
    const patches = randomMatrix(size.grid ** 2, size.dimension, random);
    const search = await Session.open(searchGraph({ bank, spacing: spacings(bank), stride: 8, sigma: 5 }), threads);
    const product = await Session.open(productGraph(bank), threads);
    const tensor = { data: patches.data, dims: [patches.rows, patches.columns] };
    const counts = { data: new Float32Array(patches.rows).fill(1), dims: [1, 1, size.grid, size.grid] };
    const watch = await Stopwatch.compare(
      {
        search: () => search.run({ patches: tensor, counts }, ['distances', 'map']),
        product: () => product.run({ patches: tensor }, ['first']),
      },
      RUNS,
    );
    const operations = 2 * patches.rows * bank.rows * bank.columns;
    const figures = (name: string) => {
      const [middle, best] = [watch.median(name), watch.lowest(name)];
      return `${middle.toFixed(1)} (${best.toFixed(1)}) ms, ${(operations / best / 1e6).toFixed(0)} GFLOP/s`;
    };
    row(`${patches.rows} x ${bank.rows} x ${bank.columns}`, `${figures('search')}; plain GEMM ${figures('product')}`);
    await search.close();
    await product.close();
  }
}

/** The choice of 1 % of the patches of 200 pictures at 224 pixels, and of 2,000 rows. */
export async function benchCoreset(threads: number): Promise<void> {
  heading('greedy k-center on random patches of 128 dimensions, seconds');
  for (const [rows, size] of [
    [50_000, 2000],
    [100_000, 2000],
    [200 * 28 * 28, (200 * 28 * 28) / 100],
  ]) {
    const patches = randomMatrix(rows, 128, seededRandom(2));
    const start = performance.now();
    await greedyCoreset(patches, size, seededRandom(3), { threads });
    row(`${size} of ${rows}`, ((performance.now() - start) / 1000).toFixed(2));
  }
}

function randomMatrix(rows: number, columns: number, random: Random): Matrix {
  return { data: Float32Array.from({ length: rows * columns }, () => random() + random() - 1), rows, columns };
}

function spacings({ rows }: Matrix): Float32Array {
  const random = seededRandom(4);
  return Float32Array.from({ length: rows }, () => 0.5 + random());
}

/** The product of all patches with all bank rows, of which only a column is given out. */
function productGraph(bank: Matrix): Uint8Array {
  const graph = new GraphBuilder('product');
  const patches = graph.input('patches', ['patches', bank.columns]);
  const product = graph.node('Gemm', [patches, graph.floats([bank.rows, bank.columns], bank.data)], { transB: 1 });
  const [zero, one] = [graph.integers([0]), graph.integers([1])];
  graph.output('first', graph.node('Slice', [product, zero, one, one]), ['patches', 1]);
  return writeModel(graph.build());
}
