import assert from 'node:assert/strict';
import sharp from 'sharp';
import { PictureUnreadable, type Preprocessing, placementOf, toTensor } from '../../../engine/imaging';
import { barsByFfmpeg, barsJpeg, handmadePng } from './pictures';

const NEUTRAL = [124 / 255, 116 / 255, 104 / 255];

describe('a picture as a tensor', () => {
  it('has the values another decoder sees, at their places in the letterbox', async () => {
    const { data, placement } = await toTensor(barsJpeg, options(64, 'letterbox'));
    assert.deepEqual([placement.scaleX, placement.scaleY, placement.offsetX, placement.offsetY], [1, 1, 0, 8]);
    for (const [x, y, ...rgb] of barsByFfmpeg) {
      for (const channel of [0, 1, 2]) {
        const value = data[(channel * 64 + y + 8) * 64 + x] * 255;
        assert.ok(
          Math.abs(value - rgb[channel]) <= 4,
          `(${x}, ${y}) channel ${channel}: ${value}, FFmpeg ${rgb[channel]}`,
        );
      }
    }
  });

  it('fills the rest of the letterbox with the neutral colour', async () => {
    const { data, width, height } = await toTensor(barsJpeg, options(64, 'letterbox'));
    assert.deepEqual([width, height, data.length], [64, 64, 3 * 64 * 64]);
    for (const y of [0, 7, 56, 63]) {
      for (const channel of [0, 1, 2]) near(data[(channel * 64 + y) * 64 + 30], NEUTRAL[channel]);
    }
  });

  it('keeps the centre of a pixel the centre: a ramp halves to the mean of each pair', async () => {
    // 4 x per column; half size takes columns 2i and 2i+1, so by hand 4 (2i + 0.5) = 8i + 2
    const ramp = handmadePng(32, 32, 8, 'grey', () => Buffer.from(Array.from({ length: 32 }, (_, x) => 4 * x)));
    for (const kernel of ['linear', 'cubic', 'lanczos3'] as const) {
      const { data } = await toTensor(ramp, { width: 16, height: 16, mode: 'stretch', kernel });
      for (let x = 3; x < 13; x += 1) near(data[8 * 16 + x], (8 * x + 2) / 255, 1.01 / 255);
    }
  });

  it('crops the largest centred square', async () => {
    // columns 0..15 black, 16..47 white, 48..63 black: the centred square is all white
    const stripe = handmadePng(64, 32, 8, 'grey', () =>
      Buffer.from(Array.from({ length: 64 }, (_, x) => (x >= 16 && x < 48 ? 255 : 0))),
    );
    const { data, placement } = await toTensor(stripe, options(32, 'crop'));
    assert.deepEqual([placement.offsetX, placement.offsetY], [-16, 0]);
    for (let x = 0; x < 32; x += 1) near(data[5 * 32 + x], 1);
  });

  it('stretches each side on its own', async () => {
    const { placement } = await toTensor(barsJpeg, options(96, 'stretch'));
    assert.deepEqual([placement.scaleX, placement.scaleY, placement.offsetX, placement.offsetY], [1.5, 2, 0, 0]);
  });

  it('fills an input of any shape: 64 x 48 in 96 x 48 has 16 columns of padding at each side', async () => {
    const wide = { width: 96, height: 48, mode: 'letterbox', kernel: 'cubic' } as const;
    const { data, width, height, placement } = await toTensor(barsJpeg, wide);
    assert.deepEqual([width, height, data.length], [96, 48, 3 * 96 * 48]);
    assert.deepEqual([placement.scaleX, placement.offsetX, placement.offsetY], [1, 16, 0]);
    near(data[10 * 96 + 15], NEUTRAL[0]);
    const [x, y, red] = barsByFfmpeg[0];
    near(data[y * 96 + x + 16], red / 255, 4 / 255);
    near(data[10 * 96 + 80], NEUTRAL[0]);
    const { placement: cropped } = await toTensor(barsJpeg, { ...wide, mode: 'crop' });
    assert.deepEqual([cropped.scaleX, cropped.offsetX, cropped.offsetY], [1.5, 0, -12]);
  });

  it('never decodes a JPEG at reduced size: a PNG of the same pixels gives the same tensor', async () => {
    const { data, info } = await sharp(barsJpeg).resize(1600, 1200).raw().toBuffer({ resolveWithObject: true });
    for (let index = 0; index < data.length; index += 1) data[index] = (data[index] + ((index * 7919) % 61)) & 255;
    const raw = { width: info.width, height: info.height, channels: 3 as const };
    const jpeg = await sharp(data, { raw }).jpeg({ quality: 95 }).toBuffer();
    const png = await sharp(await sharp(jpeg).raw().toBuffer(), { raw })
      .png()
      .toBuffer();
    const fromJpeg = await toTensor(jpeg, options(100, 'letterbox'));
    const fromPng = await toTensor(png, options(100, 'letterbox'));
    assert.deepEqual(fromJpeg.data, fromPng.data);
  });

  it('takes grey, 16 bit and transparent pictures', async () => {
    const row16 = Buffer.alloc(32 * 2);
    for (let x = 0; x < 32; x += 1) row16.writeUInt16BE(0x8040, x * 2);
    const repeat = (...pixel: number[]) => Buffer.from(Array.from({ length: 32 }, () => pixel).flat());
    const cases: readonly [string, Buffer, readonly number[]][] = [
      ['grey', handmadePng(32, 32, 8, 'grey', () => repeat(77)), [77, 77, 77]],
      ['grey, 16 bit', handmadePng(32, 32, 16, 'grey', () => row16), [128, 128, 128]],
      ['RGB, 16 bit', handmadePng(32, 32, 16, 'rgb', () => repeat(0x10, 0, 0x80, 0, 0xf0, 0)), [16, 128, 240]],
      ['opaque', handmadePng(32, 32, 8, 'rgba', () => repeat(10, 20, 30, 255)), [10, 20, 30]],
      ['transparent', handmadePng(32, 32, 8, 'rgba', () => repeat(10, 20, 30, 0)), [124, 116, 104]],
      // grey stays grey: half of the neutral colour's luminance, about 120
      ['grey, half transparent', handmadePng(32, 32, 8, 'grey-alpha', () => repeat(0, 128)), [60, 60, 60]],
    ];
    for (const [name, picture, rgb] of cases) {
      const { data } = await toTensor(picture, options(16, 'stretch'));
      rgb.forEach((value, channel) => {
        near(data[channel * 256 + 8 * 16 + 8], value / 255, 1.5 / 255, `${name}, channel ${channel}`);
      });
    }
  });

  it('takes CMYK: white paper stays white, black ink dark', async () => {
    const half = handmadePng(64, 32, 8, 'grey', () =>
      Buffer.from(Array.from({ length: 64 }, (_, x) => (x < 32 ? 255 : 0))),
    );
    const cmyk = await sharp(half).toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
    const { data } = await toTensor(cmyk, options(64, 'letterbox'));
    for (const channel of [0, 1, 2]) {
      near(data[(channel * 64 + 32) * 64 + 8], 1, 0.03);
      assert.ok(data[(channel * 64 + 32) * 64 + 56] < 0.2);
    }
  });

  it('does not turn a picture by its orientation tag', async () => {
    const turned = await sharp(barsJpeg).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const { picture } = await toTensor(turned, options(64, 'letterbox'));
    assert.deepEqual([picture.width, picture.height], [64, 48]);
  });

  it('refuses a cut picture and a size out of range', async () => {
    await assert.rejects(toTensor(barsJpeg.subarray(0, 700), options(64, 'letterbox')), PictureUnreadable);
    await assert.rejects(toTensor(barsJpeg, options(0, 'letterbox')), RangeError);
    await assert.rejects(toTensor(barsJpeg, options(16.5, 'letterbox')), RangeError);
  });

  it('knows the placement without the picture', async () => {
    for (const mode of ['letterbox', 'crop', 'stretch'] as const) {
      const { placement } = await toTensor(barsJpeg, options(40, mode));
      assert.deepEqual(placementOf(64, 48, options(40, mode)), placement);
    }
  });
});

function options(size: number, mode: Preprocessing['mode']): Preprocessing {
  return { width: size, height: size, mode, kernel: 'cubic' };
}

function near(actual: number, expected: number, tolerance = 1e-6, what = ''): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what} ${actual}, expected ${expected}`);
}
