import assert from 'node:assert/strict';
import fc from 'fast-check';
import sharp from 'sharp';
import { letterbox, letterboxPixels } from '../../../engine/detector';
import { PictureUnreadable } from '../../../engine/imaging';
import { barsJpeg, handmadePng } from '../imaging/pictures';

/** Random bytes, and their bilinear resize by a NumPy script: samples at pixel centres, edges held, rounded at last. */
const SMALL = [
  [171, 206, 5, 206, 120, 131, 161, 73, 250, 13, 71, 98, 146, 104, 33],
  [11, 0, 12, 38, 255, 48, 167, 192, 60, 72, 111, 67, 249, 45, 229],
  [204, 216, 29, 100, 160, 126, 170, 173, 169, 15, 245, 142, 231, 69, 92],
];
const LARGER_7_BY_4 = [
  ...[171, 206, 5, 191, 157, 77, 193, 107, 165, 161, 73, 250, 55, 72, 141, 70, 85, 70, 146, 104, 33],
  ...[71, 77, 9, 88, 150, 49, 119, 188, 94, 165, 147, 131, 83, 111, 94, 119, 84, 112, 210, 67, 156],
  ...[83, 81, 18, 71, 160, 52, 92, 210, 84, 168, 185, 101, 84, 168, 97, 133, 115, 130, 242, 54, 178],
  ...[204, 216, 29, 145, 184, 84, 120, 164, 138, 170, 173, 169, 59, 224, 150, 108, 170, 121, 231, 69, 92],
];
const SMALLER_3_BY_2 = [142, 154, 41, 162, 103, 202, 124, 86, 85, 132, 169, 52, 169, 178, 142, 167, 112, 125];

describe('a picture in a letterbox', () => {
  const small = { data: Uint8Array.from(SMALL.flat()), width: 5, height: 3 };

  for (const [size, expected] of [
    [{ width: 7, height: 4 }, LARGER_7_BY_4],
    [{ width: 3, height: 2 }, SMALLER_3_BY_2],
  ] as const) {
    it(`is resized as another program does it, to ${size.width} x ${size.height}`, () => {
      const { data } = letterboxPixels(small, size);
      const area = size.width * size.height;
      for (const [place, value] of expected.entries()) {
        const given = data[(place % 3) * area + Math.floor(place / 3)] * 255;
        // weights are whole 2048ths here, so that a value near one half may be rounded the other way
        assert.ok(Math.abs(given - value) <= 1.001, `value ${place}: ${given}, not ${value}`);
      }
    });
  }

  it('is not smoothed when it is made smaller', () => {
    // a third of the size takes the middle pixel of each three: by hand, (i + 0.5) * 3 - 0.5 = 3i + 1
    const pixels = {
      data: Uint8Array.from({ length: 9 * 9 * 3 }, (_, place) => Math.floor(place / 3) * 3),
      width: 9,
      height: 9,
    };
    const { data } = letterboxPixels(pixels, { width: 3, height: 3 });
    const middle = [1, 4, 7].flatMap((y) => [1, 4, 7].map((x) => (y * 9 + x) * 3));
    assert.deepEqual(
      [...data.subarray(0, 9)].map((value) => Math.round(value * 255)),
      middle,
    );
  });

  it('lies in the middle, as large as it fits, with grey 114 around it', async () => {
    const { data, placement, width, height } = await letterbox(barsJpeg, { width: 96, height: 64 });
    assert.deepEqual([width, height, data.length], [96, 64, 3 * 96 * 64]);
    // 64 x 48 in 96 x 64: a third larger, 85 columns, 5 of 11 left over stand left
    const { scaleX, scaleY, offsetX, offsetY } = placement;
    assert.deepEqual([scaleX, scaleY, offsetX, offsetY], [85 / 64, 64 / 48, 5, 0]);
    for (const column of [0, 4, 90, 95]) {
      for (const channel of [0, 1, 2]) assert.equal(data[(channel * 64 + 30) * 96 + column], Math.fround(114 / 255));
    }
    assert.notEqual(data[30 * 96 + 5], Math.fround(114 / 255));
  });

  it('keeps a picture of the input’s size as it is', async () => {
    const picture = await sharp(Buffer.from(small.data), { raw: { width: 5, height: 3, channels: 3 } })
      .resize(40, 24, { kernel: 'nearest' })
      .png()
      .toBuffer();
    const { data } = await letterbox(picture, { width: 40, height: 24 });
    for (let place = 0; place < 40 * 24; place += 1) {
      const [x, y] = [Math.floor((place % 40) / 8), Math.floor(place / 40 / 8)];
      assert.equal(data[40 * 24 + place], Math.fround(SMALL[y][3 * x + 1] / 255));
    }
  });

  it('keeps one colour that colour, whatever the sizes', () => {
    const side = fc.integer({ min: 1, max: 50 });
    fc.assert(
      fc.property(
        side,
        side,
        side,
        side,
        fc.integer({ min: 0, max: 255 }),
        (width, height, inWidth, inHeight, value) => {
          const pixels = { data: new Uint8Array(3 * width * height).fill(value), width, height };
          const { data } = letterboxPixels(pixels, { width: inWidth, height: inHeight });
          const wrong = data.find((given) => given !== Math.fround(value / 255) && given !== Math.fround(114 / 255));
          assert.equal(wrong, undefined);
        },
      ),
    );
  });

  it('fills all channels of a grey picture, and all of 16 bits', async () => {
    const ramp = handmadePng(32, 32, 8, 'grey', () => Buffer.from(Array.from({ length: 32 }, (_, x) => 8 * x)));
    const { data } = await letterbox(ramp, { width: 32, height: 32 });
    for (let x = 0; x < 32; x += 1) {
      for (const channel of [0, 1, 2]) assert.equal(data[(channel * 32 + 7) * 32 + x], Math.fround((8 * x) / 255));
    }
  });

  it('is refused as everywhere: empty, cut off, no picture, or too large to be decoded', async () => {
    const huge = handmadePng(16, 16, 8, 'grey', () => Buffer.alloc(16));
    huge.writeUInt32BE(10_000, 16);
    huge.writeUInt32BE(10_000, 20);
    const cases = [
      [Buffer.alloc(0), 'empty'],
      [barsJpeg.subarray(0, barsJpeg.length / 2), 'truncated'],
      [Buffer.from('certainly no picture'), 'not-a-picture'],
      [huge, 'too-many-pixels'],
    ] as const;
    for (const [picture, fault] of cases) {
      await assert.rejects(letterbox(picture, { width: 64, height: 64 }), (error) => {
        return error instanceof PictureUnreadable && error.fault === fault;
      });
    }
  });

  it('is made for whole sides within 1 to 4096 only', () => {
    for (const side of [0, 1.5, 4097, Number.NaN]) {
      assert.throws(() => letterboxPixels(small, { width: side, height: 64 }), RangeError);
    }
  });
});
