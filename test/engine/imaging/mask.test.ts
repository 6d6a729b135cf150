import assert from 'node:assert/strict';
import { InvalidInput } from '../../../engine/domain';
import {
  encodeGreyPng,
  type Mask,
  PictureUnreadable,
  patchCounts,
  readMask,
  viewFrames,
} from '../../../engine/imaging';
import { handmadePng } from './pictures';

describe('a mask', () => {
  it('counts where it is light, in grey, colour and two colours', async () => {
    const left = (x: number) => x < 20;
    const expected = Array.from({ length: 32 * 16 }, (_, index) => (left(index % 32) ? 1 : 0));
    const grey = handmadePng(32, 16, 8, 'grey', () => row(32, (x) => [left(x) ? 128 : 127]));
    const colour = handmadePng(32, 16, 8, 'rgb', () => row(32, (x) => (left(x) ? [255, 255, 255] : [0, 0, 90])));
    const bits = handmadePng(32, 16, 1, 'grey', () => Buffer.from([0xff, 0xff, 0xf0, 0]));
    const clear = handmadePng(32, 16, 8, 'rgba', () => row(32, (x) => [255, 255, 255, left(x) ? 255 : 0]));
    for (const picture of [grey, colour, bits, clear]) {
      const { width, height, data } = await readMask(picture);
      assert.deepEqual([width, height], [32, 16]);
      assert.deepEqual([...data], expected);
    }
  });

  it('that is dark everywhere is refused, and so is one that cannot be read', async () => {
    await assert.rejects(readMask(await encodeGreyPng(new Uint8Array(32 * 32).fill(100), 32, 32)), InvalidInput);
    await assert.rejects(readMask(Buffer.from('no picture')), PictureUnreadable);
  });

  it('of another size spans the picture all the same', () => {
    // the right half counts, in a mask a tenth as large as the picture
    const mask = maskOf(20, 10, (x) => x >= 10);
    const [frame] = viewFrames(200, 100, viewing('stretch', 64));
    assert.deepEqual([...patchCounts(frame, mask, 2, 4)], [0, 0, 1, 1, 0, 0, 1, 1]);
  });

  it('is looked at through region and tiles', () => {
    // the mask counts in x 120..159; the region is x 100..199, its tiles 100..149 and 150..199, two patches of 25 each
    const mask = maskOf(200, 100, (x) => x >= 120 && x < 160);
    const frames = viewFrames(200, 100, {
      preprocessing: { width: 64, height: 64, mode: 'stretch', kernel: 'linear' },
      roi: { x: 0.5, y: 0, width: 0.5, height: 1 },
      tiles: { columns: 2, rows: 1, overlap: 0 },
    });
    // centres 112.5, 137.5 and 162.5, 187.5
    assert.deepEqual([...patchCounts(frames[0], mask, 1, 2)], [0, 1]);
    assert.deepEqual([...patchCounts(frames[1], mask, 1, 2)], [0, 0]);
    // in four patches a tile the centre 156.25 counts
    assert.deepEqual([...patchCounts(frames[1], mask, 1, 4)], [1, 0, 0, 0]);
  });
});

describe('the padding of a letterbox', () => {
  it('never counts: of 8 rows of patches the 4 in the middle show a picture twice as wide as high', () => {
    const [frame] = viewFrames(128, 64, viewing('letterbox', 64));
    const rows = Array.from({ length: 8 }, (_, y) => (y >= 2 && y < 6 ? 1 : 0));
    assert.deepEqual(
      [...patchCounts(frame, null, 8, 8)],
      rows.flatMap((counts) => new Array(8).fill(counts)),
    );
  });

  it('does not count beside a region either, although the picture goes on there', () => {
    const [frame] = viewFrames(128, 128, {
      ...viewing('letterbox', 64),
      roi: { x: 0, y: 0.25, width: 1, height: 0.5 },
    });
    assert.deepEqual([...patchCounts(frame, null, 4, 1)], [0, 1, 1, 0]);
  });

  it('decides by the centre of a patch', () => {
    // 100 x 44 in 64: 28 rows from 18 to 46; patches of 8 have centres 4, 12, 20, 28, 36, 44, 52, 60
    const [frame] = viewFrames(100, 44, viewing('letterbox', 64));
    assert.deepEqual([...patchCounts(frame, null, 8, 1)], [0, 0, 1, 1, 1, 1, 0, 0]);
  });

  it('does not exist in a crop', () => {
    const [frame] = viewFrames(100, 44, viewing('crop', 64));
    assert.ok(patchCounts(frame, null, 8, 8).every((counts) => counts === 1));
  });
});

function viewing(mode: 'letterbox' | 'crop' | 'stretch', size: number) {
  return { preprocessing: { width: size, height: size, mode, kernel: 'linear' as const }, roi: null, tiles: null };
}

function maskOf(width: number, height: number, counts: (x: number, y: number) => boolean): Mask {
  const data = Uint8Array.from({ length: width * height }, (_, index) =>
    counts(index % width, Math.floor(index / width)) ? 1 : 0,
  );
  return { width, height, data };
}

function row(width: number, pixel: (x: number) => readonly number[]): Buffer {
  return Buffer.from(Array.from({ length: width }, (_, x) => pixel(x)).flat());
}
