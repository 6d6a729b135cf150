import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  boxToSource,
  type Mask,
  mapToSource,
  stitchMaps,
  type ViewFrame,
  type Viewing,
  viewFrames,
} from '../../../engine/imaging';

const stretch = { width: 32, height: 32, mode: 'stretch', kernel: 'linear' } as const;

describe('the maps of several views', () => {
  it('of one view of the whole picture are that map itself', () => {
    for (const mode of ['letterbox', 'crop', 'stretch'] as const) {
      const [view] = viewFrames(128, 64, { preprocessing: { ...stretch, mode }, roi: null, tiles: null });
      const map = Float32Array.from({ length: 32 * 32 }, (_, index) => Math.sin(index));
      const stitched = stitchMaps([{ map, view }], null);
      if (mode !== 'crop') assert.equal(stitched.map, map);
      assert.deepEqual(stitched, { map, width: 32, height: 32, placement: view.placement });
    }
  });

  it('of one view of a region keep their pixels; the padding is 0', () => {
    const viewing = { preprocessing: { ...stretch, mode: 'letterbox' }, tiles: null } as const;
    const [view] = viewFrames(128, 128, { ...viewing, roi: { x: 0, y: 0.25, width: 1, height: 0.5 } });
    const { map, placement } = stitchMaps([{ map: new Float32Array(32 * 32).fill(3), view }], null);
    assert.deepEqual(placement, view.placement);
    for (let y = 0; y < 32; y += 1) assert.equal(map[y * 32 + 5], y >= 8 && y < 24 ? 3 : 0);
  });

  it('stand side by side at the resolution of their inputs: four quarters, worked out by hand', () => {
    const views = viewFrames(128, 64, tiled(2, 2, 0));
    const maps = views.map((view, index) => ({ map: new Float32Array(32 * 32).fill(index + 1), view }));
    const { map, width, height, placement } = stitchMaps(maps, null);
    assert.deepEqual([width, height], [64, 64]);
    assert.deepEqual([placement.scaleX, placement.scaleY], [0.5, 1]);
    for (let y = 0; y < 64; y += 1) {
      for (let x = 0; x < 64; x += 1) near(map[y * 64 + x], 1 + (x >= 32 ? 1 : 0) + (y >= 32 ? 2 : 0));
    }
  });

  it('fade into each other: half of each in the middle of the overlap', () => {
    // 48 pixels in two tiles of 32 that share 16: at 24 the two have the same weight
    const views = viewFrames(48, 32, tiled(2, 1, 0.5));
    const maps = views.map((view, index) => ({ map: new Float32Array(32 * 32).fill(index), view }));
    const { map, width } = stitchMaps(maps, null);
    assert.equal(width, 48);
    assert.equal(map[15], 0);
    assert.equal(map[32], 1);
    // by hand: the pixel at 16.5 is 0.5 into the second tile and 15.5 from the first one's end
    near(map[16], 0.5 / 16);
    near((map[23] + map[24]) / 2, 0.5);
    for (let x = 16; x < 32; x += 1) assert.ok(map[x] > map[x - 1]);
  });

  it('give back a plane over the source, whatever region and tiles it was cut by', () => {
    const layout = fc.record({
      columns: fc.integer({ min: 1, max: 4 }),
      rows: fc.integer({ min: 1, max: 3 }),
      overlap: fc.double({ min: 0, max: 0.5, noNaN: true }),
      mode: fc.constantFrom('letterbox' as const, 'crop' as const, 'stretch' as const),
      left: fc.double({ min: 0, max: 0.4, noNaN: true }),
      width: fc.integer({ min: 200, max: 500 }),
    });
    fc.assert(
      fc.property(layout, ({ columns, rows, overlap, mode, left, width }) => {
        const viewing: Viewing = {
          preprocessing: { ...stretch, mode },
          roi: { x: left, y: 0.1, width: 0.5, height: 0.8 },
          tiles: { columns, rows, overlap },
        };
        const views = viewFrames(width, 240, viewing);
        const plane = (x: number, y: number) => 2 + x / 40 - y / 90;
        const stitched = stitchMaps(
          views.map((view) => ({ map: drawn(view, plane), view })),
          null,
        );
        const { scaleX, scaleY, offsetX, offsetY } = stitched.placement;
        // edge values are held for half an input pixel
        const off = 0.51 * (1 / views[0].placement.scaleX / 40 + 1 / views[0].placement.scaleY / 90) + 1e-4;
        for (let y = 0; y < stitched.height; y += 3) {
          for (let x = 0; x < stitched.width; x += 3) {
            const u = (x + 0.5 - offsetX) / scaleX;
            const v = (y + 0.5 - offsetY) / scaleY;
            const shown = views.some(
              ({ source }) => within(u, source.x, source.width) && within(v, source.y, source.height),
            );
            near(stitched.map[y * stitched.width + x], shown ? plane(u, v) : 0, off);
          }
        }
      }),
    );
  });

  it('show a peak of any view at its place in the source', () => {
    const places = fc.tuple(fc.integer({ min: 30, max: 369 }), fc.integer({ min: 20, max: 219 }));
    fc.assert(
      fc.property(places, fc.double({ min: 0, max: 0.5, noNaN: true }), ([x, y], overlap) => {
        const views = viewFrames(400, 240, {
          ...tiled(3, 2, overlap),
          roi: { x: 0.05, y: 0.05, width: 0.9, height: 0.9 },
        });
        const bump = (u: number, v: number) => Math.exp(-((u - x - 0.5) ** 2 + (v - y - 0.5) ** 2) / 200);
        const { map, width, placement } = stitchMaps(
          views.map((view) => ({ map: drawn(view, bump), view })),
          null,
        );
        const best = map.indexOf(Math.max(...map));
        const spot = { x: best % width, y: Math.floor(best / width), width: 1, height: 1 };
        const back = boxToSource(spot, placement);
        assert.ok(back.x - 5 <= x && x <= back.x + back.width + 5, `${JSON.stringify(back)} for ${x}`);
        assert.ok(back.y - 5 <= y && y <= back.y + back.height + 5, `${JSON.stringify(back)} for ${y}`);
        const whole = mapToSource(map, width, map.length / width, placement, 400, 240, -1);
        assert.equal(whole[0], -1);
        assert.ok(whole[y * 400 + x] > 0.8);
      }),
      { numRuns: 30 },
    );
  });

  it('are 0 where the mask leaves out', () => {
    const mask: Mask = { width: 2, height: 1, data: Uint8Array.of(0, 1) };
    for (const viewing of [{ preprocessing: stretch, roi: null, tiles: null }, tiled(2, 2, 0.25)]) {
      const views = viewFrames(128, 64, viewing);
      const given = views.map((view) => ({ map: new Float32Array(32 * 32).fill(7), view }));
      const { map, width } = stitchMaps(given, mask);
      map.forEach((value, index) => {
        near(value, (index % width) + 0.5 < width / 2 ? 0 : 7);
      });
      assert.ok(given.every((one) => one.map.every((value) => value === 7)));
    }
  });

  it('are at most 2048 pixels long', () => {
    const views = viewFrames(4000, 1000, {
      preprocessing: { width: 1024, height: 512, mode: 'stretch', kernel: 'linear' },
      roi: null,
      tiles: { columns: 4, rows: 2, overlap: 0 },
    });
    const maps = views.map((view) => ({ map: new Float32Array(1024 * 512).fill(1), view }));
    const { width, height, map, placement } = stitchMaps(maps, null);
    assert.deepEqual([width, height], [2048, 512]);
    assert.ok(map.every((value) => Math.abs(value - 1) < 1e-6));
    assert.deepEqual(boxToSource({ x: 0, y: 0, width, height }, placement), { x: 0, y: 0, width: 4000, height: 1000 });
  });

  it('are refused when there is none, or one is not of its view', () => {
    const [view] = viewFrames(128, 64, tiled(1, 1, 0));
    assert.throws(() => stitchMaps([], null), RangeError);
    assert.throws(() => stitchMaps([{ map: new Float32Array(4), view }], null), RangeError);
  });
});

function tiled(columns: number, rows: number, overlap: number): Viewing {
  return { preprocessing: stretch, roi: null, tiles: { columns, rows, overlap } };
}

/** The map of a view that shows a function of the source's pixels. */
function drawn({ width, height, placement }: ViewFrame, value: (x: number, y: number) => number): Float32Array {
  const { scaleX, scaleY, offsetX, offsetY } = placement;
  return Float32Array.from({ length: width * height }, (_, index) =>
    value(((index % width) + 0.5 - offsetX) / scaleX, (Math.floor(index / width) + 0.5 - offsetY) / scaleY),
  );
}

function within(value: number, start: number, length: number): boolean {
  return value >= start && value < start + length;
}

function near(actual: number, expected: number, tolerance = 1e-5): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual}, expected ${expected}`);
}
