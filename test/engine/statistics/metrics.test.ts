import assert from 'node:assert/strict';
import { seededRandom } from '../../../engine/domain';
import { auroc, averagePrecision, clopperPearson, f1Max, pixelAuroc, pro } from '../../../engine/statistics';

const close = (actual: number, expected: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

describe('Metrics', () => {
  it('counts ties half in the AUROC', () => {
    // scipy 1.x: mannwhitneyu([.2,.35,.5,.8], [.1,.2,.2,.35,.4]).statistic / 20
    close(auroc([0.1, 0.2, 0.2, 0.35, 0.4], [0.2, 0.35, 0.5, 0.8]), 0.775);
    close(auroc([1, 2], [3, 4]), 1);
    close(auroc([3, 4], [1, 2]), 0);
    close(auroc([1, 1, 1], [1, 1]), 0.5);
    assert.ok(Number.isNaN(auroc([], [1])));
  });

  it('gives the AUROC that counting all pairs gives', () => {
    const random = seededRandom(9);
    const draw = (count: number, shift: number) =>
      Array.from({ length: count }, () => Math.round(20 * (random() + shift)) / 20);
    const [good, defective] = [draw(80, 0), draw(50, 0.3)];
    let wins = 0;
    for (const high of defective) for (const low of good) wins += high > low ? 1 : high === low ? 0.5 : 0;
    close(auroc(good, defective), wins / (80 * 50));
  });

  it('finds the best F1 and the average precision of a small example by hand', () => {
    // Thresholds from the top: .9 (1 of 1), .8 (1 of 2), .7 (2 of 3), .6 (3 of 4), .1 (3 of 5); three defective.
    const [good, defective] = [
      [0.8, 0.1],
      [0.9, 0.7, 0.6],
    ];
    const best = f1Max(good, defective);
    close(best.f1, 6 / 7);
    assert.equal(best.threshold, 0.6);
    close(averagePrecision(good, defective), (1 + 2 / 3 + 3 / 4) / 3);
  });

  it("gives Clopper and Pearson's exact intervals", () => {
    // scipy 1.x: beta.ppf(0.025, k, n - k + 1), beta.ppf(0.975, k + 1, n - k)
    const expected: [number, number, number, number][] = [
      [0, 10, 0, 0.3084971078187607],
      [3, 60, 0.010432329644348225, 0.13924324672107277],
      [60, 60, 0.9403705077138331, 1],
      [1, 200, 0.00012658102786701825, 0.02754189845720562],
    ];
    for (const [count, total, low, high] of expected) {
      const interval = clopperPearson(count, total);
      close(interval.low, low);
      close(interval.high, high);
    }
    assert.throws(() => clopperPearson(5, 4), RangeError);
  });

  it('weighs a small defect as much as a large one in PRO', () => {
    // 4 x 4 pixels; a defect of one pixel is found first, one of three last of all.
    const map = Float32Array.of(9, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0.1, 0.1, 0.1);
    const mask = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1);
    // By hand: overlap is 0.5 from a false-pixel rate of 0 on (one of two defects), until 9 of 12 good pixels are false.
    close(pro([{ map, mask, width: 4, height: 4 }]), 0.5);
    close(pixelAuroc([{ map, mask, width: 4, height: 4 }]), (12 + 3 * 3) / (4 * 12));
  });

  it('interpolates PRO up to its limit', () => {
    // One defect of two pixels, ten good ones: one half is found at rate 0, the other half ties with 6 good pixels.
    const map = Float32Array.of(5, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0);
    const mask = Uint8Array.of(1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    // Straight from (0, 0.5) to (0.6, 1): the mean over 0..0.3 is 0.5 + 0.25 / 2.
    close(pro([{ map, mask, width: 12, height: 1 }]), 0.625);
    assert.ok(Number.isNaN(pro([{ map, width: 12, height: 1 }])));
  });
});
