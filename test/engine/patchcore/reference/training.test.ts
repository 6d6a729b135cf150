import assert from 'node:assert/strict';
import { InvalidInput, seededRandom } from '../../../../engine/domain';
import { type ReferencePair, trainReference } from '../../../../engine/patchcore';
import { partScene, planeOf, pngOf, withBlot } from './scenes';

const [width, height] = [200, 150];

/** A part of its own kind and its golden picture: moved and noisy; defective ones have a blot that is annotated. */
async function pairOf(seed: number, isDefective: boolean): Promise<ReferencePair> {
  const scene = partScene(seed);
  const random = seededRandom(seed);
  const [dx, dy] = [4 * random() - 2, 4 * random() - 2];
  const clean = planeOf(scene, width, height, (x, y) => [x + dx, y + dy]);
  const noisy = { ...clean, data: clean.data.map((value) => value + 0.04 * (random() - 0.5)) };
  const box = { x: 30 + Math.floor(120 * random()), y: 30 + Math.floor(80 * random()), width: 8, height: 8 };
  const shown = isDefective ? withBlot(noisy, box.x, box.y, 8, 8, 1) : noisy;
  return {
    name: `part ${seed}`,
    picture: await pngOf(shown),
    reference: await pngOf(planeOf(scene, width, height)),
    ...(isDefective && { boxes: [{ x: box.x - 3, y: box.y - 3, width: 14, height: 14 }] }),
  };
}

const pairsOf = (first: number, count: number, isDefective: boolean) =>
  Promise.all(Array.from({ length: count }, (_, index) => pairOf(first + index, isDefective)));

describe('training of reference mode', function () {
  this.timeout(180_000);

  it('takes defects from inside the annotated boxes and good scores from outside', async () => {
    const { calibration, settings, boxes, dataset, chosenBy, trials } = await trainReference({
      partType: 'board',
      pairs: await pairsOf(1, 12, true),
      threads: 1,
    });
    assert.deepEqual([dataset.count, dataset.defects, calibration.pictures, calibration.defects], [12, 12, 12, 12]);
    assert.equal(chosenBy, 'annotated');
    assert.equal(trials.length, 3);
    const best = Math.max(...trials.map(({ auroc }) => auroc));
    assert.ok(best > 0.99, `AUROC ${best}`);
    assert.ok(Math.max(...calibration.scores) < calibration.defectScores[0]);
    const { accept, reject } = calibration.thresholds;
    assert.ok(accept < calibration.defectScores[0] && accept <= reject && reject <= 1);
    assert.deepEqual([boxes?.found, boxes?.boxes, boxes?.pictures], [12, 12, 12]);
    assert.ok((boxes?.falseRegions ?? 99) <= 3);
    assert.equal(settings.region, boxes?.level);
  });

  it('chooses by painted defects where none are known, and promises what good pictures allow', async () => {
    const { calibration, boxes, chosenBy, dataset, settings } = await trainReference({
      partType: 'board',
      pairs: await pairsOf(1, 5, false),
      threads: 1,
    });
    assert.deepEqual([chosenBy, boxes, dataset.defects, calibration.defects], ['painted', null, 0, 0]);
    assert.equal(calibration.method, 'compared');
    assert.ok(calibration.picturesNeeded > 90);
    assert.ok(settings.region > 0);
  });

  it('promises nothing from golden pictures alone, and still sends what is unlike to a person or away', async () => {
    const { reference } = await pairOf(3, false);
    const golden = [{ name: 'golden', reference }];
    const { calibration, dataset } = await trainReference({ partType: 'board', pairs: [], golden, threads: 1 });
    assert.equal(calibration.method, 'augmented');
    assert.deepEqual([calibration.promisedAcceptRate, calibration.promisedRejectRate, dataset.count], [1, 1, 0]);
    assert.match(calibration.statement, /nothing is promised/);
    assert.ok(calibration.thresholds.reject <= 1);
  });

  it('gives the same result for the same seed', async () => {
    const pairs = await pairsOf(1, 3, false);
    const train = () => trainReference({ partType: 'board', pairs, threads: 1, seed: 5 });
    assert.deepEqual(await train(), await train());
  });

  it('keeps wished settings', async () => {
    const wished = {
      side: 200,
      reach: 0.03,
      tolerance: 1,
      contrast: 0.2,
      smoothing: 3,
      region: 0.5,
      leastSimilarity: 0.2,
    };
    const result = await trainReference({
      partType: 'board',
      pairs: await pairsOf(1, 2, false),
      settings: wished,
      threads: 1,
    });
    assert.deepEqual([result.chosenBy, result.trials], ['wished', []]);
    assert.deepEqual({ ...result.settings, region: 0.5 }, wished);
  });

  it('leaves out a damaged picture and a golden picture of another shape, and names both', async () => {
    const [first, ...others] = await pairsOf(1, 4, false);
    const odd = { ...first, name: 'odd', reference: await pngOf(planeOf(partScene(1), 150, 150)) };
    const damaged = { ...first, name: 'damaged', picture: (first.picture as Buffer).subarray(0, 500) };
    const { skipped, dataset } = await trainReference({
      partType: 'board',
      pairs: [odd, ...others, damaged],
      threads: 1,
    });
    assert.deepEqual([skipped.map(({ name }) => name), dataset.count, dataset.skipped], [['odd', 'damaged'], 3, 2]);
  });

  it('refuses to train from nothing', async () => {
    await assert.rejects(trainReference({ partType: 'board', pairs: [], threads: 1 }), InvalidInput);
    const damaged = { name: 'damaged', picture: Buffer.from('x'), reference: Buffer.from('y') };
    await assert.rejects(trainReference({ partType: 'board', pairs: [damaged], threads: 1 }), /damaged: /);
  });

  it('ends when it is cancelled', async () => {
    const signal = AbortSignal.abort(new Error('cancelled'));
    const pairs = await pairsOf(1, 2, false);
    await assert.rejects(trainReference({ partType: 'board', pairs, threads: 1, signal }), /cancelled/);
  });
});
