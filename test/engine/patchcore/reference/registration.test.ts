import assert from 'node:assert/strict';
import { seededRandom } from '../../../../engine/domain';
import type { Plane } from '../../../../engine/patchcore/reference/plane';
import { register } from '../../../../engine/patchcore/reference/registration';
import { laidOver, type Warp } from '../../../../engine/patchcore/reference/warp';
import { partScene, planeOf, withBlot } from './scenes';

type Place = (x: number, y: number) => readonly [x: number, y: number];

const SIZES = [
  [320, 240],
  [500, 333],
  [97, 256],
] as const;

/** Where the warp says a pixel of the picture lies in the reference: two ramps are laid over the picture's frame. */
function placesOf(warp: Warp, { width, height }: Plane): (x: number, y: number) => [number, number] {
  const ramp = (value: (x: number, y: number) => number) =>
    laidOver(planeOf(value, width, height), warp, width, height);
  const [across, down] = [ramp((x) => x), ramp((_, y) => y)];
  return (x, y) => [across[y * width + x], down[y * width + x]];
}

/** Greatest distance between found and true place over the picture's inner part. */
function worstError(warp: Warp, picture: Plane, truth: Place): number {
  const found = placesOf(warp, picture);
  let worst = 0;
  for (let y = 20; y < picture.height - 20; y += 9) {
    for (let x = 20; x < picture.width - 20; x += 9) {
      const [foundX, foundY] = found(x, y);
      const [trueX, trueY] = truth(x, y);
      worst = Math.max(worst, Math.hypot(foundX - trueX, foundY - trueY));
    }
  }
  return worst;
}

function turned(degrees: number, scale: number, width: number, height: number): Place {
  const [cos, sin] = [scale * Math.cos((degrees * Math.PI) / 180), scale * Math.sin((degrees * Math.PI) / 180)];
  const [middleX, middleY] = [width / 2, height / 2];
  return (x, y) => [
    middleX + cos * (x - middleX) - sin * (y - middleY),
    middleY + sin * (x - middleX) + cos * (y - middleY),
  ];
}

describe('registration', function () {
  this.timeout(180_000);
  for (const [width, height] of SIZES) {
    const scene = partScene(5);
    const reference = planeOf(scene, width, height);
    const cases: [string, Place][] = [
      ['leaves a picture in place where it lies', (x, y) => [x, y]],
      ['finds a shift by parts of a pixel', (x, y) => [x + 3.4, y - 2.7]],
      ['finds a shift of 4 % of the longer side', (x, y) => [x - 0.04 * width, y + 0.01 * height]],
      ['finds a turn of one degree', turned(1, 1, width, height)],
      ['finds a stretch of 1 %', turned(0, 1.01, width, height)],
    ];
    for (const [what, place] of cases) {
      it(`${what} (${width} x ${height})`, () => {
        const picture = planeOf(scene, width, height, place);
        const { warp, similarity } = register(picture, reference, 0.05);
        const worst = worstError(warp, picture, place);
        assert.ok(worst < 0.75, `${worst.toFixed(2)} pixels off`);
        assert.ok(similarity > 0.9, `similarity ${similarity}`);
      });
    }
  }

  it('follows a part that is bent by several pixels', () => {
    const scene = partScene(11);
    const bent: Place = (x, y) => [x + 4 * Math.sin(y / 70), y + 3 * Math.sin(x / 90)];
    const picture = planeOf(scene, 400, 400, bent);
    const { warp } = register(picture, planeOf(scene, 400, 400), 0.05);
    assert.ok(worstError(warp, picture, bent) < 2.5);
    assert.ok(worstError({ map: warp.map, bend: null }, picture, bent) > 3, 'no straight map does it');
  });

  it('is not misled by a defect, another light and noise', () => {
    const scene = partScene(3);
    const random = seededRandom(1);
    const place: Place = (x, y) => [x + 5, y - 4];
    const clean = planeOf(scene, 320, 240, place);
    const lit = { ...clean, data: clean.data.map((value) => 0.8 * value + 0.05 + 0.03 * (random() - 0.5)) };
    const picture = withBlot(lit, 100, 60, 60, 50, 0.95);
    const { warp } = register(picture, planeOf(scene, 320, 240), 0.05);
    const worst = worstError(warp, picture, place);
    assert.ok(worst < 0.75, `${worst.toFixed(2)} pixels off`);
  });

  it('does not move blank pictures, and calls them alike', () => {
    const blank = planeOf(() => 0.5, 200, 150);
    const { warp, similarity } = register(blank, blank, 0.05);
    assert.equal(
      worstError(warp, blank, (x, y) => [x, y]),
      0,
    );
    assert.equal(similarity, 1);
  });

  it('calls a part and another part unlike, and a part and a blank picture', () => {
    const picture = planeOf(partScene(1), 320, 240);
    const other = register(picture, planeOf(partScene(2), 320, 240), 0.05).similarity;
    assert.ok(other < 0.5, `another part: ${other}`);
    assert.ok(
      register(
        picture,
        planeOf(() => 0.5, 320, 240),
        0.05,
      ).similarity < 0.3,
    );
    assert.ok(
      register(
        planeOf(() => 0.5, 320, 240),
        picture,
        0.05,
      ).similarity < 0.3,
    );
  });

  it('takes pictures a few pixels wide', () => {
    const picture = planeOf(partScene(1), 300, 16);
    const { warp } = register(picture, picture, 0.05);
    assert.ok(worstError(warp, picture, (x, y) => [x, y]) < 0.1);
  });
});
