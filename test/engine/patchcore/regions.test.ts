import assert from 'node:assert/strict';
import { placementOf } from '../../../engine/imaging';
import { greyOf } from '../../../engine/patchcore/anomaly-map';
import { findRegions } from '../../../engine/patchcore/regions';
import { imageScore } from '../../../engine/patchcore/scoring';

const SIDE = 64;

function mapWith(...spots: [x: number, y: number, value: number][]): Float32Array {
  const map = new Float32Array(SIDE * SIDE);
  for (const [x, y, value] of spots) map[y * SIDE + x] = value;
  return map;
}

describe('Regions', () => {
  const stretched = placementOf(640, 320, { width: SIDE, height: SIDE, mode: 'stretch', kernel: 'linear' });

  it('joins pixels that touch at a corner, and gives box and area in pixels of the original', () => {
    const regions = findRegions(mapWith([2, 2, 3], [3, 3, 5], [4, 2, 4], [40, 10, 9]), 3, stretched);
    // One input pixel is 10 x 5 pixels of the original.
    assert.deepEqual(regions, [
      { box: { x: 400, y: 50, width: 10, height: 5 }, area: 50, peak: 9 },
      { box: { x: 20, y: 10, width: 30, height: 10 }, area: 150, peak: 5 },
    ]);
  });

  it('takes nothing below the level, and everything in one region when all is above', () => {
    assert.deepEqual(findRegions(mapWith([5, 5, 2.9]), 3, stretched), []);
    const [all, ...others] = findRegions(new Float32Array(SIDE * SIDE).fill(4), 3, stretched);
    assert.deepEqual(all, { box: { x: 0, y: 0, width: 640, height: 320 }, area: 640 * 320, peak: 4 });
    assert.deepEqual(others, []);
  });

  it('keeps regions of a letterbox inside the picture and drops those in its padding', () => {
    const boxed = placementOf(640, 320, { width: SIDE, height: SIDE, mode: 'letterbox', kernel: 'linear' });
    assert.deepEqual(findRegions(mapWith([10, 2, 5]), 3, boxed), []);
    const [region] = findRegions(mapWith([0, 15, 5], [0, 16, 6]), 3, boxed);
    assert.deepEqual(region.box, { x: 0, y: 0, width: 10, height: 10 });
  });

  it('does not join the last column with the first one of the next row', () => {
    assert.equal(findRegions(mapWith([63, 10, 5], [0, 11, 5]), 3, stretched).length, 2);
  });
});

describe('Scores', () => {
  it('averages the most unusual patches, at least one', () => {
    const distances = Float32Array.from({ length: 300 }, (_, index) => index);
    assert.equal(imageScore(distances, { method: 'top-mean', share: 0.01 }), 298);
    assert.equal(imageScore(distances.subarray(0, 20), { method: 'top-mean', share: 0.01 }), 19);
  });

  it('maps distances to greys and holds the ends', () => {
    const scale = { zero: 1, full: 3 };
    assert.deepEqual(
      [0, 1, 2, 3, 9].map((distance) => greyOf(distance, scale)),
      [0, 0, 128, 255, 255],
    );
  });
});
