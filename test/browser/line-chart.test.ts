import assert from 'node:assert/strict';
import { chartTicks, lineOf, placeIn, scaleFor } from '../../ui/shared/line-chart';

describe('the arithmetic of the line chart', () => {
  it('has room above the highest value, and a scale even without values', () => {
    assert.deepEqual(scaleFor([1, 4, 2]), { from: 0, to: 4.32 });
    assert.deepEqual(scaleFor([]), { from: 0, to: 1 });
    assert.deepEqual(scaleFor([0, 0]), { from: 0, to: 1 });
    assert.deepEqual(scaleFor([Number.NaN, Number.POSITIVE_INFINITY, 1]), { from: 0, to: 1.08 });
  });

  it('draws from the lower left to the upper right', () => {
    const points = [
      { x: 1, y: 0 },
      { x: 2, y: 0.5 },
      { x: 5, y: 2 },
    ];
    assert.equal(lineOf(points, { from: 1, to: 5 }, { from: 0, to: 1 }), '0,100 25,50 100,0');
    assert.equal(placeIn({ from: 3, to: 3 }, 3), 0);
  });

  it('has round ticks, and whole ones where epochs are counted', () => {
    assert.deepEqual(chartTicks({ from: 0, to: 1 }), [0, 0.2, 0.4, 0.6, 0.8, 1]);
    assert.deepEqual(chartTicks({ from: 1, to: 3 }, true), [1, 2, 3]);
    assert.deepEqual(chartTicks({ from: 1, to: 1 }), [1]);
  });
});
