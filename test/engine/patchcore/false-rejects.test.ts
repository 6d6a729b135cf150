import assert from 'node:assert/strict';
import { mostAbove } from './exchangeable';
import { drawGood } from './pictures';
import { Workbench } from './workbench';

describe('The promise about good parts', function () {
  this.timeout(180_000);

  it('holds for parts of the same process that were never seen', async () => {
    const bench = await Workbench.open();
    try {
      const { manifest, score } = await bench.train(await drawGood(40, 1), { falseRejectRate: 0.05, reviewRate: 0.1 });
      const { calibration, thresholds } = manifest;
      const known = calibration.independent;
      assert.equal(calibration.reject.method, 'conformal');
      const scores: number[] = [];
      for (const { picture } of await drawGood(60, 5001)) scores.push((await score(picture)).score);
      for (const [level, promise, wish] of [
        [thresholds.reject, calibration.promisedRejectRate, 0.05],
        [thresholds.accept, calibration.promisedAcceptRate, 0.1],
      ]) {
        assert.ok(promise <= wish + 1e-9);
        const above = scores.filter((one) => one > level).length;
        const most = mostAbove(known, Math.round(promise * (known + 1)), scores.length);
        assert.ok(above <= most, `${above} of 60 above the level, at most ${most} by a promise of ${promise}`);
        assert.ok(most < 60 / 2, `the bound ${most} says something`);
      }
    } finally {
      await bench.close();
    }
  });

  it('is checked by the right law', () => {
    // of 1 known and 1 new score either is the higher one; of 3 new ones all lie above in a quarter of the cases
    assert.equal(mostAbove(1, 1, 1), 1);
    assert.equal(mostAbove(1, 1, 3), 3);
    // one of 1 + 1999 known lies highest in all but one case of two thousand
    assert.equal(mostAbove(1999, 1, 1), 0);
    assert.equal(mostAbove(998, 1, 1), 1);
  });
});
