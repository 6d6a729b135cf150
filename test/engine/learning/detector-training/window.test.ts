import assert from 'node:assert/strict';
import { seededRandom } from '../../../../engine/domain';
import { drawWindow } from '../../../../engine/learning/detector-training/draw-window';
import {
  renderWindow,
  type SourcePicture,
  type WindowPlan,
} from '../../../../engine/learning/detector-training/window';

const SIDE = 96;

/** A black picture with one white rectangle, which is its target. */
function picture(x: number, y: number, width: number, height: number, size = 128): SourcePicture {
  const pixels = new Uint8Array(3 * size * size);
  for (let row = y; row < y + height; row += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      pixels.fill(255, (channel * size + row) * size + x, (channel * size + row) * size + x + width);
    }
  }
  return { width: size, height: size, pixels, targets: [{ class: 0, box: { x, y, width, height } }] };
}

const PICTURES = [picture(20, 40, 24, 12), picture(90, 3, 16, 30), picture(50, 100, 40, 20), picture(2, 2, 10, 14)];

const planOf = (seed: number, strength: number, side = SIDE) => {
  const random = seededRandom(seed);
  const another = () => Math.floor(random() * PICTURES.length);
  return drawWindow(seed % 4, (at) => PICTURES[at], another, { side, strength, parts: 2 + (seed % 2) }, random);
};
const render = (plan: WindowPlan, side = SIDE) =>
  renderWindow(
    plan,
    plan.parts.map((part) => PICTURES[part.picture]),
    side,
  );

/** Where a part of the window is brighter than half, at the light before it was changed. */
function brightIn(
  { gains, offset }: WindowPlan,
  data: Float32Array,
  x: number,
  y: number,
  width: number,
  height: number,
) {
  const level = 0.35 * gains[0] + 0.5 + offset - 0.1;
  const found = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (let row = y; row < y + height; row += 1) {
    for (let column = x; column < x + width; column += 1) {
      if (data[row * SIDE + column] < Math.min(level, 0.95)) continue;
      found.left = Math.min(found.left, column);
      found.right = Math.max(found.right, column + 1);
      found.top = Math.min(found.top, row);
      found.bottom = Math.max(found.bottom, row + 1);
    }
  }
  return found;
}

describe('Windows to learn a detector from', () => {
  it('carries boxes along with the pixels, whatever is drawn', () => {
    let compared = 0;
    for (let seed = 0; seed < 300; seed += 1) {
      const plan = planOf(seed, 1);
      const { data, targets } = render(plan);
      for (const { box } of targets) {
        const home = plan.parts.find(
          ({ region }) =>
            box.x >= region.x - 1e-6 &&
            box.y >= region.y - 1e-6 &&
            box.x < region.x + region.width &&
            box.y < region.y + region.height,
        );
        assert.ok(home);
        const { region } = home;
        const bright = brightIn(plan, data, region.x, region.y, region.width, region.height);
        compared += 1;
        for (const [seen, told] of [
          [bright.left, box.x],
          [bright.top, box.y],
          [bright.right, box.x + box.width],
          [bright.bottom, box.y + box.height],
        ]) {
          assert.ok(Math.abs(seen - told) <= 1.6, `seed ${seed}: ${seen} is not ${told}`);
        }
      }
    }
    assert.ok(compared > 250, `${compared} boxes`);
  });

  it('shows a target in most windows, and only background in some', () => {
    const counts = Array.from({ length: 200 }, (_, seed) => render(planOf(seed, 0)).targets.length);
    const empty = counts.filter((count) => count === 0).length;
    assert.ok(empty > 0 && empty < 60, `${empty} of 200 are empty`);
  });

  it('gives the picture as it is at strength 0 and full size', () => {
    const plan = planOf(4, 0, 128);
    const { data, targets } = render(plan, 128);
    assert.deepEqual(targets, PICTURES[0].targets);
    assert.ok(data.every((value, index) => Math.abs(value - PICTURES[0].pixels[index] / 255) < 1e-6));
  });

  it('drops a target of which too little is seen', () => {
    const part = {
      picture: 0,
      region: { x: 0, y: 0, width: 64, height: 64 },
      transpose: false,
      flipX: false,
      flipY: false,
    };
    const at = (x: number) =>
      renderWindow(
        { parts: [{ ...part, source: { x, y: 20, width: 64, height: 64 } }], gains: [1, 1, 1], offset: 0 },
        PICTURES,
        64,
      ).targets;
    assert.deepEqual(at(32), [{ class: 0, box: { x: 0, y: 20, width: 12, height: 12 } }]);
    assert.deepEqual(at(38), []);
  });

  it('fills what lies outside with the grey of the letterbox', () => {
    const part = {
      picture: 0,
      region: { x: 0, y: 0, width: 8, height: 8 },
      transpose: false,
      flipX: false,
      flipY: false,
    };
    const plan = {
      parts: [{ ...part, source: { x: -8, y: 0, width: 8, height: 8 } }],
      gains: [1, 1, 1] as const,
      offset: 0,
    };
    const { data } = renderWindow(plan, PICTURES, 8);
    assert.ok(data.every((value) => Math.abs(value - 114 / 255) < 1e-6));
  });

  it('is the same for the same seed', () => {
    assert.deepEqual(planOf(11, 0.7), planOf(11, 0.7));
    assert.notDeepEqual(planOf(11, 0.7), planOf(12, 0.7));
  });
});
