import assert from 'node:assert/strict';
import sharp from 'sharp';
import type { Box } from '../../engine/domain';
import { SIMULATED_CLASSES } from '../../engine/simulator';
import { proceduralPicture } from '../../training/procedural-pictures';
import { drawPictures, type Sample, sampleOf } from '../../training/samples';

const SIZE = { width: 128, height: 96 };

describe('pictures that the starter detector learns', function () {
  this.timeout(60_000);

  it('keep their boxes where the content is, however they are mirrored, moved and scaled', async () => {
    const box = { x: 40, y: 24, width: 60, height: 30 };
    const picture = await bright(box);
    let found = 0;
    for (let seed = 0; seed < 40; seed += 1) {
      const sample = await sampleOf({ id: 'bright', picture, boxes: [{ label: 'stain', box }] }, SIZE, seed);
      for (const { class: index, box: target } of sample.targets) {
        found += 1;
        assert.equal(SIMULATED_CLASSES[index], 'stain');
        const seen = brightPart(sample);
        for (const [a, b] of [
          [target.x, seen.x],
          [target.y, seen.y],
          [target.x + target.width, seen.x + seen.width],
          [target.y + target.height, seen.y + seen.height],
        ]) {
          assert.ok(Math.abs(a - b) <= 1.5, `seed ${seed}: ${JSON.stringify({ target, seen })}`);
        }
      }
    }
    assert.ok(found > 30, `${found}`);
  });

  it('forget what is hardly in the picture any more', async () => {
    const box = { x: 0, y: 0, width: 20, height: 20 };
    const picture = await bright(box);
    const counts = new Set<number>();
    for (let seed = 0; seed < 60; seed += 1) {
      const { targets } = await sampleOf({ id: 'corner', picture, boxes: [{ label: 'defect', box }] }, SIZE, seed);
      counts.add(targets.length);
    }
    assert.deepEqual([...counts].sort(), [0, 1]);
  });

  it('are the same again with the same seed', async () => {
    const [first, again] = [await drawPictures(0, 4, 5), await drawPictures(0, 4, 5)];
    assert.deepEqual(first, again);
    const [one, same, other] = await Promise.all([1, 1, 2].map((seed) => sampleOf(first[3], SIZE, seed)));
    assert.deepEqual(one, same);
    assert.notDeepEqual(one, other);
  });

  it('show surfaces of no product with each kind of damage, in boxes within the picture', () => {
    const labels = new Set<string>();
    for (let seed = 0; seed < 30; seed += 1) {
      const { boxes, width, height, pixels } = proceduralPicture(seed, 240, 160);
      assert.equal(pixels.length, 240 * 160 * 3);
      for (const { label, box } of boxes) {
        labels.add(label);
        assert.ok(box.x >= 0 && box.y >= 0 && box.width > 0 && box.height > 0);
        assert.ok(box.x + box.width <= width && box.y + box.height <= height);
      }
    }
    assert.deepEqual([...labels].sort(), ['defect', 'fracture', 'stain']);
  });
});

/** A black picture with a white rectangle. */
function bright({ x, y, width, height }: Box): Promise<Buffer> {
  const white = { create: { width, height, channels: 3 as const, background: 'white' } };
  return sharp({ create: { width: 200, height: 140, channels: 3, background: 'black' } })
    .composite([{ input: white, left: x, top: y }])
    .removeAlpha()
    .png()
    .toBuffer();
}

/** The extent of what is brighter than the grey around the picture can be. */
function brightPart({ data }: Sample): Box {
  let [left, top, right, bottom] = [SIZE.width, SIZE.height, -1, -1];
  for (let y = 0; y < SIZE.height; y += 1) {
    for (let x = 0; x < SIZE.width; x += 1) {
      if (data[y * SIZE.width + x] < 0.55) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
  }
  return { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}
