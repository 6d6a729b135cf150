import assert from 'node:assert/strict';
import { seededRandom } from '../../../engine/domain';
import { auroc, aurocInterval } from '../../../engine/statistics';

const exponential = (random: () => number) => -Math.log(1 - random());

describe('Bootstrap interval of the AUROC', () => {
  it('covers the true area about as often as it says', () => {
    const random = seededRandom(1);
    // Exponential with means 1 and 3: the area is 3 / 4.
    const rounds = 300;
    let covered = 0;
    for (let round = 0; round < rounds; round += 1) {
      const good = Array.from({ length: 60 }, () => exponential(random));
      const defective = Array.from({ length: 60 }, () => 3 * exponential(random));
      const { low, high } = aurocInterval(good, defective, { seed: round, resamples: 100 });
      if (low <= 0.75 && 0.75 <= high) covered += 1;
    }
    // 0.95, less what percentile intervals of 60 and 60 lack (a few per cent) and four standard deviations.
    assert.ok(covered / rounds > 0.87 && covered / rounds <= 1, `${covered} of ${rounds}`);
  });

  it('is as wide as the known standard error says', () => {
    const random = seededRandom(2);
    const good = Array.from({ length: 200 }, () => exponential(random));
    const defective = Array.from({ length: 100 }, () => 3 * exponential(random));
    const area = auroc(good, defective);
    // Hanley and McNeil 1982, for exponential scores.
    const [q1, q2] = [area / (2 - area), (2 * area * area) / (1 + area)];
    const error = Math.sqrt((area * (1 - area) + 99 * (q1 - area * area) + 199 * (q2 - area * area)) / (200 * 100));
    const { low, high } = aurocInterval(good, defective, { seed: 3 });
    assert.ok(Math.abs((high - low) / (2 * 1.96 * error) - 1) < 0.2, `${(high - low) / (2 * 1.96 * error)}`);
    assert.ok(low < area && area < high);
  });

  it('is the same for the same seed, narrower with less confidence', () => {
    const [good, defective] = [
      [1, 2, 3, 4, 5, 6],
      [4, 5, 6, 7, 8, 3],
    ];
    const wide = aurocInterval(good, defective, { seed: 1 });
    assert.deepEqual(wide, aurocInterval(good, defective, { seed: 1 }));
    const narrow = aurocInterval(good, defective, { seed: 1, confidence: 0.5 });
    assert.ok(wide.low < narrow.low && narrow.high < wide.high);
  });

  it('is a point where the kinds do not overlap, and no number without scores', () => {
    assert.deepEqual(aurocInterval([1, 2], [3, 4], { seed: 1 }), { low: 1, high: 1 });
    assert.ok(Number.isNaN(aurocInterval([], [1], { seed: 1 }).low));
    assert.throws(() => aurocInterval([1], [2], { seed: 1, resamples: 1 }), RangeError);
    assert.throws(() => aurocInterval([1], [2], { seed: 1, confidence: 1 }), RangeError);
  });
});
