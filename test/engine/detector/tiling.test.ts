import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { RawDetection } from '../../../engine/detector';
import { mergeTiles, type TileFindings } from '../../../engine/detector/tiling';
import type { Box } from '../../../engine/domain';
import { viewFrames } from '../../../engine/imaging';

const OPTIONS = { iou: 0.7, maxDetections: 300 };

describe('what tiles of a picture found', () => {
  it('is one thing where both tiles saw all of it', () => {
    const { tiles, region } = seen([thing(0, 460, 100, 500, 140)], 2, 1, 0.2);
    assert.equal(tiles.filter(({ found }) => found.length > 0).length, 2);
    assert.deepEqual(corners(mergeTiles(tiles, region, OPTIONS)), [[460, 100, 500, 140]]);
  });

  it('is the whole thing where one tile saw only a piece of it', () => {
    const { tiles, region } = seen([thing(0, 380, 100, 450, 140)], 2, 1, 0.2);
    assert.deepEqual(corners(mergeTiles(tiles, region, OPTIONS)), [[380, 100, 450, 140]]);
  });

  it('is put together where no tile saw all of it, with the highest confidence', () => {
    const { tiles, region } = seen([thing(0, 100, 100, 900, 140)], 2, 2, 0.2);
    const [found, ...others] = mergeTiles(tiles, region, OPTIONS);
    assert.deepEqual([corners([found]), others], [[[100, 100, 900, 140]], []]);
    assert.equal(
      found.confidence,
      Math.max(...tiles.flatMap((tile) => tile.found.map(({ confidence }) => confidence))),
    );
  });

  it('is put together at a border that tiles only touch', () => {
    const { tiles, region } = seen([thing(0, 450, 100, 550, 140), thing(0, 450, 200, 550, 240)], 2, 1, 0);
    const found = corners(mergeTiles(tiles, region, OPTIONS));
    assert.deepEqual(found, [
      [450, 100, 550, 140],
      [450, 200, 550, 240],
    ]);
  });

  it('stays two things: of two classes, side by side at a border, or one over the other', () => {
    const pairs = [
      [thing(0, 450, 100, 550, 140), thing(1, 450, 100, 550, 140)],
      [thing(0, 400, 100, 495, 140), thing(0, 505, 300, 600, 340)],
      [thing(0, 440, 100, 560, 160), thing(0, 440, 150, 560, 210)],
    ];
    for (const pair of pairs) {
      for (const overlap of [0, 0.2]) {
        const { tiles, region } = seen(pair, 2, 1, overlap);
        assert.equal(mergeTiles(tiles, region, OPTIONS).length, 2);
      }
    }
  });

  it('is each thing once and whole, wherever it lies', () => {
    const [width, height] = [1000, 800];
    // on a grid of 250 x 200 cells no two things touch
    const things = fc.array(
      fc.record({
        label: fc.nat(1),
        x: fc.integer({ min: 5, max: 60 }),
        y: fc.integer({ min: 5, max: 60 }),
        width: fc.integer({ min: 20, max: 180 }),
        height: fc.integer({ min: 20, max: 130 }),
        isThere: fc.boolean(),
      }),
      { minLength: 16, maxLength: 16 },
    );
    const count = fc.integer({ min: 1, max: 4 });
    const overlap = fc.constantFrom(0, 0.1, 0.2, 0.35, 0.5);
    fc.assert(
      fc.property(things, count, count, overlap, (placed, columns, rows, share) => {
        const truth = placed.flatMap((one, place) => {
          if (!one.isThere) return [];
          const [x, y] = [(place % 4) * 250 + one.x, Math.floor(place / 4) * 200 + one.y];
          return [thing(one.label, x, y, x + one.width, y + one.height)];
        });
        const { tiles, region } = seen(truth, columns, rows, share, width, height);
        const byPlace = (a: number[], b: number[]) => a[1] - b[1] || a[0] - b[0];
        assert.deepEqual(corners(mergeTiles(tiles, region, OPTIONS)).sort(byPlace), corners(truth).sort(byPlace));
      }),
      { numRuns: 300 },
    );
  });
});

function thing(classNumber: number, left: number, top: number, right: number, bottom: number): RawDetection {
  return { classNumber, confidence: 0.9, left, top, right, bottom };
}

/** What a detector without a fault finds in the tiles of a picture: what each shows of the things, surer of more of it. */
function seen(
  things: readonly RawDetection[],
  columns: number,
  rows: number,
  overlap: number,
  width = 1000,
  height = 800,
): { tiles: TileFindings[]; region: Box } {
  const preprocessing = { width: 640, height: 640, mode: 'letterbox', kernel: 'linear' } as const;
  const frames = viewFrames(width, height, { preprocessing, roi: null, tiles: { columns, rows, overlap } });
  const tiles = frames.map(({ source }) => ({ part: source, found: things.flatMap((one) => shown(one, source)) }));
  return { tiles, region: { x: 0, y: 0, width, height } };
}

function shown(one: RawDetection, part: Box): RawDetection[] {
  const left = Math.max(one.left, part.x);
  const top = Math.max(one.top, part.y);
  const right = Math.min(one.right, part.x + part.width);
  const bottom = Math.min(one.bottom, part.y + part.height);
  if (right - left < 1 || bottom - top < 1) return [];
  const share = ((right - left) * (bottom - top)) / ((one.right - one.left) * (one.bottom - one.top));
  return [{ ...one, confidence: 0.5 + 0.4 * share, left, top, right, bottom }];
}

function corners(found: readonly RawDetection[]): number[][] {
  return found.map(({ left, top, right, bottom }) => [left, top, right, bottom]);
}
