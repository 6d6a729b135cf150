import assert from 'node:assert/strict';
import { placementOf } from '../../../engine/imaging';
import { greysOf } from '../../../engine/patchcore/anomaly-map';
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
  const distances = Float32Array.from({ length: 300 }, (_, index) => index);
  const view = { distances, counts: new Float32Array(300).fill(1) };

  it('averages the most unusual patches, at least one', () => {
    const scoring = { method: 'top-mean', share: 0.01 } as const;
    assert.equal(imageScore([view], scoring), 298);
    assert.equal(
      imageScore([{ distances: distances.subarray(0, 20), counts: view.counts.subarray(0, 20) }], scoring),
      19,
    );
  });

  it('takes the share of the patches that count, over all views', () => {
    const scoring = { method: 'top-mean', share: 0.02 } as const;
    const half = { ...view, counts: Float32Array.from({ length: 300 }, (_, index) => (index < 100 ? 1 : 0)) };
    assert.equal(imageScore([half], scoring), 98.5);
    assert.equal(imageScore([half, half], scoring), 98.5);
    assert.equal(imageScore([{ ...view, counts: new Float32Array(300) }], scoring), 0);
  });

  it('takes the greatest distance of all views, and the re-weighted one of the view that has it', () => {
    const low = { distances: distances.map((value) => value / 2), counts: view.counts, reweighted: 140 };
    assert.equal(imageScore([low, view], { method: 'max' }), 299);
    const scoring = { method: 'reweighted', neighbours: 9 } as const;
    assert.equal(imageScore([low, { ...view, reweighted: 120 }], scoring), 120);
  });

  it('maps distances to greys and holds the ends', () => {
    const scale = { zero: 1, full: 3 };
    assert.deepEqual([...greysOf(Float32Array.of(0, 1, 2, 3, 9), scale)], [0, 0, 128, 255, 255]);
  });
});
