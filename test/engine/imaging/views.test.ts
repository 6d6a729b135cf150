import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Box, InvalidInput, seededRandom } from '../../../engine/domain';
import {
  boxToSource,
  contentOf,
  PictureUnreadable,
  type Preprocessing,
  type Tiles,
  toTensor,
  toViews,
  type ViewFrame,
  type Viewing,
  viewFrames,
} from '../../../engine/imaging';
import { barsJpeg, handmadePng } from './pictures';

const MODES = ['letterbox', 'crop', 'stretch'] as const;

describe('views of a picture', () => {
  it('are without region and tiles the one tensor of the picture, bit for bit', async () => {
    for (const mode of MODES) {
      for (const picture of [barsJpeg, noisePng(50, 70), greyPng(40, 30)]) {
        const tensor = await toTensor(picture, options(64, mode));
        const { views, picture: facts } = await toViews(picture, whole(options(64, mode)));
        assert.equal(views.length, 1);
        assert.deepEqual(views[0].data, tensor.data);
        assert.deepEqual(views[0].placement, tensor.placement);
        assert.deepEqual(facts, tensor.picture);
      }
    }
  });

  it('have the bytes of the tensor of a picture that is no more than the cut-out, put together by hand', async () => {
    const cut = box(13, 7, 40, 33);
    for (const mode of MODES) {
      for (const kernel of ['linear', 'cubic', 'lanczos3', 'nearest'] as const) {
        const preprocessing = { width: 48, height: 32, mode, kernel };
        const expected = await toTensor(noisePng(97, 61, cut), preprocessing);
        const roi = box(cut.x / 97, cut.y / 61, cut.width / 97, cut.height / 61);
        const { views } = await toViews(noisePng(97, 61), { preprocessing, roi, tiles: null });
        assert.deepEqual(views[0].data, expected.data, `${mode}, ${kernel}`);
      }
    }
  });

  it('take the same way with a region of the whole picture in four tiles, also in grey', async () => {
    for (const draw of [noisePng, greyPng]) {
      const preprocessing = options(32, 'stretch');
      const { views } = await toViews(draw(80, 60), {
        preprocessing,
        roi: null,
        tiles: { columns: 2, rows: 2, overlap: 0 },
      });
      const corners = [box(0, 0, 40, 30), box(40, 0, 40, 30), box(0, 30, 40, 30), box(40, 30, 40, 30)];
      assert.deepEqual(
        views.map(({ tile, source }) => ({ tile, source })),
        corners.map((source, tile) => ({ tile, source })),
      );
      for (const [index, corner] of corners.entries()) {
        assert.deepEqual(views[index].data, (await toTensor(draw(80, 60, corner), preprocessing)).data);
      }
    }
  });

  it('lie as worked out by hand: three columns that share half a side of 100 pixels are 50 wide', () => {
    const frames = viewFrames(200, 40, {
      preprocessing: options(64, 'letterbox'),
      roi: box(0.25, 0, 0.5, 1),
      tiles: { columns: 3, rows: 1, overlap: 0.5 },
    });
    assert.deepEqual(
      frames.map(({ source }) => source),
      [box(50, 0, 50, 40), box(75, 0, 50, 40), box(100, 0, 50, 40)],
    );
    // 50 x 40 in 64: scale 1.28, 51 rows, 6 of padding above
    const { placement } = frames[1];
    assert.deepEqual([placement.scaleX, placement.offsetX, placement.offsetY], [1.28, -96, 6]);
    assert.deepEqual([placement.sourceWidth, placement.sourceHeight], [200, 40]);
    assert.deepEqual(contentOf(frames[1]), box(0, 6, 64, 51));
  });

  it('cover the region completely with equal tiles that overlap as wished', () => {
    fc.assert(
      fc.property(viewings(['letterbox', 'stretch']), ({ width, height, viewing }) => {
        const frames = framesOrNone(width, height, viewing);
        const { columns, rows, overlap } = viewing.tiles as Tiles;
        if (frames.length === 0) return;
        assert.equal(frames.length, columns * rows);
        const [{ source: first }] = frames;
        for (const { source } of frames) assert.deepEqual([source.width, source.height], [first.width, first.height]);
        const region = pixelsOf(viewing.roi as Box, width, height);
        const inRow = frames.slice(0, columns).map(({ source }) => source.x - region.x);
        const inColumn = frames.filter((_, index) => index % columns === 0).map(({ source }) => source.y - region.y);
        for (const [starts, side, length] of [
          [inRow, first.width, region.width],
          [inColumn, first.height, region.height],
        ] as const) {
          assert.equal(starts[0], 0);
          assert.equal((starts.at(-1) as number) + side, length);
          for (let index = 1; index < starts.length; index += 1) {
            const shared = starts[index - 1] + side - starts[index];
            // both ends of a tile lie on whole pixels
            assert.ok(shared >= 0 && Math.abs(shared - overlap * side) <= 2, `${shared} of ${side}, wished ${overlap}`);
          }
        }
      }),
    );
  });

  it('leave no strip unseen between the tiles of a crop', () => {
    fc.assert(
      fc.property(viewings(['crop']), ({ width, height, viewing }) => {
        const frames = framesOrNone(width, height, viewing);
        const xs = [...new Set(frames.map(({ source }) => source.x))].sort((a, b) => a - b);
        const ys = [...new Set(frames.map(({ source }) => source.y))].sort((a, b) => a - b);
        for (const { source } of frames) {
          const right = xs.find((x) => x > source.x);
          const below = ys.find((y) => y > source.y);
          assert.ok(right === undefined || right <= source.x + source.width);
          assert.ok(below === undefined || below <= source.y + source.height);
        }
        for (const { placement } of frames) {
          // the tile has the input's shape up to the rounding to whole pixels
          assert.ok(Math.abs(placement.scaleX / placement.scaleY - 1) < 0.15);
        }
      }),
    );
  });

  it('take each place of the region back to itself, through every region, tiling and mode', () => {
    const shares = fc.tuple(share(0, 0.999), share(0, 0.999));
    fc.assert(
      fc.property(viewings(MODES), shares, ({ width, height, viewing }, [across, down]) => {
        const frames = framesOrNone(width, height, viewing);
        for (const frame of frames) {
          const x = frame.source.x + Math.floor(across * frame.source.width);
          const y = frame.source.y + Math.floor(down * frame.source.height);
          const { scaleX, scaleY, offsetX, offsetY, inputWidth, inputHeight } = frame.placement;
          const inputX = (x + 0.5) * scaleX + offsetX;
          const inputY = (y + 0.5) * scaleY + offsetY;
          if (viewing.preprocessing.mode !== 'crop') {
            assert.ok(inputX >= 0 && inputX <= inputWidth && inputY >= 0 && inputY <= inputHeight);
          }
          const back = boxToSource(box(Math.floor(inputX), Math.floor(inputY), 1, 1), frame.placement);
          assert.ok(back.x <= x && x < back.x + back.width, `${x} in ${JSON.stringify(back)}`);
          assert.ok(back.y <= y && y < back.y + back.height, `${y} in ${JSON.stringify(back)}`);
        }
      }),
    );
  });

  it('show a light spot where the placement says, in each view that holds it', async () => {
    const spot = fc.record({ x: fc.integer({ min: 0, max: 91 }), y: fc.integer({ min: 0, max: 67 }) });
    const tiles = fc.record({
      columns: fc.integer({ min: 1, max: 3 }),
      rows: fc.integer({ min: 1, max: 2 }),
      overlap: share(0, 0.5),
    });
    const region = fc.constantFrom(null, box(0.1, 0.1, 0.8, 0.8));
    await fc.assert(
      fc.asyncProperty(spot, tiles, region, fc.constantFrom(...MODES), async (at, layout, roi, mode) => {
        const lit = (x: number, y: number) => x >= at.x && x < at.x + 4 && y >= at.y && y < at.y + 4;
        const picture = handmadePng(96, 72, 8, 'grey', (y) =>
          Buffer.from(Array.from({ length: 96 }, (_, x) => (lit(x, y) ? 255 : 0))),
        );
        const preprocessing = { width: 64, height: 56, mode, kernel: 'linear' as const };
        const { views } = await toViews(picture, { preprocessing, roi, tiles: layout });
        for (const view of views) {
          const { x, y, width, height } = view.source;
          if (at.x < x || at.y < y || at.x + 4 > x + width || at.y + 4 > y + height) continue;
          const content = contentOf(view);
          let best = { value: -1, x: 0, y: 0 };
          for (let row = content.y; row < content.y + content.height; row += 1) {
            for (let column = content.x; column < content.x + content.width; column += 1) {
              const value = view.data[row * 64 + column];
              if (value > best.value) best = { value, x: column, y: row };
            }
          }
          const back = boxToSource(box(best.x, best.y, 1, 1), view.placement);
          assert.ok(best.value > 0.5);
          assert.ok(back.x < at.x + 4 && back.x + back.width > at.x, `${JSON.stringify(back)} for ${at.x}`);
          assert.ok(back.y < at.y + 4 && back.y + back.height > at.y, `${JSON.stringify(back)} for ${at.y}`);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('refuse tiles smaller than 16 pixels and name the size of the picture', async () => {
    const tiles = { columns: 5, rows: 1, overlap: 0 };
    await assert.rejects(toViews(barsJpeg, { preprocessing: options(64, 'letterbox'), roi: null, tiles }), (error) => {
      assert.ok(error instanceof InvalidInput);
      assert.match(error.message, /13 x 48 of the picture's 64 x 48 pixels/);
      return true;
    });
    const roi = box(0.5, 0.5, 0.1, 0.1);
    assert.throws(() => viewFrames(64, 48, { ...whole(options(64, 'crop')), roi }), InvalidInput);
  });

  it('refuse regions outside the picture, tilings out of range and sides out of range', () => {
    const base = whole(options(64, 'letterbox'));
    for (const roi of [box(-0.1, 0, 1, 1), box(0, 0.5, 1, 0.6), box(0, 0, 0, 1), box(0, 0, Number.NaN, 1)]) {
      assert.throws(() => viewFrames(640, 480, { ...base, roi }), InvalidInput);
    }
    for (const [columns, rows, overlap] of [
      [0, 1, 0],
      [1.5, 1, 0],
      [1, 17, 0],
      [2, 2, 0.6],
      [2, 2, -0.1],
      [2, 2, Number.NaN],
    ]) {
      assert.throws(() => viewFrames(640, 480, { ...base, tiles: { columns, rows, overlap } }), InvalidInput);
    }
    assert.throws(() => viewFrames(640, 480, whole(options(0, 'stretch'))), RangeError);
  });

  it('do not come from a picture that is cut below the region', async () => {
    const picture = noisePng(200, 200);
    const cut = picture.subarray(0, picture.length * 0.7);
    const roi = box(0, 0, 0.3, 0.3);
    await assert.rejects(toViews(cut, { ...whole(options(64, 'stretch')), roi }), PictureUnreadable);
  });
});

function viewings(modes: readonly Preprocessing['mode'][]) {
  const side = fc.integer({ min: 64, max: 1500 });
  return fc
    .record({
      width: side,
      height: side,
      mode: fc.constantFrom(...modes),
      inputs: fc.constantFrom([64, 64], [224, 160], [96, 288]),
      roi: fc.tuple(share(0, 0.5), share(0, 0.5), share(0.3, 0.5), share(0.3, 0.5)),
      tiles: fc.record({
        columns: fc.integer({ min: 1, max: 5 }),
        rows: fc.integer({ min: 1, max: 5 }),
        overlap: share(0, 0.5),
      }),
    })
    .map(({ width, height, mode, inputs, roi, tiles }) => ({
      width,
      height,
      viewing: {
        preprocessing: { width: inputs[0], height: inputs[1], mode, kernel: 'linear' as const },
        roi: box(...roi),
        tiles,
      },
    }));
}

/** Small pictures cannot be cut as often as drawn; those that can are the point. */
function framesOrNone(width: number, height: number, viewing: Viewing): ViewFrame[] {
  try {
    return viewFrames(width, height, viewing);
  } catch (error) {
    assert.ok(error instanceof InvalidInput, String(error));
    return [];
  }
}

function pixelsOf({ x, y, width, height }: Box, sourceWidth: number, sourceHeight: number): Box {
  const left = Math.floor(x * sourceWidth + 1e-6);
  const top = Math.floor(y * sourceHeight + 1e-6);
  const right = Math.min(sourceWidth, Math.ceil((x + width) * sourceWidth - 1e-6));
  const bottom = Math.min(sourceHeight, Math.ceil((y + height) * sourceHeight - 1e-6));
  return box(left, top, right - left, bottom - top);
}

function share(min: number, max: number) {
  return fc.double({ min, max, noNaN: true });
}

/** Coloured noise, the same at the same place whatever is cut out of it. */
function noisePng(width: number, height: number, cut = box(0, 0, width, height)): Buffer {
  const random = seededRandom(5);
  const pixels = Buffer.from(Array.from({ length: width * height * 3 }, () => Math.floor(256 * random())));
  return handmadePng(cut.width, cut.height, 8, 'rgb', (y) => {
    const start = ((y + cut.y) * width + cut.x) * 3;
    return pixels.subarray(start, start + cut.width * 3);
  });
}

function greyPng(width: number, height: number, cut = box(0, 0, width, height)): Buffer {
  const random = seededRandom(6);
  const pixels = Buffer.from(Array.from({ length: width * height }, () => Math.floor(256 * random())));
  return handmadePng(cut.width, cut.height, 8, 'grey', (y) => {
    const start = (y + cut.y) * width + cut.x;
    return pixels.subarray(start, start + cut.width);
  });
}

function whole(preprocessing: Preprocessing): Viewing {
  return { preprocessing, roi: null, tiles: null };
}

function options(size: number, mode: Preprocessing['mode']): Preprocessing {
  return { width: size, height: size, mode, kernel: 'linear' };
}

function box(x: number, y: number, width: number, height: number): Box {
  return { x, y, width, height };
}
