import assert from 'node:assert/strict';
import { seededRandom } from '../../../engine/domain';
import { dealFolds } from '../../../engine/statistics';

describe('Folds', () => {
  it('have about equal size and keep groups together', () => {
    const random = seededRandom(1);
    const groups = Array.from({ length: 203 }, () => Math.floor(60 * random()));
    const folds = dealFolds(groups, 5, seededRandom(2));
    const sizes = [0, 1, 2, 3, 4].map((fold) => folds.filter((other) => other === fold).length);
    assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, `${sizes}`);
    const foldOf = new Map(groups.map((group, picture) => [group, folds[picture]]));
    groups.forEach((group, picture) => {
      assert.equal(folds[picture], foldOf.get(group));
    });
  });

  it('are the same for the same random numbers, and others for others', () => {
    const groups = Array.from({ length: 50 }, (_, index) => index);
    assert.deepEqual(dealFolds(groups, 4, seededRandom(3)), dealFolds(groups, 4, seededRandom(3)));
    assert.notDeepEqual(dealFolds(groups, 4, seededRandom(3)), dealFolds(groups, 4, seededRandom(4)));
  });

  it('are as many as there are groups when these are fewer', () => {
    assert.deepEqual(new Set(dealFolds([7, 7, 7, 2, 2, 9], 5, seededRandom(1))), new Set([0, 1, 2]));
    assert.deepEqual([...dealFolds([], 5, seededRandom(1))], []);
  });

  it('spare no fold for one large group', () => {
    const groups = [...new Array<number>(30).fill(0), ...Array.from({ length: 10 }, (_, index) => index + 1)];
    const folds = dealFolds(groups, 3, seededRandom(1));
    assert.deepEqual(
      [0, 1, 2].map((fold) => folds.filter((other) => other === fold).length),
      [30, 5, 5],
    );
  });

  it('are two at least', () => {
    assert.throws(() => dealFolds([1, 2], 1, seededRandom(1)), RangeError);
  });
});
