import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { seededRandom } from '../../../engine/domain';
import { encodeJpeg } from '../../../engine/imaging';
import { TooFewPictures, type TrainingPicture } from '../../../engine/patchcore';
import { drawGood, drawPicture } from './pictures';
import { type Trained, Workbench } from './workbench';

const USUAL = { flip: false, rotation: 0, light: 0.1, shift: 0.02 };

describe('Few pictures', function () {
  this.timeout(180_000);
  let bench: Workbench;
  let good: TrainingPicture[];
  /** Models of the first 1, 2, 4 and 8 pictures. */
  const models = new Map<number, Trained>();
  before(async () => {
    bench = await Workbench.open();
    good = await drawGood(8, 301);
    for (const count of [1, 2, 4, 8]) models.set(count, await bench.train(good.slice(0, count)));
  });
  after(() => bench.close());
  const of = (count: number) => models.get(count)!;

  it('train a model: altered copies fill the bank up', () => {
    for (const [count, { manifest, origins }] of models) {
      const { augmentation, bank, dataset } = manifest;
      const copies = Math.ceil(16 / count) - 1;
      assert.deepEqual(augmentation, { ...USUAL, copies });
      assert.deepEqual([bank.pictures, dataset.count], [count, count]);
      assert.equal(bank.candidates, count * (1 + copies) * 64);
      // copies are of their picture: the origins name pictures, no copies
      assert.deepEqual(
        origins.pictures.map(({ name }) => name),
        good.slice(0, count).map(({ name }) => name),
      );
      assert.ok(origins.banks[0]?.picture.every((picture) => picture < count));
      assert.equal(new Set(origins.banks[0]?.picture).size, count);
    }
  });

  it('tell a defect from a good part, which may go to a person but is not rejected', async () => {
    const [part, defective] = [await drawPicture({ seed: 900 }), await drawPicture({ seed: 900, defective: true })];
    for (const [count, { score }] of models) {
      const [clean, blot] = [await score(part), await score(defective)];
      assert.ok(clean.score <= clean.thresholds.reject, `${count}: ${clean.score}`);
      assert.ok(blot.score > clean.thresholds.accept && blot.score > 1.5 * clean.score, `${count}: ${blot.score}`);
    }
  });

  it('below four promise nothing about good parts, and say so', () => {
    for (const count of [1, 2]) {
      const { calibration, thresholds } = of(count).manifest;
      assert.deepEqual([calibration.method, calibration.independent], ['augmented', count]);
      assert.deepEqual([calibration.promisedAcceptRate, calibration.promisedRejectRate], [1, 1]);
      assert.match(calibration.statement, /nothing is promised about good parts/);
      assert.ok(
        calibration.scores.every((score) => score > 0),
        'each copy is held out of the bank that scores it',
      );
      // the band for a person is wide: from the usual score to at least twice that
      assert.ok(thresholds.accept <= calibration.median);
      assert.ok(thresholds.reject >= 2 * calibration.median);
      assert.equal(calibration.picturesNeeded, 99 - count);
    }
  });

  it('from four on are held out one by one, without their copies', () => {
    for (const count of [4, 8]) {
      const { calibration } = of(count).manifest;
      assert.deepEqual(
        [calibration.method, calibration.folds, calibration.pictures],
        ['cross-validated', count, count],
      );
      assert.ok(calibration.promisedRejectRate <= 1 / (count + 1) + 1e-9);
    }
  });

  it('leave the reject level the lower, the more there are', () => {
    const spread = (count: number) => {
      const { calibration, thresholds } = of(count).manifest;
      return thresholds.reject / calibration.median;
    };
    assert.ok(spread(8) < spread(1), `${spread(8)} ${spread(1)}`);
  });

  it('without altered copies take two at least, and say how many more', async () => {
    const before = await readdir(bench.folder);
    const nothing = { flip: false, rotation: 0, light: 0, shift: 0 };
    for (const augmentation of [null, nothing]) {
      await assert.rejects(bench.train(good.slice(0, 1), { augmentation }), (error: Error) => {
        return (
          error instanceof TooFewPictures &&
          /at least 2 different readable pictures .* got 1\. Add 1 or more/.test(error.message)
        );
      });
    }
    assert.deepEqual(await readdir(bench.folder), before);
    const { manifest } = await bench.train(good.slice(0, 2), { augmentation: null });
    assert.equal(manifest.augmentation, null);
    assert.equal(manifest.bank.candidates, 2 * 64);
    assert.deepEqual([manifest.calibration.method, manifest.calibration.folds], ['cross-validated', 2]);
  });

  it('from sixteen on are learnt as they are, unless copies are wished', async () => {
    const sixteen = await drawGood(16, 401);
    assert.equal((await bench.train(sixteen)).manifest.augmentation, null);
    const wished = await bench.train(sixteen, { augmentation: USUAL });
    assert.deepEqual(wished.manifest.augmentation, { ...USUAL, copies: 1 });
  });

  it('are not mirrored unless that is switched on: the way a part lies can be the defect', async () => {
    const parts = await Promise.all(
      [1, 2, 3, 4].map(async (seed) => ({ name: `${seed}.jpg`, picture: await wedge(seed, false) })),
    );
    const [usual, mirrored] = [await wedge(9, false), await wedge(9, true)];
    const ratioOf = async (flip: boolean) => {
      const { score } = await bench.train(parts, { augmentation: { ...USUAL, flip } });
      return (await score(mirrored)).score / (await score(usual)).score;
    };
    const [kept, flipped] = [await ratioOf(false), await ratioOf(true)];
    assert.ok(kept > 1.5 * flipped, `mirrored over usual: ${kept} without flips, ${flipped} with them`);
    assert.ok(flipped < 1.5, `${flipped}`);
  });
});

/** Slanted stripes, dark at the left; or mirrored. */
function wedge(seed: number, isMirrored: boolean): Promise<Buffer> {
  const random = seededRandom(seed);
  const [width, height] = [96, 96];
  const pixels = new Uint8Array(width * height * 3);
  const phase = random() * 6;
  for (let y = 0; y < height; y += 1) {
    for (let column = 0; column < width; column += 1) {
      const x = isMirrored ? width - 1 - column : column;
      const value = 60 + x + 50 * Math.sin((x + y) / 3 + phase) + 10 * (random() - 0.5);
      pixels.fill(Math.max(0, Math.min(255, value)), (y * width + column) * 3, (y * width + column) * 3 + 3);
    }
  }
  return encodeJpeg(pixels, width, height, 92);
}
