import assert from 'node:assert/strict';
import { seededRandom } from '../../../engine/domain';
import { calibrate, conformalRank } from '../../../engine/patchcore';

const wishes = { falseRejectRate: 0.01, reviewRate: 0.05 };

describe('Calibration', () => {
  it('takes the conformal rank ceil((1 - a)(n + 1)), and none with too few scores', () => {
    // By hand from the definition.
    assert.equal(conformalRank(99, 0.01), 99);
    assert.equal(conformalRank(98, 0.01), null);
    assert.equal(conformalRank(199, 0.01), 198);
    assert.equal(conformalRank(19, 0.05), 19);
    assert.equal(conformalRank(50, 0.05), 49);
  });

  it('rejects no more new good parts than promised, over many draws', () => {
    const random = seededRandom(4);
    const draw = () => -Math.log(1 - random());
    let rejected = 0;
    const rounds = 3000;
    for (let round = 0; round < rounds; round += 1) {
      const { thresholds } = calibrate(Array.from({ length: 99 }, draw), wishes);
      if (draw() > thresholds.reject) rejected += 1;
    }
    // The bound holds on average over draws; 3 standard deviations of the count are added.
    assert.ok(rejected <= 0.01 * rounds + 3 * Math.sqrt(0.01 * rounds), `${rejected} of ${rounds}`);
  });

  it('keeps the sorted scores and says what is promised', () => {
    const scores = Array.from({ length: 199 }, (_, index) => (index * 37) % 199);
    const calibration = calibrate(scores, wishes);
    assert.deepEqual(
      calibration.scores,
      scores.slice().sort((a, b) => a - b),
    );
    assert.deepEqual(calibration.thresholds, { accept: 189, reject: 197 });
    assert.equal(calibration.median, 99);
    assert.equal(calibration.reject.method, 'conformal');
    assert.ok(Math.abs(calibration.promisedRejectRate - 0.01) < 1e-12);
  });

  it('widens the review band and says how many are needed when there are too few', () => {
    const many = calibrate(
      Array.from({ length: 60 }, (_, index) => 1 + index / 60),
      wishes,
    );
    const few = calibrate([1, 1.33, 1.66, 1.98], wishes);
    const band = ({ thresholds, median }: typeof few) =>
      (thresholds.reject - thresholds.accept) / (thresholds.accept - median);
    assert.ok(band(few) > 2 * band(many));
    assert.equal(few.reject.method, 'extrapolated');
    assert.equal(few.thresholds.accept, 1.98);
    assert.equal(few.picturesNeeded, 99);
    assert.ok(Math.abs(few.promisedAcceptRate - 0.2) < 1e-12);
    assert.match(few.statement, /too few .* 1 %: it takes 99/);
  });

  it('leaves room above scores that are all alike', () => {
    const { thresholds, median } = calibrate([2, 2, 2, 2], wishes);
    assert.ok(thresholds.reject > median && thresholds.accept <= thresholds.reject);
  });

  it('refuses one score and rates out of range', () => {
    assert.throws(() => calibrate([1], wishes), RangeError);
    assert.throws(() => calibrate([1, 2], { falseRejectRate: 0, reviewRate: 0.05 }), RangeError);
    assert.throws(() => calibrate([1, 2], { falseRejectRate: 0.1, reviewRate: 0.05 }), RangeError);
  });
});
