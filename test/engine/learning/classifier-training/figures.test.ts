import assert from 'node:assert/strict';
import { classifierFigures } from '../../../../engine/learning/classifier-training/figures';
import { classifierGate } from '../../../../engine/learning/classifier-training/gate';

/** `truth>named` for each picture. */
function pictures(...pairs: readonly string[]) {
  return pairs.map((pair) => {
    const [truth, named] = pair.split('>');
    return { truth, named };
  });
}

describe('the figures of a classifier', () => {
  it('are those counted by hand', () => {
    const named = pictures('a>a', 'a>a', 'a>b', 'b>b', 'b>a', 'b>a', 'b>a', 'c>c');
    const {
      accuracy,
      balancedAccuracy,
      perClass,
      confusion,
      interval,
      pictures: count,
    } = classifierFigures(named, ['a', 'b', 'c', 'd']);
    assert.equal(accuracy, 4 / 8);
    assert.ok(Math.abs(balancedAccuracy - (2 / 3 + 1 / 4 + 1) / 3) < 1e-12);
    assert.equal(count, 8);
    assert.deepEqual(perClass, [
      { label: 'a', recall: 2 / 3, precision: 2 / 5, f1: 4 / 8, count: 3 },
      { label: 'b', recall: 1 / 4, precision: 1 / 2, f1: 2 / 6, count: 4 },
      { label: 'c', recall: 1, precision: 1, f1: 1, count: 1 },
      { label: 'd', recall: null, precision: null, f1: null, count: 0 },
    ]);
    assert.deepEqual(confusion.matrix, [
      [2, 1, 0, 0],
      [3, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 0],
    ]);
    // Clopper-Pearson of 4 in 8 at 95 %: 0.1570 to 0.8430, from the published tables
    assert.ok(interval && Math.abs(interval.low - 0.157) < 5e-4 && Math.abs(interval.high - 0.843) < 5e-4);
  });

  it('count a name that is none of the classes as wrong, and show it', () => {
    const { accuracy, confusion } = classifierFigures(pictures('a>a', 'a>old'), ['a', 'b']);
    assert.equal(accuracy, 0.5);
    assert.deepEqual(confusion.labels, ['a', 'b', 'old']);
    assert.deepEqual(confusion.matrix[0], [1, 0, 1]);
  });

  it('are zero without pictures', () => {
    const { accuracy, balancedAccuracy, interval, pictures: count } = classifierFigures([], ['a', 'b']);
    assert.deepEqual([accuracy, balancedAccuracy, interval, count], [0, 0, undefined, 0]);
  });
});

describe('the gate of a classifier', () => {
  const many = (pair: string, count: number) => Array.from({ length: count }, () => pair);
  const figures = (...pairs: readonly string[]) => classifierFigures(pictures(...pairs), ['a', 'b']);
  const good = figures(...many('a>a', 38), ...many('a>b', 2), ...many('b>b', 38), ...many('b>a', 2));
  const codes = (before: Parameters<typeof classifierGate>[0], after: Parameters<typeof classifierGate>[1]) =>
    classifierGate(before, after).reasons.map(({ code }) => code);

  it('accepts the first version, and one that is as good', () => {
    assert.deepEqual(classifierGate(null, good), { accepted: true, reasons: [] });
    assert.deepEqual(classifierGate(good, good), { accepted: true, reasons: [] });
  });

  it('refuses a candidate whose mean recall falls, and names both', () => {
    const worse = figures(...many('a>a', 36), ...many('a>b', 4), ...many('b>b', 38), ...many('b>a', 2));
    const { accepted, reasons } = classifierGate(good, worse);
    assert.equal(accepted, false);
    assert.deepEqual(codes(good, worse), ['held-out-accuracy-fell']);
    assert.deepEqual(reasons[0].parameters, { before: '95.0 %', after: '92.5 %', tolerance: '1.3 %' });
  });

  it('refuses a candidate that has forgotten a class, though it names another better', () => {
    const shifted = figures(...many('a>a', 40), ...many('b>b', 35), ...many('b>a', 5));
    assert.deepEqual(codes(good, shifted), ['held-out-class-fell']);
  });

  it('lets a single picture more be wrong where there are few', () => {
    const few = figures(...many('a>a', 10), ...many('b>b', 10));
    const one = figures(...many('a>a', 10), ...many('b>b', 9), 'b>a');
    assert.deepEqual(codes(few, one), []);
    const two = figures(...many('a>a', 10), ...many('b>b', 8), ...many('b>a', 2));
    assert.deepEqual(codes(few, two), ['held-out-accuracy-fell', 'held-out-class-fell']);
  });

  it('refuses what names by chance, and what cannot be measured', () => {
    assert.deepEqual(codes(null, figures('a>a', 'b>a')), ['names-by-chance']);
    assert.deepEqual(codes(null, figures()), ['nothing-to-measure-with']);
  });
});
