import assert from 'node:assert/strict';
import fc from 'fast-check';
import sharp from 'sharp';
import { InvalidInput, seededRandom } from '../../../engine/domain';
import { type Augmentation, augment, augmentPlaces, drawAugmentations } from '../../../engine/imaging';

const NOTHING: Augmentation = {
  flipHorizontal: false,
  flipVertical: false,
  rotate: 0,
  shiftX: 0,
  shiftY: 0,
  brightness: 1,
  gamma: 1,
};

describe('a varied picture', () => {
  it('is a copy of the same when nothing is varied', () => {
    const picture = noise(7, 5);
    const same = augment(picture, NOTHING);
    assert.deepEqual(same, picture.data);
    assert.notEqual(same.buffer, picture.data.buffer);
  });

  it('is mirrored and turned as sharp does it, bit for bit', async () => {
    const square = noise(9, 9);
    const cases: readonly [Partial<Augmentation>, (pipeline: sharp.Sharp) => sharp.Sharp][] = [
      [{ flipHorizontal: true }, (pipeline) => pipeline.flop()],
      [{ flipVertical: true }, (pipeline) => pipeline.flip()],
      [{ rotate: 90 }, (pipeline) => pipeline.rotate(90)],
      [{ rotate: 180 }, (pipeline) => pipeline.rotate(180)],
      [{ rotate: -90 }, (pipeline) => pipeline.rotate(270)],
    ];
    for (const [change, bySharp] of cases) {
      const expected = await throughSharp(square, bySharp);
      assert.deepEqual(augment(square, { ...NOTHING, ...change }), expected, JSON.stringify(change));
    }
    const wide = noise(8, 5);
    for (const [change, bySharp] of [cases[0], cases[1], cases[3]]) {
      assert.deepEqual(augment(wide, { ...NOTHING, ...change }), await throughSharp(wide, bySharp));
    }
  });

  it('is mirrored first and turned then', async () => {
    const square = noise(6, 6);
    const inTwo = augment(
      { ...square, data: augment(square, { ...NOTHING, flipHorizontal: true }) },
      { ...NOTHING, rotate: 90 },
    );
    assert.deepEqual(augment(square, { ...NOTHING, flipHorizontal: true, rotate: 90 }), inTwo);
  });

  it('is shifted by whole pixels with mirrored edges as sharp extends them', async () => {
    const picture = noise(10, 10);
    const extended = await throughSharp(
      picture,
      (one) => one.extend({ left: 3, top: 2, extendWith: 'mirror' }),
      13,
      12,
    );
    const at = (x: number, y: number, channel: number) => extended[channel * 13 * 12 + y * 13 + x];
    const expected = Float32Array.from({ length: 300 }, (_, index) =>
      at(index % 10, Math.floor((index % 100) / 10), Math.floor(index / 100)),
    );
    assert.deepEqual(augment(picture, { ...NOTHING, shiftX: 0.3, shiftY: 0.2 }), expected);
  });

  it('is bilinear between pixels: a row shifted by half a pixel, by hand', () => {
    const data = [0, 0.25, 1, 0.5];
    const picture = { data: Float32Array.from([...data, ...data, ...data]), width: 4, height: 1 };
    const shifted = augment(picture, { ...NOTHING, shiftX: 0.125 });
    // new pixel i lies between old i - 1 and i; before the first lies the first again
    assert.deepEqual([...shifted.subarray(0, 4)], [0, 0.125, 0.625, 0.75]);
  });

  it('is turned by 45 degrees about its centre, by hand', () => {
    // a cross of 3 x 3 with 1 at the right: a turn of 45 degrees brings the corner at (1/sqrt 2, 1/sqrt 2) there
    const plane = [0, 0, 0, 0, 0, 1, 0, 0, 0];
    const turned = augment(
      { data: Float32Array.from([...plane, ...plane, ...plane]), width: 3, height: 3 },
      {
        ...NOTHING,
        rotate: 45,
      },
    );
    const half = Math.SQRT1_2;
    // the right pixel now comes from (half, -half) off the centre: share `half` of the column, `1 - half` of the row
    near(turned[5], half * (1 - half));
    // the lower right pixel comes from (2 half, 0): mirrored at the edge, wholly the right pixel
    near(turned[8], 1);
  });

  it('is lit by gain and gamma and never lighter than white', () => {
    const plane = [0, 0.25, 0.5, 1];
    const picture = { data: Float32Array.from([...plane, ...plane, ...plane]), width: 2, height: 2 };
    const lit = augment(picture, { ...NOTHING, brightness: 1.5 });
    assert.deepEqual([...lit.subarray(0, 4)], [0, 0.375, 0.75, 1]);
    const bent = augment(picture, { ...NOTHING, gamma: 2, brightness: 0.5 });
    assert.deepEqual([...bent.subarray(0, 4)], [0, 0.03125, 0.125, 0.5]);
  });

  it('keeps its padding and is mirrored at the edge of what it shows', () => {
    const content = { x: 0, y: 2, width: 8, height: 4 };
    const picture = noise(8, 8);
    const random = seededRandom(3);
    for (const change of drawAugmentations({ flip: true, rotation: 30, light: 0.2, shift: 0.2 }, 8, random)) {
      const varied = augment(picture, change, content);
      for (let channel = 0; channel < 3; channel += 1) {
        for (const y of [0, 1, 6, 7]) {
          const start = channel * 64 + y * 8;
          assert.deepEqual(varied.subarray(start, start + 8), picture.data.subarray(start, start + 8));
        }
      }
      // what was painted outside must not come in
      const painted = picture.data.slice();
      for (let index = 0; index < painted.length; index += 1) {
        if (Math.floor((index % 64) / 8) < 2 || Math.floor((index % 64) / 8) >= 6) painted[index] = 9;
      }
      const other = augment({ ...picture, data: painted }, change, content);
      for (let y = 2; y < 6; y += 1) {
        assert.deepEqual(other.subarray(y * 8, y * 8 + 8), varied.subarray(y * 8, y * 8 + 8));
      }
    }
  });

  it('stays within the values it had, without a change of light', () => {
    const picture = noise(12, 9);
    const wishes = { flip: true, rotation: 180, light: 0, shift: 0.25 };
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        for (const change of drawAugmentations(wishes, 2, seededRandom(seed))) {
          assert.ok(augment(picture, change).every((value) => value >= 0 && value <= 1));
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('the patches of a varied picture', () => {
  it('come from where the picture shows the same', () => {
    const size = { width: 32, height: 16 };
    const counts = Float32Array.of(1, 0, 0, 0, 1, 1, 0, 0);
    const counted = (change: Partial<Augmentation>) =>
      [...augmentPlaces(2, 4, size, { ...NOTHING, ...change })].map((patch) => counts[patch]).join('');
    assert.equal(counted({}), '10001100');
    assert.equal(counted({ flipHorizontal: true }), '00010011');
    assert.equal(counted({ flipVertical: true }), '11001000');
    assert.equal(counted({ rotate: 180 }), '00110001');
    assert.equal(counted({ shiftX: 0.25 }), '11001110');
    assert.equal(counted({ brightness: 0.5 }), '10001100');
  });

  it('come from nowhere in the padding, and never from there', () => {
    const content = { x: 0, y: 4, width: 16, height: 8 };
    const inside = Array.from({ length: 16 }, (_, patch) => patch >= 4 && patch < 12);
    for (const rotate of [0, 10, 90, 180]) {
      const places = augmentPlaces(4, 4, { width: 16, height: 16 }, { ...NOTHING, rotate }, content);
      assert.deepEqual(
        [...places].map((patch) => patch >= 0 && inside[patch]),
        inside,
      );
      assert.ok(places.every((patch, at) => inside[at] || patch === -1));
    }
  });
});

describe('augmentations', () => {
  const all = { flip: true, rotation: 10, light: 0.2, shift: 0.05 };

  it('are drawn alike from the same seed', () => {
    assert.deepEqual(drawAugmentations(all, 5, seededRandom(1)), drawAugmentations(all, 5, seededRandom(1)));
    assert.notDeepEqual(drawAugmentations(all, 5, seededRandom(1)), drawAugmentations(all, 5, seededRandom(2)));
  });

  it('vary only what is switched on, and within its bounds', () => {
    const off = { flip: false, rotation: 0, light: 0, shift: 0 };
    for (const wishes of [{ flip: true }, { rotation: 20 }, { light: 0.3 }, { shift: 0.1 }, all]) {
      const asked = { ...off, ...wishes };
      for (const drawn of drawAugmentations(asked, 20, seededRandom(4))) {
        if (!asked.flip) assert.ok(!drawn.flipHorizontal && !drawn.flipVertical);
        assert.ok(Math.abs(drawn.rotate) <= asked.rotation);
        assert.ok(Math.abs(drawn.shiftX) <= asked.shift && Math.abs(drawn.shiftY) <= asked.shift);
        assert.ok(Math.abs(drawn.brightness - 1) <= asked.light + 1e-12);
        assert.ok(Math.abs(drawn.gamma - 1) <= asked.light + 1e-12);
      }
    }
  });

  it('are none when nothing is switched on, and three with nothing but mirroring', () => {
    assert.deepEqual(drawAugmentations({ flip: false, rotation: 0, light: 0, shift: 0 }, 9, seededRandom(1)), []);
    const flips = drawAugmentations({ flip: true, rotation: 0, light: 0, shift: 0 }, 9, seededRandom(1));
    assert.equal(new Set(flips.map((one) => `${one.flipHorizontal} ${one.flipVertical}`)).size, 3);
    assert.equal(flips.length, 3);
    assert.ok(flips.every((one) => one.flipHorizontal || one.flipVertical));
  });

  it('are refused out of range', () => {
    for (const wrong of [{ rotation: -1 }, { rotation: 181 }, { light: 0.6 }, { shift: 0.3 }, { light: Number.NaN }]) {
      assert.throws(() => drawAugmentations({ ...all, ...wrong }, 1, seededRandom(1)), InvalidInput);
    }
  });
});

/** Planar noise in whole 255ths, so that it can go through 8 bits and back. */
function noise(width: number, height: number) {
  const random = seededRandom(width * 100 + height);
  const data = Float32Array.from({ length: 3 * width * height }, () => Math.floor(256 * random()) / 255);
  return { data, width, height };
}

async function throughSharp(
  { data, width, height }: ReturnType<typeof noise>,
  change: (pipeline: sharp.Sharp) => sharp.Sharp,
  newWidth = width,
  newHeight = height,
): Promise<Float32Array> {
  const area = width * height;
  const bytes = Uint8Array.from({ length: 3 * area }, (_, at) =>
    Math.round(255 * data[(at % 3) * area + Math.floor(at / 3)]),
  );
  const moved = await change(sharp(bytes, { raw: { width, height, channels: 3 } }))
    .raw()
    .toBuffer();
  const newArea = newWidth * newHeight;
  return Float32Array.from(
    { length: 3 * newArea },
    (_, at) => moved[(at % newArea) * 3 + Math.floor(at / newArea)] / 255,
  );
}

function near(actual: number, expected: number, tolerance = 1e-6): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual}, expected ${expected}`);
}
