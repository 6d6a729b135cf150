import assert from 'node:assert/strict';
import { binsOf, moved, placeOn, scaleOf, ticksOf } from '../../ui/shared/score-plot';

describe('the arithmetic of the score plot', () => {
  const scores = [0.91, 0.93, 0.94, 0.94, 0.97, 1.02];
  const levels = [{ accept: 0.962, reject: 1.013 }];
  const scale = scaleOf(scores, levels);

  it('gives all scores and levels room, in steps that are round numbers', () => {
    assert.ok(scale.from < 0.91 && scale.to > 1.02);
    assert.equal(scale.step, 0.0005);
    const wide = scaleOf([3, 250], levels);
    assert.deepEqual([wide.from, wide.step], [0, 1]);
    assert.deepEqual(scaleOf([], []), { from: 0, to: 1, step: 0.005 });
    const alike = scaleOf([2, 2, 2], []);
    assert.ok(alike.from < 2 && alike.to > 2 && alike.step > 0);
  });

  it('puts each score into one bin, those at the ends too', () => {
    const bins = binsOf([0.95, scale.from, scale.to], scale);
    assert.equal(
      bins.reduce((sum, { count }) => sum + count, 0),
      3,
    );
    assert.deepEqual([bins[0].count, bins.at(-1)?.count], [1, 1]);
    assert.equal(binsOf(scores, scale, 1)[0].count, 6);
  });

  it('moves a level on the grid, and neither past the other', () => {
    const [at] = levels;
    assert.deepEqual(moved(at, 'accept', 0.95018, scale), { accept: 0.95, reject: 1.013 });
    assert.deepEqual(moved(at, 'accept', 5, scale), { accept: 1.013, reject: 1.013 });
    assert.deepEqual(moved(at, 'reject', 0.5, scale), { accept: 0.962, reject: 0.962 });
    assert.deepEqual(moved(at, 'reject', 5, scale), { accept: 0.962, reject: scale.to });
  });

  it('has its ticks on round numbers within the scale', () => {
    assert.deepEqual(ticksOf({ from: 0.893, to: 1.0405, step: 0.0005 }), [0.9, 0.95, 1]);
    assert.deepEqual(ticksOf({ from: 0, to: 10, step: 0.1 }), [0, 2, 4, 6, 8, 10]);
    assert.equal(placeOn(scale, scale.from - 1), 0);
    assert.equal(placeOn(scale, scale.to), 100);
  });
});
