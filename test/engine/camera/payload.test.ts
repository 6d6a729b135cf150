import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PayloadUnusable, payloadToPicture } from '../../../engine/camera';
import { jpegPicture, pngPicture } from './fixtures/pictures';

describe('payloadToPicture', () => {
  let folder = '';
  let jpeg: Buffer;
  let png: Buffer;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'opti-quality-payload-'));
    jpeg = await jpegPicture(64, 48);
    png = await pngPicture(64, 48);
    await writeFile(join(folder, 'part 1.jpg'), jpeg);
    await writeFile(join(folder, 'empty.jpg'), '');
  });

  after(() => rm(folder, { recursive: true, force: true }));

  it('takes a Buffer as it is', async () => {
    assert.equal(await payloadToPicture(jpeg), jpeg);
  });

  it('takes a Uint8Array, an ArrayBuffer and a Buffer that went through JSON', async () => {
    const view = new Uint8Array([0, ...jpeg, 0]).subarray(1, jpeg.length + 1);
    assert.deepEqual(await payloadToPicture(view), jpeg);
    assert.deepEqual(await payloadToPicture(new Uint8Array(jpeg).buffer), jpeg);
    assert.deepEqual(await payloadToPicture(JSON.parse(JSON.stringify(jpeg))), jpeg);
  });

  it('reads a file by its path or file URL', async () => {
    const path = join(folder, 'part 1.jpg');
    assert.deepEqual(await payloadToPicture(path), jpeg);
    assert.deepEqual(await payloadToPicture(` ${path}\n`), jpeg);
    assert.deepEqual(await payloadToPicture(pathToFileURL(path).href), jpeg);
  });

  it('reads data URLs and bare base64 of both formats', async () => {
    assert.deepEqual(await payloadToPicture(`data:image/jpeg;base64,${jpeg.toString('base64')}`), jpeg);
    assert.deepEqual(await payloadToPicture(`data:image/png;name=a.png;base64,${png.toString('base64')}`), png);
    assert.deepEqual(await payloadToPicture(jpeg.toString('base64')), jpeg);
    assert.deepEqual(await payloadToPicture(png.toString('base64')), png);
  });

  const refused: readonly (readonly [string, unknown, RegExp])[] = [
    ['nothing', undefined, /is missing/],
    ['null', null, /is null/],
    ['a number', 5, /is a number/],
    ['an object', { picture: 1 }, /is an object/],
    ['an array', [1, 2], /is an array/],
    ['an empty Buffer', Buffer.alloc(0), /holds no bytes/],
    ['an empty text', '  ', /empty text/],
    ['a missing file', '/no/such/part.jpg', /There is no file \/no\/such\/part\.jpg/],
    ['a web address', 'http://camera/snapshot.jpg', /web address/],
    ['a data URL of text', 'data:text/plain;base64,AAAA', /begins with "data:text\/plain;base64"/],
    ['a data URL without base64', 'data:image/jpeg,%FF%D8', /begins with "data:image\/jpeg"/],
    ['broken base64', 'data:image/jpeg;base64,/9j/4AA%', /not valid base64/],
    ['a text with a zero byte', 'part\0.jpg', /not a path/],
    ['a broken file URL', 'file://host/part.jpg', /not a valid file URL/],
  ];
  for (const [name, payload, message] of refused) {
    it(`refuses ${name} and says what is expected`, async () => {
      await assert.rejects(payloadToPicture(payload), (error: PayloadUnusable) => {
        assert.ok(error instanceof PayloadUnusable);
        assert.match(error.message, message);
        assert.match(
          error.message,
          /msg\.payload must be a JPEG or PNG as a Buffer, the path of a file, or a data URL\./,
        );
        assert.equal(error.reason, 'no-picture');
        return true;
      });
    });
  }

  it('refuses an empty file and a folder', async () => {
    await assert.rejects(payloadToPicture(join(folder, 'empty.jpg')), /holds no bytes/);
    await assert.rejects(payloadToPicture(folder), PayloadUnusable);
  });

  it('refuses more bytes than allowed, from a Buffer and from a file, with the reason picture-unreadable', async () => {
    const tooLarge = { code: 'picture-unreadable', reason: 'picture-unreadable' };
    await assert.rejects(payloadToPicture(jpeg, { maxBytes: 100 }), tooLarge);
    await assert.rejects(payloadToPicture(join(folder, 'part 1.jpg'), { maxBytes: 100 }), tooLarge);
  });
});
