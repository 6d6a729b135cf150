import assert from 'node:assert/strict';
import { clopperPearson, fitIsotonic, fitPlatt, probabilityOf, ratesAt } from '../../../engine/statistics';

const close = (actual: number | null, expected: number, tolerance = 1e-9) =>
  assert.ok(actual !== null && Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

describe('Rates at thresholds', () => {
  it('count good parts rejected and reviewed, and defective parts passed, each with its exact interval', () => {
    const rates = ratesAt({ scores: [1, 2, 3, 4, 5], defectScores: [2, 4, 6] }, { accept: 2, reject: 4 });
    assert.deepEqual(rates.falseReject, { count: 1, total: 5, rate: 0.2, ...clopperPearson(1, 5) });
    assert.deepEqual([rates.goodToReview.count, rates.goodToReview.total], [2, 5]);
    assert.deepEqual([rates.miss?.count, rates.miss?.total], [1, 3]);
  });

  it('say nothing about misses without defects, and refuse thresholds the wrong way round', () => {
    assert.equal(ratesAt({ scores: [1], defectScores: [] }, { accept: 1, reject: 1 }).miss, null);
    assert.throws(() => ratesAt({ scores: [1], defectScores: [] }, { accept: 2, reject: 1 }), RangeError);
  });
});

describe('Probability of a defect', () => {
  it('is one half in the middle of two kinds that mirror each other', () => {
    const curve = fitPlatt([1, 2, 3, 4, 5], [5, 6, 7, 8, 9]);
    close(probabilityOf(curve, 5), 0.5, 1e-6);
    assert.ok(probabilityOf(curve, 1)! < 0.1 && probabilityOf(curve, 9)! > 0.9);
  });

  it('does not change when one kind has more pictures of the same scores', () => {
    const few = fitPlatt(repeated([1, 2, 3], 40), repeated([2, 3, 4], 40));
    const many = fitPlatt(repeated([1, 2, 3], 800), repeated([2, 3, 4], 40));
    close(probabilityOf(many, 2.5), probabilityOf(few, 2.5)!, 0.01);
    const step = fitIsotonic(repeated([1, 2, 3], 800), repeated([2, 3, 4], 40));
    close(probabilityOf(step, 2), 0.5, 1e-12);
  });

  it('stays finite when the kinds do not overlap', () => {
    const curve = fitPlatt([1, 1.1, 1.2, 1.3, 1.4], [8, 8.1, 8.2, 8.3, 8.4]);
    assert.ok(probabilityOf(curve, 1)! > 0 && probabilityOf(curve, 8.4)! < 1);
    // Platt's targets for five of a kind: 1 / 7 and 6 / 7.
    close(probabilityOf(curve, 1.2), 1 / 7, 0.01);
    close(probabilityOf(curve, 8.2), 6 / 7, 0.01);
  });

  it('does not rise towards good parts', () => {
    assert.deepEqual(fitPlatt([5, 6, 7], [1, 2, 3]), { method: 'platt', slope: 0, intercept: 0 });
    const steps = fitIsotonic([5, 6, 7], [1, 2, 3]);
    assert.deepEqual(steps.scores, [1, 7]);
    for (const value of steps.values) close(value, 0.5);
  });

  it('pools the violators of a small example by hand, and draws straight lines between steps', () => {
    // Weights 1/6 each: 1 good, 2 defective, 3 good, 4 defective, 5 good, 6 defective.
    const steps = fitIsotonic([1, 3, 5], [2, 4, 6]);
    // Pools 2 to 5 to one block of 1/2, of which the ends remain; 1 and 6 are kept within 1/5 and 4/5.
    assert.deepEqual(steps.scores, [1, 2, 5, 6]);
    [0.2, 0.5, 0.5, 0.8].forEach((value, index) => {
      close(steps.values[index], value);
    });
    close(probabilityOf(steps, 1.5), 0.35);
    close(probabilityOf(steps, 0), 0.2);
    close(probabilityOf(steps, 99), 0.8);
  });

  it('needs both kinds', () => {
    assert.throws(() => fitPlatt([], [1]), RangeError);
    assert.throws(() => fitIsotonic([1], []), RangeError);
    assert.equal(probabilityOf(null, 1), null);
  });
});

function repeated(scores: readonly number[], count: number): number[] {
  return Array.from({ length: count * scores.length }, (_, index) => scores[index % scores.length]);
}
