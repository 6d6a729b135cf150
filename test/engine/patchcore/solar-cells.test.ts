import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../../engine/domain';
import { PatchcoreModel, picturesInFolder, trainPatchcore } from '../../../engine/patchcore';
import { auroc } from '../../../engine/statistics';

const cells = join(process.env.OPTI_QUALITY_SHARED ?? join(packageRoot, '..', 'shared'), 'data', 'elpv-poly');

describe('Real solar cells', () => {
  it('tells defective polycrystalline cells from good ones with an image AUROC of at least 0.78', async function () {
    if (!existsSync(cells)) {
      console.log(`      skipped: ${cells} is not there`);
      return this.skip();
    }
    this.timeout(180_000);
    const folder = await mkdtemp(join(tmpdir(), 'cells-'));
    try {
      const pictures = await picturesInFolder(join(cells, 'train', 'good'));
      const outFolder = join(folder, 'model');
      const source = 'elpv-poly';
      await trainPatchcore({ partType: 'cell', pictures, count: pictures.length, outFolder, version: '1', source });
      const model = await PatchcoreModel.load(outFolder, { threads: 2 });
      const scoresOf = async (kind: string) => {
        const scores: number[] = [];
        for (const { picture } of await picturesInFolder(join(cells, 'test', kind))) {
          scores.push((await model.score(await picture(), { map: false })).score);
        }
        return scores;
      };
      const [good, defective] = [await scoresOf('good'), await scoresOf('defective')];
      await model.dispose();
      const area = auroc(good, defective);
      // 0.81 to 0.84 was measured over seeds and input sizes; the standard error with 60 and 60 pictures is 0.037.
      assert.ok(area >= 0.78, `AUROC ${area}`);
      const rejected = good.filter((score) => score > model.manifest.thresholds.reject).length;
      // The promise is 2 % (50 held-out pictures); 6 of 60 or more would have a chance of 1 in 1000 at that rate.
      assert.ok(rejected < 6, `${rejected} of 60 good cells rejected`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
