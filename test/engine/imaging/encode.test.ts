import assert from 'node:assert/strict';
import { inflateSync } from 'node:zlib';
import sharp from 'sharp';
import {
  encodeGreyPng,
  encodeJpeg,
  heatColour,
  PictureUnreadable,
  readPictureHeader,
  renderOverlay,
  thumbnail,
} from '../../../engine/imaging';
import { barsByFfmpeg, barsJpeg } from './pictures';

describe('encoding pictures', () => {
  it('makes a grey PNG of one 8-bit channel that holds exactly the values', async () => {
    const values = Uint8Array.from({ length: 20 * 16 }, (_, index) => (index * 37) & 255);
    const png = await encodeGreyPng(values, 20, 16);
    assert.deepEqual(readPictureHeader(png), { format: 'png', width: 20, height: 16 });
    assert.deepEqual([png[24], png[25]], [8, 0], 'bit depth 8, colour type grey (PNG specification, 11.2.2)');
    assert.deepEqual(new Uint8Array(await sharp(png).toColourspace('b-w').raw().toBuffer()), values);
    assert.equal(inflateSync(dataOf(png)).length, 16 * 21);
  });

  it('makes a JPEG of RGB bytes', async () => {
    const rgb = new Uint8Array(32 * 16 * 3);
    for (let index = 0; index < rgb.length; index += 3) rgb.set([200, 60, 20], index);
    const jpeg = await encodeJpeg(rgb, 32, 16, 95);
    assert.deepEqual(readPictureHeader(jpeg), { format: 'jpeg', width: 32, height: 16 });
    const decoded = await sharp(jpeg).raw().toBuffer();
    [200, 60, 20].forEach((value, channel) => {
      assert.ok(Math.abs(decoded[(8 * 32 + 16) * 3 + channel] - value) <= 3);
    });
  });

  it('refuses values that do not fill the size', async () => {
    await assert.rejects(encodeGreyPng(new Uint8Array(10), 4, 4), RangeError);
    await assert.rejects(encodeJpeg(new Uint8Array(10), 4, 4), RangeError);
  });

  it('makes thumbnails of the whole picture and enlarges none', async () => {
    assert.deepEqual(readPictureHeader(await thumbnail(barsJpeg, 32)), { format: 'jpeg', width: 32, height: 24 });
    assert.deepEqual(readPictureHeader(await thumbnail(barsJpeg, 320)), { format: 'jpeg', width: 64, height: 48 });
    await assert.rejects(thumbnail(barsJpeg.subarray(0, 700), 32), PictureUnreadable);
    await assert.rejects(thumbnail(barsJpeg, -1), RangeError);
  });

  it('lays heat over the picture where the map is hot and leaves the rest', async () => {
    // right half hot; the grey bar at (4, 10) keeps its colour, the blue one at (60, 20) turns red
    const values = Uint8Array.from({ length: 8 * 6 }, (_, index) => (index % 8 < 4 ? 0 : 255));
    for (const map of [{ values, width: 8, height: 6 }, await encodeGreyPng(values, 8, 6)]) {
      const overlay = await renderOverlay(barsJpeg, map, 0.8);
      assert.deepEqual(readPictureHeader(overlay), { format: 'jpeg', width: 64, height: 48 });
      const pixels = await sharp(overlay).raw().toBuffer();
      const [x, y, ...grey] = barsByFfmpeg[0];
      grey.forEach((value, channel) => {
        assert.ok(Math.abs(pixels[(y * 64 + x) * 3 + channel] - value) <= 12);
      });
      const [red, , blue] = pixels.subarray((20 * 64 + 60) * 3);
      assert.ok(red > 150 && blue < 90, `red ${red}, blue ${blue}`);
    }
  });

  it('goes from clear over amber to red', () => {
    assert.equal(heatColour(0, 1)[3], 0);
    assert.equal(heatColour(63, 1)[3], 0);
    assert.deepEqual(heatColour(255, 0.5), [255, 0, 0, 128]);
  });
});

/** All IDAT bytes. */
function dataOf(png: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  return Buffer.concat(parts);
}
