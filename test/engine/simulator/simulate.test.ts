import assert from 'node:assert/strict';
import sharp from 'sharp';
import { type Box, InvalidInput } from '../../../engine/domain';
import { inspectPicture } from '../../../engine/imaging';
import {
  DEFECT_CLASSES,
  type DefectClass,
  SIMULATED_PRODUCTS,
  type SimulatedProduct,
  type SimulatorOptions,
  simulatePart,
} from '../../../engine/simulator';
import { tasks } from '../../../engine/simulator/task';

const SMALL = { width: 320, height: 180 };

describe('the simulated line', function () {
  this.timeout(180_000);

  for (const product of SIMULATED_PRODUCTS) {
    describe(product, () => {
      it('takes a picture of 1280 x 720 that decodes', async () => {
        const { picture, truth } = await simulatePart({ product, seed: 1, defectRate: 0 });
        const { width, height, format } = await inspectPicture(picture);
        assert.deepEqual({ width, height, format }, { width: 1280, height: 720, format: 'jpeg' });
        assert.deepEqual(truth, { product, seed: 1, label: 'OK', defects: [] });
      });

      it('repeats itself to the byte with the same seed, whatever was drawn between', async () => {
        const options = { product, seed: 77, defectRate: 0.5, ...SMALL };
        const first = await simulatePart(options);
        for (const seed of [1, 2, 3]) await simulatePart({ product, seed, defectRate: 1, ...SMALL });
        const second = await simulatePart(options);
        assert.deepEqual(first.truth, second.truth);
        assert.ok(first.picture.equals(second.picture));
      });

      it('draws parts at once without mixing them up', async () => {
        const seeds = [1, 2, 3, 4];
        const alone: Buffer[] = [];
        for (const seed of seeds) alone.push((await simulatePart({ product, seed, defectRate: 1, ...SMALL })).picture);
        const together = await Promise.all(
          seeds.map((seed) => simulatePart({ product, seed, defectRate: 1, ...SMALL })),
        );
        together.forEach(({ picture }, index) => {
          assert.ok(picture.equals(alone[index]));
        });
      });

      it('shows another part with another seed', async () => {
        const pictures = await Promise.all(
          [1, 2, 3, -4, 2 ** 40].map((seed) => simulatePart({ product, seed, defectRate: 0, ...SMALL })),
        );
        assert.equal(new Set(pictures.map(({ picture }) => picture.toString('base64'))).size, 5);
      });

      it('keeps place and light with both jitters at 0: only the piece and the noise differ', async () => {
        const still = { product, defectRate: 0, positionJitter: 0, lightJitter: 0 };
        const [one, two, moved] = await Promise.all([
          pixelsOf({ ...still, seed: 1 }),
          pixelsOf({ ...still, seed: 2 }),
          pixelsOf({ ...still, positionJitter: 1, seed: 2 }),
        ]);
        assert.ok(meanDifference(one, two) < 7, `${meanDifference(one, two)}`);
        assert.ok(meanDifference(one, moved) > meanDifference(one, two) + 0.5);
      });

      for (const label of DEFECT_CLASSES) {
        it(`encloses a ${label} in its box, changes it visibly and nothing far from it`, async () => {
          for (const seed of [5, 6]) await checkDefect(product, label, seed);
        });
      }

      it('marks every part at rate 1 and none at rate 0', async () => {
        for (let seed = 0; seed < 30; seed += 1) {
          const bad = await simulatePart({ product, seed, defectRate: 1, ...SMALL });
          assert.equal(bad.truth.label, 'NG');
          assert.ok(bad.truth.defects.length >= 1);
          const good = await simulatePart({ product, seed, defectRate: 0, ...SMALL });
          assert.equal(good.truth.label, 'OK');
        }
      });

      it('shows every class at rate 1, and only the classes asked for', async () => {
        const seen = new Set<DefectClass>();
        for (let seed = 0; seed < 40; seed += 1) {
          const { truth } = await simulatePart({ product, seed, defectRate: 1, ...SMALL });
          for (const { label } of truth.defects) seen.add(label);
          const some = await simulatePart({ product, seed, defectRate: 1, defects: ['stain', 'scratch'], ...SMALL });
          for (const { label } of some.truth.defects) assert.ok(label === 'stain' || label === 'scratch');
        }
        assert.deepEqual([...seen].sort(), [...DEFECT_CLASSES].sort());
      });

      it('keeps about the rate asked for', async () => {
        let bad = 0;
        for (let seed = 0; seed < 200; seed += 1) {
          const { truth } = await simulatePart({ product, seed, defectRate: 0.25, ...SMALL });
          if (truth.label === 'NG') bad += 1;
        }
        // 200 draws at 0.25: mean 50, deviation 6.1
        assert.ok(bad > 25 && bad < 75, `${bad} of 200`);
      });

      it('draws other sizes, with boxes inside', async () => {
        for (const [width, height] of [
          [320, 180],
          [640, 480],
          [1600, 900],
        ]) {
          const { picture, truth } = await simulatePart({ product, seed: 3, defectRate: 1, width, height });
          const info = await inspectPicture(picture);
          assert.deepEqual([info.width, info.height], [width, height]);
          for (const { box } of truth.defects) assertInside(box, width, height);
        }
      });
    });
  }

  it('moves the plate by no more than 9 pixels and one degree', async () => {
    // At rest the plate reaches from 210 to 1070 in x and from 105 in y; edges are read on lines through the centre,
    // where a turn of 0.016 adds at most 0.016 x 9.
    for (let seed = 0; seed < 12; seed += 1) {
      const { data, at } = await greyOf({ product: 'plate', seed, defectRate: 0 });
      assert.equal(data.length, 1280 * 720);
      const left = firstBright(150, 300, (x) => at(x, 500));
      const right = firstBright(1130, 1000, (x) => at(x, 500));
      const top = firstBright(60, 160, (y) => at(640, y));
      // Row 500 is 140 below the centre: the turn adds at most 2.4. The right bevel, 8 wide, lies in shadow.
      assert.ok(Math.abs(left - 210) <= 13, `left ${left}`);
      assert.ok(Math.abs(right - 1062) <= 16, `right ${right}`);
      assert.ok(Math.abs(top - 105) <= 11, `top ${top}`);
    }
  });

  it('refuses options outside their range and names the option', async () => {
    const good: SimulatorOptions = { product: 'plate', seed: 1, defectRate: 0 };
    const wrong: readonly [string, object][] = [
      ['product', { product: 'bottle' }],
      ['seed', { seed: 1.5 }],
      ['seed', { seed: Number.NaN }],
      ['width', { width: 200 }],
      ['width', { width: 100_000 }],
      ['height', { height: 720.5 }],
      ['defectRate', { defectRate: -0.1 }],
      ['defectRate', { defectRate: 1.1 }],
      ['defectRate', { defectRate: '1' }],
      ['defects', { defects: [] }],
      ['defects', { defects: ['dent'] }],
      ['defects', { defects: 'stain' }],
      ['lightJitter', { lightJitter: -1 }],
      ['positionJitter', { positionJitter: Number.POSITIVE_INFINITY }],
    ];
    for (const [option, change] of wrong) {
      await assert.rejects(simulatePart({ ...good, ...change }), (error: unknown) => {
        assert.ok(error instanceof InvalidInput);
        assert.equal(error.parameters.option, option);
        return true;
      });
    }
  });

  it('serves the compute child', async () => {
    const options = { product: 'plate', seed: 9, defectRate: 1, ...SMALL } as const;
    assert.deepEqual(await tasks.simulate(options), await simulatePart(options));
  });
});

async function checkDefect(product: SimulatedProduct, label: DefectClass, seed: number): Promise<void> {
  const clean = await pixelsOf({ product, seed, defectRate: 0 });
  const { picture, truth } = await simulatePart({ product, seed, defectRate: 1, defects: [label] });
  assert.deepEqual(
    truth.defects.map((defect) => defect.label),
    [label],
  );
  const box = truth.defects[0].box;
  assertInside(box, 1280, 720);
  assert.ok(Math.min(box.width, box.height) >= 12, 'too small for the optics');
  const damaged = await sharp(picture).raw().toBuffer();
  const difference = (x: number, y: number) =>
    Math.abs(clean[(y * 1280 + x) * 3 + 1] - damaged[(y * 1280 + x) * 3 + 1]);

  // A displaced element also leaves its old place and takes its shadow with it.
  const margin = label === 'misalignment' ? 160 : 24;
  let inside = 0;
  let farthest = 0;
  for (let y = 0; y < 720; y += 1) {
    for (let x = 0; x < 1280; x += 1) {
      const dx = Math.max(box.x - x, x - (box.x + box.width - 1), 0);
      const dy = Math.max(box.y - y, y - (box.y + box.height - 1), 0);
      if (dx === 0 && dy === 0 && difference(x, y) > 20) inside += 1;
      if (Math.max(dx, dy) > margin) farthest = Math.max(farthest, difference(x, y));
    }
  }
  assert.ok(inside >= 200, `seed ${seed}: ${inside} pixels changed`);
  assert.ok(farthest <= 2, `seed ${seed}: a pixel far from the box changed by ${farthest}`);

  if (label === 'misalignment') return;
  const strip = (x0: number, y0: number, x1: number, y1: number) => {
    let most = 0;
    for (let y = y0; y < y1; y += 1) for (let x = x0; x < x1; x += 1) most = Math.max(most, difference(x, y));
    return most;
  };
  const right = box.x + box.width;
  const bottom = box.y + box.height;
  const sides = {
    left: strip(box.x, box.y, box.x + 4, bottom),
    right: strip(right - 4, box.y, right, bottom),
    top: strip(box.x, box.y, right, box.y + 4),
    bottom: strip(box.x, bottom - 4, right, bottom),
  };
  for (const [side, most] of Object.entries(sides))
    assert.ok(most >= 6, `seed ${seed}: the box is loose at its ${side}`);
}

function assertInside(box: Box, width: number, height: number): void {
  for (const value of Object.values(box)) assert.ok(Number.isInteger(value));
  assert.ok(box.x >= 0 && box.y >= 0 && box.width > 0 && box.height > 0);
  assert.ok(box.x + box.width <= width && box.y + box.height <= height);
}

async function pixelsOf(options: SimulatorOptions): Promise<Buffer> {
  return sharp((await simulatePart(options)).picture)
    .raw()
    .toBuffer();
}

async function greyOf(options: SimulatorOptions) {
  const data = await sharp((await simulatePart(options)).picture)
    .greyscale()
    .raw()
    .toBuffer();
  return { data, at: (x: number, y: number) => data[y * 1280 + x] };
}

/** The first place on the way from `from` to `to` as bright as metal. */
function firstBright(from: number, to: number, at: (place: number) => number): number {
  const step = Math.sign(to - from);
  for (let place = from; place !== to; place += step) if (at(place) > 140) return place;
  return Number.NaN;
}

function meanDifference(one: Buffer, two: Buffer): number {
  let sum = 0;
  for (let index = 0; index < one.length; index += 1) sum += Math.abs(one[index] - two[index]);
  return sum / one.length;
}
