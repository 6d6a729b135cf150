import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { seededRandom } from '../../../engine/domain';
import { type PlanarPicture, toTensor } from '../../../engine/imaging';
import {
  LEAST_CHANGE,
  type PaintedDefect,
  paintDefect,
  SYNTHETIC_KINDS,
} from '../../../engine/patchcore/synthetic-defects';
import { blob, cloud, gradientNoise, line, panel, type Shape } from '../../../engine/patchcore/synthetic-shapes';
import { needShared, picturesIn } from '../../support/shared-data';

const SIDE = 96;

describe('a painted defect', () => {
  it('changes its mask by a visible step, and not one bit outside', () => {
    const donor = textured(99);
    for (const picture of [textured(1), textured(2, true), plain(0), plain(0.5), plain(1)]) {
      for (const lender of [donor, null]) {
        for (let seed = 1; seed <= 12; seed += 1) checkPaint(picture, paintDefect(picture, lender, seededRandom(seed)));
      }
    }
  });

  it('comes in all four kinds and leaves the picture as it was', () => {
    const picture = textured(1);
    const before = picture.data.slice();
    const kinds = new Set(painted(picture, 60).map(({ kind }) => kind));
    assert.deepEqual([...kinds].sort(), [...SYNTHETIC_KINDS].sort());
    assert.deepEqual(picture.data, before);
  });

  it('is the same for the same seed, another one for another', () => {
    const picture = textured(1);
    const [first, same, other] = [3, 3, 4].map((seed) => paintDefect(picture, textured(2), seededRandom(seed)));
    assert.deepEqual(first, same);
    assert.notDeepEqual(first.data, other.data);
  });

  it('has sizes from small to medium', () => {
    const shares = painted(textured(1), 200)
      .map(({ mask }) => pixels(mask) / SIDE ** 2)
      .sort((a, b) => a - b);
    assert.ok(shares[0] > 0.0002 && shares[199] < 0.08, `${shares[0]} to ${shares[199]}`);
    assert.ok(shares[20] < 0.004, `a tenth are below ${shares[20]}`);
    assert.ok(shares[180] > 0.015, `a tenth are above ${shares[180]}`);
  });

  it('is often no stronger than the texture it lies in', () => {
    const picture = textured(1);
    const deviation = 0.1;
    const strengths = painted(picture, 200).map(({ data, mask }) => meanChange(picture, data, mask));
    const hard = strengths.filter((strength) => strength < 1.5 * deviation).length;
    assert.ok(hard > 60, `${hard} of 200 are weak`);
    assert.ok(strengths.every((strength) => strength > 0.1 * deviation));
  });

  it('keeps a grey picture grey', () => {
    const picture = textured(1);
    const area = SIDE * SIDE;
    for (const { data } of painted(picture, 60)) {
      for (let place = 0; place < area; place += 1) {
        assert.ok(Math.abs(data[place] - data[area + place]) < 1e-6);
        assert.ok(Math.abs(data[place] - data[2 * area + place]) < 1e-6);
      }
    }
  });

  it('lies mainly where the picture counts, on a grid of any size', () => {
    const picture = textured(1);
    // the right half of the lower half, as a grid of 4 x 2 patches
    const counts = { data: [0, 0, 0, 0, 0, 0, 1, 1], width: 4, height: 2 };
    for (let seed = 1; seed <= 60; seed += 1) {
      const found = paintDefect(picture, null, seededRandom(seed), counts);
      checkPaint(picture, found);
      let inside = 0;
      for (const [place, marked] of found.mask.entries()) {
        if (marked && place % SIDE >= SIDE / 2 && place >= (SIDE * SIDE) / 2) inside += 1;
      }
      assert.ok(inside >= 0.5 * pixels(found.mask), `seed ${seed}: ${inside} of ${pixels(found.mask)}`);
      assert.ok(pixels(found.mask) < 0.08 * (SIDE / 2) ** 2);
    }
  });

  it('is painted even where a single pixel counts; where none counts, anywhere', () => {
    const picture = plain(0.4);
    const one = new Uint8Array(SIDE * SIDE);
    one[50 * SIDE + 20] = 1;
    for (let seed = 1; seed <= 20; seed += 1) {
      const found = paintDefect(picture, null, seededRandom(seed), { data: one, width: SIDE, height: SIDE });
      checkPaint(picture, found);
      assert.equal(found.mask[50 * SIDE + 20], 1);
      const none = { data: new Uint8Array(4), width: 2, height: 2 };
      checkPaint(picture, paintDefect(picture, null, seededRandom(seed), none));
    }
  });

  it('works on wide, high and tiny pictures', () => {
    for (const [width, height] of [
      [200, 16],
      [16, 200],
      [16, 16],
      [33, 47],
    ]) {
      const random = seededRandom(width);
      const data = Float32Array.from({ length: 3 * width * height }, () => random());
      for (let seed = 1; seed <= 20; seed += 1) {
        checkPaint({ data, width, height }, paintDefect({ data, width, height }, null, seededRandom(seed)));
      }
    }
  });

  it('can be painted on real solar cells', async function () {
    const files = picturesIn(needShared(this, 'data/elpv-poly/train/good')).slice(0, 4);
    const preprocessing = { width: 160, height: 160, mode: 'stretch', kernel: 'linear' } as const;
    const cells = await Promise.all(files.map((file) => toTensor(readFileSync(file), preprocessing)));
    for (let seed = 1; seed <= 24; seed += 1) {
      checkPaint(cells[seed % 4], paintDefect(cells[seed % 4], cells[(seed + 1) % 4], seededRandom(seed)));
    }
  });
});

describe('the shape of a painted defect', () => {
  const wish = { x: 100, y: 90, area: 400, width: 200, height: 180 };

  it('covers about the wished area and lies around its place', () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      for (const [name, shape, tolerance] of [
        ['panel', panel(wish, seededRandom(seed)), 0.25],
        ['blob', blob(wish, 0.15, seededRandom(seed)), 0.3],
        ['cloud', cloud(wish, seededRandom(seed)), 0.35],
      ] as const) {
        const covered = cover(shape);
        assert.ok(Math.abs(covered - 400) <= tolerance * 400, `${name} ${seed}: ${covered}`);
        const { x, y, width, height } = shape.box;
        assert.ok(x <= 100 && y <= 90 && x + width >= 100 && y + height >= 90);
      }
    }
  });

  it('is thin as a line, and no longer than six tenths of the diagonal', () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const { box, alpha } = line({ ...wish, area: 5000 }, seededRandom(seed));
      const length = Math.hypot(box.width, box.height);
      assert.ok(length > 20 && length <= 0.6 * Math.hypot(200, 180) + 12, `${length}`);
      assert.ok(alpha.filter((value) => value > 0.5).length <= 3 * length);
    }
  });

  it('is cut at the edge of the picture', () => {
    for (const corner of [
      { x: 0.5, y: 0.5 },
      { x: 199.5, y: 179.5 },
    ]) {
      for (const shape of [
        panel({ ...wish, ...corner }, seededRandom(1)),
        line({ ...wish, ...corner }, seededRandom(1)),
        cloud({ ...wish, ...corner }, seededRandom(1)),
      ]) {
        const { x, y, width, height } = shape.box;
        assert.ok(x >= 0 && y >= 0 && x + width <= 200 && y + height <= 180);
        assert.equal(shape.alpha.length, width * height);
      }
    }
  });

  it('has covers from 0 to 1, the line also between them at its edges', () => {
    for (const shape of [panel(wish, seededRandom(2)), line(wish, seededRandom(2)), blob(wish, 1, seededRandom(2))]) {
      assert.ok(shape.alpha.every((value) => value >= 0 && value <= 1));
      assert.ok(shape.alpha.some((value) => value > 0.1 && value < 0.9));
    }
  });

  it('gets its noise 0 at the grid points, as gradient noise is defined, and smooth between them', () => {
    const noise = gradientNoise(50, 10, seededRandom(1));
    for (const x of [0, 10, 20, 30]) for (const y of [0, 10, 40]) assert.ok(Math.abs(noise(x, y)) < 1e-9);
    let largest = 0;
    for (let x = 0; x < 50; x += 0.5) {
      largest = Math.max(largest, Math.abs(noise(x, 13)));
      assert.ok(Math.abs(noise(x + 0.01, 13) - noise(x, 13)) < 0.01);
    }
    assert.ok(largest > 0.1 && largest <= 1.5);
  });
});

function checkPaint(picture: PlanarPicture, { data, mask, box }: PaintedDefect): void {
  const { width, height } = picture;
  const area = width * height;
  assert.equal(mask.length, area);
  assert.equal(data.length, 3 * area);
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let place = 0; place < area; place += 1) {
    let change = 0;
    for (let at = place; at < 3 * area; at += area) change = Math.max(change, Math.abs(data[at] - picture.data[at]));
    if (mask[place] === 0 && change !== 0) assert.fail(`pixel ${place} outside the mask changed by ${change}`);
    if (mask[place] === 0) continue;
    if (change < LEAST_CHANGE - 1e-7) assert.fail(`pixel ${place} inside the mask changed by ${change} only`);
    left = Math.min(left, place % width);
    right = Math.max(right, place % width);
    top = Math.min(top, Math.floor(place / width));
    bottom = Math.max(bottom, Math.floor(place / width));
  }
  assert.ok(right >= 0, 'nothing was painted');
  assert.deepEqual(box, { x: left, y: top, width: right - left + 1, height: bottom - top + 1 });
  assert.ok(data.every((value) => value >= 0 && value <= 1));
}

function painted(picture: PlanarPicture, count: number): PaintedDefect[] {
  const random = seededRandom(11);
  return Array.from({ length: count }, () => paintDefect(picture, textured(99), random));
}

/** Soft spots of a standard deviation of about 0.1 around a middle grey. */
function textured(seed: number, colour = false): PlanarPicture {
  const random = seededRandom(seed);
  const noise = gradientNoise(SIDE, 7, random);
  const data = new Float32Array(3 * SIDE * SIDE);
  for (let place = 0; place < SIDE * SIDE; place += 1) {
    const value = 0.5 + 0.28 * noise(place % SIDE, Math.floor(place / SIDE)) + 0.03 * (random() - 0.5);
    for (let channel = 0; channel < 3; channel += 1) {
      data[channel * SIDE * SIDE + place] = Math.min(1, Math.max(0, value - (colour ? 0.1 * channel : 0)));
    }
  }
  return { data, width: SIDE, height: SIDE };
}

function plain(value: number): PlanarPicture {
  return { data: new Float32Array(3 * SIDE * SIDE).fill(value), width: SIDE, height: SIDE };
}

function meanChange(picture: PlanarPicture, data: Float32Array, mask: Uint8Array): number {
  let sum = 0;
  for (const [place, marked] of mask.entries()) if (marked) sum += Math.abs(data[place] - picture.data[place]);
  return sum / pixels(mask);
}

function pixels(mask: Uint8Array): number {
  return mask.reduce((sum, marked) => sum + marked, 0);
}

function cover({ alpha }: Shape): number {
  return alpha.reduce((sum, value) => sum + value, 0);
}
