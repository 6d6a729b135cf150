import assert from 'node:assert/strict';
import { type Random, seededRandom } from '../../../engine/domain';
import { encodeGreyPng } from '../../../engine/imaging';
import { GraphBuilder, writeModel } from '../../../engine/onnx';
import { PLAIN_RECIPE, type TrainingPicture } from '../../../engine/patchcore';
import type { Backbone } from '../../../engine/patchcore/backbone';
import { momentsOf } from '../../../engine/patchcore/extractor';
import { type ReadPicture, readPicture } from '../../../engine/patchcore/picture-reader';
import { Products } from '../../../engine/patchcore/product';
import { type ChosenRecipe, chooseRecipe, LEAST_GAIN } from '../../../engine/patchcore/recipe-trials';
import { DEFAULT_RECIPE, type ExpertOptions, settingsOf } from '../../../engine/patchcore/training-settings';

const SIDE = 128;
/** Of the finer layer's channels, by the waves in a block down and across: its mean first. */
const WAVES = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
  [0, 2],
  [2, 0],
  [2, 2],
] as const;
const FINE = WAVES.length;

/**
 * Two layers without anything learnt: the finer one holds the mean of each 8 x 8 block and cosine waves within it, the deeper
 * one the brightness alone.
 *
 * @param brightness how much louder brightness is than the contrasts
 */
function backboneOf(brightness: number, contrasts = 1): Backbone {
  const graph = new GraphBuilder('two layers');
  const input = graph.input('x', [1, 3, 'height', 'width']);
  const weights = Float32Array.from({ length: FINE * 3 * 64 }, (_, place) => {
    const [down, across] = WAVES[Math.floor(place / (3 * 64))];
    const [row, column] = [Math.floor((place % 64) / 8), place % 8];
    const wave = Math.cos((Math.PI * down * (row + 0.5)) / 8) * Math.cos((Math.PI * across * (column + 0.5)) / 8);
    return ((down + across === 0 ? brightness : contrasts) * wave) / (3 * 8);
  });
  // the bias keeps all values above 0, where the activation changes nothing
  const bias = new Float32Array(FINE).fill(100);
  const fine = graph.node('Relu', [
    graph.node('Conv', [input, graph.floats([FINE, 3, 8, 8], weights), graph.floats([FINE], bias)], {
      kernel_shape: [8, 8],
      strides: [8, 8],
    }),
  ]);
  const deepWeights = new Float32Array(FINE * 4).fill(0);
  deepWeights.fill(1 / 4, 0, 4);
  const deep = graph.node('Relu', [
    graph.node('Conv', [fine, graph.floats([1, FINE, 2, 2], deepWeights)], { kernel_shape: [2, 2], strides: [2, 2] }),
  ]);
  graph.output('y', deep, [1, 1, 'rows', 'columns']);
  return { id: 'two-layers', sha256: '', bytes: writeModel(graph.build()), embedded: false };
}

/** Fine even noise; each picture has its own brightness, and a slow gradient. */
async function drawn(seed: number): Promise<ReadPicture> {
  const random = seededRandom(seed);
  const level = 60 + 130 * random();
  const [across, down] = [random() - 0.5, random() - 0.5];
  const greys = Uint8Array.from({ length: SIDE * SIDE }, (_, place) => {
    const slope = 20 * ((across * (place % SIDE)) / SIDE + (down * Math.floor(place / SIDE)) / SIDE);
    return Math.round(level + slope + 2 * (random() - 0.5));
  });
  const picture: TrainingPicture = { name: `${seed}.png`, picture: await encodeGreyPng(greys, SIDE, SIDE) };
  const { viewing } = await settingsOf({ input: { width: SIDE, height: SIDE, mode: 'stretch' } });
  const read = await readPicture(picture, seed, viewing);
  assert.ok('views' in read);
  return read;
}

describe('The choice of a recipe', function () {
  this.timeout(180_000);
  /** The default of a backbone whose features can be taken at both moments. */
  const standard = { ...DEFAULT_RECIPE, moment: momentsOf(backboneOf(0.5))[0] };
  let products: Products;
  let sample: ReadPicture[];
  before(async () => {
    products = await Products.open(1);
    sample = await Promise.all(Array.from({ length: 32 }, (_, seed) => drawn(seed)));
  });
  after(() => products.close());

  async function choose(
    backbone: Backbone,
    options: ExpertOptions = {},
    more: { pictures?: readonly ReadPicture[]; random?: Random; signal?: AbortSignal; shares?: number[] } = {},
  ): Promise<ChosenRecipe> {
    const input = { width: SIDE, height: SIDE, mode: 'stretch' } as const;
    return chooseRecipe(more.pictures ?? sample, {
      backbone,
      settings: await settingsOf({ input, threads: 1, ...options }),
      products,
      random: more.random ?? seededRandom(1),
      signal: more.signal,
      onProgress: (share) => more.shares?.push(share),
    });
  }

  const bestOf = ({ trials }: ChosenRecipe, conditioning: string) =>
    Math.max(...trials.filter((trial) => trial.conditioning === conditioning).map(({ auroc }) => auroc));

  describe('where brightness drowns the contrasts that tell a defect', () => {
    let chosen: ChosenRecipe;
    const shares: number[] = [];
    before(async () => {
      chosen = await choose(backboneOf(0.5), {}, { shares });
    });

    it('takes whitening, which was certainly better than scaling, and both than plain features', () => {
      assert.deepEqual([chosen.chosen, chosen.recipe.conditioning], ['measured', 'whitening']);
      const [whitening, scaling, none] = ['whitening', 'scaling', 'none'].map((kind) => bestOf(chosen, kind));
      assert.ok(whitening > scaling + 0.05 && scaling > none + 0.05, JSON.stringify({ whitening, scaling, none }));
    });

    it('tells what each recipe achieved, that of the choice among them', () => {
      const { recipe, trials } = chosen;
      const names = trials.map(({ moment, conditioning, spacing, scoring }) =>
        JSON.stringify([moment, conditioning, spacing, scoring]),
      );
      assert.equal(new Set(names).size, trials.length);
      for (const conditioning of ['scaling', 'whitening']) {
        for (const moment of ['after', 'before']) {
          for (const method of ['max', 'reweighted', 'top-mean']) {
            const found = trials.some(
              (trial) =>
                trial.moment === moment && trial.conditioning === conditioning && trial.scoring.method === method,
            );
            assert.ok(found, `${moment} ${conditioning} ${method}`);
          }
        }
      }
      assert.ok(trials.every(({ auroc }) => auroc >= 0 && auroc <= 1));
      const own = trials.find((trial) => isSame(trial, recipe));
      // more than the default achieved by what counts as clear
      assert.ok(own && own.auroc >= trials.find((trial) => isSame(trial, standard))!.auroc + LEAST_GAIN);
    });

    it('fits the conditioning to all channels of both layers', () => {
      const { conditioning, recipe } = chosen;
      assert.ok(conditioning);
      assert.deepEqual([conditioning.mean.length, conditioning.weights.rows], [FINE + 1, FINE + 1]);
      assert.equal(recipe.dimension, conditioning.weights.columns);
      assert.ok(conditioning.weights.data.every(Number.isFinite));
    });

    it('tells how far it is, never backwards', () => {
      assert.ok(shares.length > 10);
      assert.deepEqual(
        shares,
        [...shares].sort((a, b) => a - b),
      );
      assert.ok(shares.at(-1)! > 0.9 && shares.at(-1)! <= 1);
    });

    it('is the same with the same random numbers', async () => {
      assert.deepEqual(await choose(backboneOf(0.5)), chosen);
    });
  });

  it('keeps the default where nothing can be told', async () => {
    const blind = await choose(backboneOf(0, 0));
    assert.ok(blind.trials.every(({ auroc }) => auroc === 0.5));
    assert.ok(isSame(standard, blind.recipe));
    assert.equal(blind.chosen, 'measured');
  });

  it('measures nothing where a recipe is wished', async () => {
    const plain = await choose(backboneOf(0.5), { recipe: PLAIN_RECIPE });
    assert.deepEqual([plain.chosen, plain.trials, plain.conditioning], ['wished', [], null]);
    assert.deepEqual(plain.recipe, { ...PLAIN_RECIPE, dimension: FINE + 1 });
    const part = await choose(backboneOf(0.5), { recipe: { conditioning: 'whitening', dimension: 3 } });
    assert.deepEqual([part.chosen, part.trials], ['wished', []]);
    assert.deepEqual(part.recipe, { ...standard, conditioning: 'whitening', dimension: 3 });
    assert.equal(part.conditioning?.weights.columns, 3);
  });

  it('takes the default, unmeasured, where there are too few pictures to measure with', async () => {
    const few = await choose(backboneOf(0.5), {}, { pictures: sample.slice(0, 15) });
    assert.deepEqual([few.chosen, few.trials], ['default', []]);
    assert.ok(isSame(standard, few.recipe));
    assert.equal((await choose(backboneOf(0.5), {}, { pictures: sample.slice(0, 16) })).chosen, 'measured');
  });

  it('is stopped by the signal', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(choose(backboneOf(0.5), {}, { signal }), /enough/);
  });
});

type Point = Pick<ChosenRecipe['recipe'], 'moment' | 'conditioning' | 'spacing' | 'scoring'>;

function isSame(one: Point, other: Point): boolean {
  const told = ({ moment, conditioning, spacing, scoring }: Point) =>
    JSON.stringify([moment, conditioning, spacing, scoring]);
  return told(one) === told(other);
}
