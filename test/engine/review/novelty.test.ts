import assert from 'node:assert/strict';
import { type Random, seededRandom } from '../../../engine/domain';
import { alikeOf, distanceOf, nearestOf, scaleOf } from '../../../engine/review/novelty';

/** A unit vector in a direction drawn by chance. */
function direction(random: Random): Float32Array {
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return unit(Float32Array.from({ length: 64 }, normal));
}

/** One in about the same direction. */
function near(centre: Float32Array, spread: number, random: Random): Float32Array {
  const other = direction(random);
  return unit(centre.map((value, index) => value + spread * other[index]));
}

function unit(values: Float32Array): Float32Array {
  const norm = Math.hypot(...values);
  return values.map((value) => value / norm);
}

describe('what is alike and what is novel on a line', () => {
  it('starts with the least radius and nothing novel while few pictures are known', () => {
    const random = seededRandom(1);
    assert.deepEqual(scaleOf([]), { radius: 0.35, novelBeyond: null });
    assert.deepEqual(scaleOf(Array.from({ length: 9 }, () => direction(random))), { radius: 0.35, novelBeyond: null });
  });

  it('is half the median distance, within bounds', () => {
    const random = seededRandom(2);
    // directions by chance in 64 dimensions are about at right angles: half of 1.41 is above the bound
    assert.equal(scaleOf(Array.from({ length: 50 }, () => direction(random))).radius, 0.7);
    const centre = direction(random);
    const between = scaleOf(Array.from({ length: 50 }, () => near(centre, 0.8, random)));
    assert.ok(between.radius > 0.4 && between.radius < 0.5, `${between.radius}`);
    // every part has the same stain
    assert.equal(scaleOf(Array.from({ length: 50 }, () => near(centre, 0.1, random))).radius, 0.35);
  });

  it('calls novel what is farther away than nearly all known ones from their nearest', () => {
    const random = seededRandom(3);
    const centre = direction(random);
    const known = Array.from({ length: 100 }, () => near(centre, 0.8, random));
    const { novelBeyond } = scaleOf(known);
    const apart = known.map((one) =>
      Math.min(...known.filter((other) => other !== one).map((other) => distanceOf(one, other))),
    );
    assert.ok(novelBeyond !== null);
    const farther = apart.filter((distance) => distance > novelBeyond).length;
    assert.ok(farther <= 5 && farther >= 2, `${farther}`);
    assert.ok((nearestOf(direction(random), known)?.distance ?? 0) > novelBeyond);
    assert.ok((nearestOf(near(centre, 0.4, random), known)?.distance ?? 9) < novelBeyond);
  });

  it('finds the nearest of the known ones, and all within the radius', () => {
    const [x, y] = [Float32Array.of(1, 0), Float32Array.of(0, 1)];
    assert.equal(nearestOf(x, []), null);
    assert.deepEqual(nearestOf(Float32Array.of(0.6, 0.8), [x, y])?.index, 1);
    assert.deepEqual(alikeOf(x, [y, x, Float32Array.of(0.8, 0.6)], 0.7), [1, 2]);
  });
});
