import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import sharp from 'sharp';
import {
  defaultPictureLimits,
  inspectPicture,
  type PictureFault,
  PictureUnreadable,
  readPictureHeader,
} from '../../../engine/imaging';
import { tasks } from '../../../engine/imaging/task';
import { barsJpeg, handmadePng } from './pictures';

describe('inspecting a picture', () => {
  const png = handmadePng(40, 24, 8, 'rgb', (y) => Buffer.alloc(40 * 3, y * 9));

  it('tells format, size, bytes and hash of a JPEG made by another encoder', async () => {
    assert.deepEqual(await inspectPicture(barsJpeg), {
      width: 64,
      height: 48,
      format: 'jpeg',
      bytes: barsJpeg.length,
      sha256: createHash('sha256').update(barsJpeg).digest('hex'),
    });
  });

  it('tells format and size of a PNG assembled by hand', async () => {
    const { width, height, format } = await inspectPicture(png);
    assert.deepEqual({ width, height, format }, { width: 40, height: 24, format: 'png' });
  });

  it('reads the header of progressive, grey and CMYK JPEGs and of an orientation tag as stored', async () => {
    const bars = sharp(barsJpeg);
    const variants = {
      progressive: await bars.clone().jpeg({ progressive: true }).toBuffer(),
      grey: await bars.clone().greyscale().jpeg().toBuffer(),
      cmyk: await bars.clone().toColourspace('cmyk').jpeg().toBuffer(),
      turned: await bars.clone().withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    };
    for (const [name, picture] of Object.entries(variants)) {
      assert.deepEqual(readPictureHeader(picture), { format: 'jpeg', width: 64, height: 48 }, name);
      assert.equal((await inspectPicture(picture)).width, 64, name);
    }
  });

  it('finds the frame header behind a large application segment that holds another picture', () => {
    const segment = Buffer.concat([Buffer.from([0xff, 0xe1, 0, 0]), barsJpeg]);
    segment.writeUInt16BE(segment.length - 2, 2);
    const picture = Buffer.concat([barsJpeg.subarray(0, 2), segment, barsJpeg.subarray(2)]);
    assert.deepEqual(readPictureHeader(picture), { format: 'jpeg', width: 64, height: 48 });
  });

  it('calls 0 bytes empty', () => refuses(Buffer.alloc(0), 'empty'));

  it('finds a JPEG that was cut anywhere', async () => {
    for (const length of [3, 12, 200, 624, 700, 880, barsJpeg.length - 2]) {
      await refuses(barsJpeg.subarray(0, length), 'truncated');
    }
  });

  it('finds a PNG that was cut anywhere in its pixels', async () => {
    const noisy = handmadePng(40, 24, 8, 'rgb', (y) =>
      createHash('shake256', { outputLength: 120 }).update(`${y}`).digest(),
    );
    for (const length of [8, 20, 40, 500, 2000, noisy.length - 24])
      await refuses(noisy.subarray(0, length), 'truncated');
  });

  it('finds flipped bytes in a whole file', async () => {
    const noisy = await sharp(barsJpeg).resize(320, 240).jpeg().toBuffer();
    for (let at = 2000; at < 2040; at += 1) noisy[at] ^= 0x5a;
    await refuses(noisy, 'damaged');
    const broken = Buffer.from(png);
    broken[50] ^= 0xff;
    await refuses(broken, 'damaged');
  });

  it('goes by the content, not by a name: text is no picture', async () => {
    await refuses(Buffer.from('timestamp;value\n2026-01-01;3\n'.repeat(40)), 'not-a-picture');
    await refuses(Buffer.from([0xff]), 'not-a-picture');
  });

  it('names formats it knows but does not take', async () => {
    const bars = sharp(barsJpeg);
    const foreign = {
      GIF: await bars.clone().gif().toBuffer(),
      WebP: await bars.clone().webp().toBuffer(),
      TIFF: await bars.clone().tiff().toBuffer(),
      AVIF: await bars.clone().avif({ effort: 0 }).toBuffer(),
      SVG: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="64" height="48"/>'),
    };
    for (const [format, picture] of Object.entries(foreign)) {
      const error = await refuses(picture, 'unsupported-format');
      assert.equal(error.parameters.format, format);
      assert.match(error.message, new RegExp(`${format}.*Set the camera to JPEG or PNG`));
    }
  });

  it('refuses 100 megapixels from the header, before any pixel is there', async () => {
    const row = Buffer.alloc(1250);
    const bomb = handmadePng(10_000, 10_000, 1, 'grey', () => row);
    assert.ok(bomb.length < 100_000);
    const error = await refuses(bomb, 'too-many-pixels');
    assert.deepEqual(error.parameters, { cause: 'too-many-pixels', width: 10_000, height: 10_000, limit: 50_000_000 });
    await refuses(bomb.subarray(0, 33), 'too-many-pixels');
  });

  it('refuses more bytes than allowed and sides below the smallest', async () => {
    await refuses(barsJpeg, 'too-large', { ...defaultPictureLimits, maxBytes: 906 });
    await refuses(
      handmadePng(15, 100, 8, 'grey', () => Buffer.alloc(15)),
      'too-small',
    );
    await refuses(
      handmadePng(0, 100, 8, 'grey', () => Buffer.alloc(0)),
      'too-small',
    );
  });

  it('gives each fault its own status, a sentence and a client error', async () => {
    const error = await refuses(barsJpeg.subarray(0, 700), 'truncated');
    assert.equal(error.code, 'picture-unreadable');
    assert.equal(error.reason, 'picture-unreadable');
    assert.equal(error.status, 'truncated picture');
    assert.equal(error.httpStatus, 422);
    assert.match(error.message, /ends before its last row/);
  });

  it('serves the compute child, whose pictures arrive as plain bytes', async () => {
    const picture = new Uint8Array(barsJpeg);
    assert.equal((await tasks['imaging/inspect']({ picture })).sha256, (await inspectPicture(barsJpeg)).sha256);
    const small = await tasks['imaging/thumbnail']({ picture, width: 32 });
    assert.deepEqual(readPictureHeader(small), { format: 'jpeg', width: 32, height: 24 });
    await assert.rejects(tasks['imaging/inspect']({ picture: picture.subarray(0, 700) }), PictureUnreadable);
  });

  async function refuses(
    picture: Buffer,
    fault: PictureFault,
    limits = defaultPictureLimits,
  ): Promise<PictureUnreadable> {
    let caught: unknown;
    await inspectPicture(picture, limits).catch((error: unknown) => {
      caught = error;
    });
    assert.ok(caught instanceof PictureUnreadable, `${picture.length} bytes were taken`);
    assert.equal(caught.parameters.cause, fault, caught.message);
    return caught;
  }
});
