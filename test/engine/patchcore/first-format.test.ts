import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../../engine/domain';
import { PatchcoreModel, trainPatchcore } from '../../../engine/patchcore';
import { drawGood } from './pictures';

interface Expected {
  readonly picture: string;
  readonly score: number;
  readonly normalizedScore: number;
  readonly regions: { box: { x: number; y: number; width: number; height: number }; area: number; peak: number }[];
}

const fixture = join(packageRoot, 'test', 'fixtures', 'format-1');
const package1 = join(fixture, 'package');

/** Expected values: what the release that made the package said (test/fixtures/format-1/README.md). */
describe('A model of format 1', () => {
  let model: PatchcoreModel;
  before(async () => {
    model = await PatchcoreModel.load(package1, { threads: 1 });
  });
  after(() => model.dispose());

  it('scores as the release that made it, and finds the same regions', async () => {
    const expected = JSON.parse(readFileSync(join(fixture, 'expected.json'), 'utf8')) as Expected[];
    // other processors round otherwise; padding that does not count makes a difference of 3 %
    const near = (actual: number, wanted: number, what: string) =>
      assert.ok(Math.abs(actual - wanted) <= 0.005, `${what}: ${actual} is not ${wanted}`);
    for (const { picture, score, normalizedScore, regions } of expected) {
      const result = await model.score(await readFile(join(fixture, 'pictures', picture)));
      near(result.score, score, picture);
      near(result.normalizedScore, normalizedScore, picture);
      assert.deepEqual(
        result.regions.map(({ box }) => box),
        regions.map(({ box }) => box),
        picture,
      );
      assert.equal(result.score > result.thresholds.reject, picture.includes('defective'), picture);
      assert.equal(result.probability, undefined);
    }
  });

  it('is told in the terms of today', () => {
    const { format, method, recipe, viewing, bank, calibration, suspects } = model.manifest;
    assert.deepEqual([format, method, viewing.tiles, viewing.mask, suspects], [2, 'bank', null, null, []]);
    assert.deepEqual([recipe.conditioning, recipe.moment, recipe.spacing], ['none', 'after', false]);
    assert.deepEqual([bank.heads, bank.storage, bank.size], [['head.onnx'], 'float32', 16]);
    assert.deepEqual([calibration.method, calibration.pictures, calibration.picturesNeeded], ['held-out', 3, 96]);
  });

  it('takes no further pictures, and says to train anew', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'first-format-'));
    try {
      const more = { partType: 'weave', pictures: await drawGood(2), version: '2', source: 'drawn', threads: 1 };
      const run = trainPatchcore({ ...more, outFolder: join(folder, 'next'), updateFrom: package1 });
      await assert.rejects(run, (error: { code?: string; message: string }) => {
        return error.code === 'model-not-extendable' && /Train anew with all pictures/.test(error.message);
      });
      assert.deepEqual(await readdir(folder), []);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
