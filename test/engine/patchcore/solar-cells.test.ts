import assert from 'node:assert/strict';
import { join } from 'node:path';
import { PLAIN_RECIPE, picturesInFolder } from '../../../engine/patchcore';
import { auroc } from '../../../engine/statistics';
import { needShared } from '../../support/shared-data';
import { mostAbove } from './exchangeable';
import { type Trained, Workbench } from './workbench';

interface Scores {
  readonly good: number[];
  readonly defective: number[];
}

describe('Real solar cells', function () {
  this.timeout(600_000);
  let cells: string;
  let bench: Workbench;
  let trained: Trained;
  let scores: Scores;
  before(async function () {
    cells = needShared(this, join('data', 'elpv-poly'));
    bench = await Workbench.open();
    trained = await train({});
    scores = await scoresOf(trained);
  });
  after(() => bench?.close());

  async function train(options: Parameters<Workbench['train']>[1]): Promise<Trained> {
    const defaults = { input: undefined, recipe: undefined, coresetSize: undefined, threads: 2 };
    return bench.train(await picturesInFolder(join(cells, 'train', 'good')), {
      partType: 'cell',
      source: 'elpv-poly',
      ...defaults,
      ...options,
    });
  }

  async function scoresOf({ score }: Trained): Promise<Scores> {
    const found: Scores = { good: [], defective: [] };
    for (const kind of ['good', 'defective'] as const) {
      for (const { picture } of await picturesInFolder(join(cells, 'test', kind))) {
        found[kind].push((await score(await picture())).score);
      }
    }
    return found;
  }

  it('tells defective polycrystalline cells from good ones with an image AUROC of at least 0.835', () => {
    const area = auroc(scores.good, scores.defective);
    assert.ok(area >= 0.835, `AUROC ${area}`);
  });

  it('tells them apart better than PatchCore as published, with the same backbone and data', async () => {
    const plain = await scoresOf(await train({ recipe: PLAIN_RECIPE }));
    const [own, other] = [scores, plain].map(({ good, defective }) => auroc(good, defective));
    assert.ok(own > other, `AUROC ${own} is not above ${other}`);
  });

  it('rejects no more good cells than promised', () => {
    const { thresholds, calibration } = trained.manifest;
    const rejected = scores.good.filter((score) => score > thresholds.reject).length;
    const known = calibration.independent;
    const place = Math.round(calibration.promisedRejectRate * (known + 1));
    const most = mostAbove(known, place, scores.good.length);
    assert.ok(
      rejected <= most,
      `${rejected} of ${scores.good.length} good cells rejected, at most ${most} by the promise`,
    );
  });
});
