import assert from 'node:assert/strict';
import { JpegSplitter } from '../../../engine/camera/jpeg-splitter';
import { seededRandom } from '../../../engine/domain';
import { jpegPicture } from './fixtures/pictures';

describe('JpegSplitter', () => {
  let pictures: Buffer[] = [];

  before(async () => {
    pictures = await Promise.all([1, 2, 3, 4].map((seed) => jpegPicture(80 + seed, 60, seed)));
  });

  function split(stream: Buffer, sizes: () => number, maxBytes = 1e6): Buffer[] {
    const splitter = new JpegSplitter(maxBytes);
    const frames: Buffer[] = [];
    for (let at = 0; at < stream.length; ) {
      const size = sizes();
      splitter.push(stream.subarray(at, at + size), at, (frame) => frames.push(Buffer.from(frame.bytes)));
      at += size;
    }
    return frames;
  }

  it('cuts pictures out of a stream, however it is chopped', () => {
    const stream = Buffer.concat(pictures);
    for (let seed = 0; seed < 50; seed++) {
      const random = seededRandom(seed);
      assert.deepEqual(
        split(stream, () => 1 + Math.floor(random() ** 4 * 5_000)),
        pictures,
        `seed ${seed}`,
      );
    }
    assert.deepEqual(
      split(stream, () => 1),
      pictures,
    );
  });

  it('overreads what lies between pictures', () => {
    const boundary = Buffer.from('\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n');
    const stream = Buffer.concat(
      pictures.flatMap((picture) => [boundary, picture, Buffer.from([0xff, 0xd8, 0x00, 0xff])]),
    );
    assert.deepEqual(
      split(stream, () => 100),
      pictures,
    );
  });

  it('does not end a picture at the end marker of the thumbnail inside it', () => {
    const thumbnail = pictures[1];
    const length = Buffer.alloc(2);
    length.writeUInt16BE(thumbnail.length + 2);
    const segment = Buffer.concat([Buffer.from([0xff, 0xe1]), length, thumbnail]);
    const withThumbnail = Buffer.concat([pictures[0].subarray(0, 2), segment, pictures[0].subarray(2)]);
    assert.deepEqual(
      split(Buffer.concat([withThumbnail, pictures[2]]), () => 777),
      [withThumbnail, pictures[2]],
    );
  });

  it('takes progressive pictures with their many scans', async () => {
    const sharp = (await import('sharp')).default;
    const progressive = await sharp(pictures[0]).jpeg({ progressive: true }).toBuffer();
    assert.deepEqual(
      split(Buffer.concat([progressive, progressive]), () => 501),
      [progressive, progressive],
    );
  });

  it('drops a picture that was cut off and goes on with the next', () => {
    const stream = Buffer.concat([pictures[0].subarray(0, 300), pictures[1], pictures[2]]);
    const frames = split(stream, () => 256);
    assert.deepEqual(frames.at(-1), pictures[2]);
    assert.ok(frames.length <= 2);
  });

  it('drops a picture above the limit and goes on behind it', async () => {
    const large = await jpegPicture(600, 400);
    const stream = Buffer.concat([pictures[0], large, pictures[1]]);
    assert.deepEqual(
      split(stream, () => 4096, 100_000),
      [pictures[0], pictures[1]],
    );
  });

  it('tells in which push a picture began', () => {
    const splitter = new JpegSplitter(1e6);
    const started: number[] = [];
    const note = (frame: { startedAt: number }) => started.push(frame.startedAt);
    const half = Math.floor(pictures[0].length / 2);
    splitter.push(pictures[0].subarray(0, half), 1, note);
    splitter.push(Buffer.concat([pictures[0].subarray(half), pictures[1].subarray(0, 100)]), 2, note);
    splitter.push(pictures[1].subarray(100), 3, note);
    assert.deepEqual(started, [1, 2]);
  });
});
