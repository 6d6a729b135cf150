import assert from 'node:assert/strict';
import { seededRandom } from '../../../engine/domain';
import { nearDuplicates, signatureOf } from '../../../engine/statistics';

type Draw = () => number;

/** A fixture's view of a part: always the same picture, with something of its own in every cell. */
function part(random: Draw, own = 0.02): Float32Array {
  return Float32Array.from({ length: 192 }, (_, place) => (place % 7) / 7 + own * (random() - 0.5));
}

/** The same part seen once more: noise of the camera only. */
function again(signature: Float32Array, random: Draw, noise = 0.001): Float32Array {
  return signature.map((value) => value + noise * (random() - 0.5));
}

const countOf = (groups: Int32Array) => new Set(groups).size;

describe('Near-duplicates', () => {
  it('are the two copies of each picture when all were stored twice', () => {
    const random = seededRandom(1);
    const parts = Array.from({ length: 100 }, () => part(random));
    const groups = nearDuplicates([...parts, ...parts.map((signature) => again(signature, random))]);
    assert.equal(countOf(groups), 100);
    for (let index = 0; index < 100; index += 1) assert.equal(groups[index], groups[index + 100]);
  });

  it('are all shots of a part when a few parts were taken many times', () => {
    const random = seededRandom(2);
    const parts = Array.from({ length: 4 }, () => part(random));
    const groups = nearDuplicates(Array.from({ length: 120 }, (_, shot) => again(parts[shot % 4], random)));
    assert.deepEqual([...groups.slice(0, 8)], [0, 1, 2, 3, 0, 1, 2, 3]);
    assert.equal(countOf(groups), 4);
  });

  it('are found where only a few pictures are repeated', () => {
    const random = seededRandom(3);
    const parts = Array.from({ length: 60 }, () => part(random));
    const groups = nearDuplicates([...parts, again(parts[7], random), again(parts[7], random)]);
    assert.equal(countOf(groups), 60);
    assert.deepEqual([groups[60], groups[61]], [groups[7], groups[7]]);
  });

  it('are not parts that look alike because they always lie in the same place', () => {
    const random = seededRandom(4);
    for (const own of [0.5, 0.02, 1e-5]) {
      const groups = nearDuplicates(Array.from({ length: 150 }, () => part(random, own)));
      assert.deepEqual([...groups], [...groups.keys()]);
    }
  });

  it('are not the parts of one colour or pose when parts come in two', () => {
    const random = seededRandom(10);
    const parts = Array.from({ length: 90 }, (_, index) => {
      const own = part(random);
      return index % 3 === 0 ? own.reverse() : own;
    });
    assert.equal(countOf(nearDuplicates(parts)), 90);
    const repeated = again(parts[4], random);
    const groups = nearDuplicates([...parts, repeated]);
    assert.equal(countOf(groups), 90);
    assert.equal(groups[90], groups[4]);
  });

  it('are not made by one picture that is far from all others', () => {
    const random = seededRandom(5);
    const parts = Array.from({ length: 80 }, () => part(random));
    const groups = nearDuplicates([...parts, parts[0].map((value) => 1 - value)]);
    assert.equal(countOf(groups), 81);
  });

  it('do not chain a set that varies in one respect only, like the light', () => {
    const random = seededRandom(6);
    const parts = Array.from({ length: 400 }, () => {
      const light = random();
      return Float32Array.from({ length: 192 }, (_, place) => light * (1 + (place % 7)));
    });
    // On a line some pictures lie close together by chance; most must stay alone.
    const groups = nearDuplicates(parts);
    assert.ok(countOf(groups) > 0.65 * parts.length, `${countOf(groups)}`);
  });

  it('do not depend on the order of the pictures', () => {
    const random = seededRandom(7);
    const parts = Array.from({ length: 40 }, () => part(random));
    const all = [...parts, ...parts.slice(0, 10).map((signature) => again(signature, random))];
    const forward = nearDuplicates(all);
    const backward = nearDuplicates([...all].reverse()).reverse();
    for (let a = 0; a < all.length; a += 1) {
      for (let b = 0; b < a; b += 1) assert.equal(forward[a] === forward[b], backward[a] === backward[b]);
    }
  });

  it('are equal pictures, whatever the others are', () => {
    const random = seededRandom(8);
    const one = part(random);
    assert.deepEqual([...nearDuplicates([one, one, one])], [0, 0, 0]);
    assert.deepEqual([...nearDuplicates([one, part(random)])], [0, 1]);
    assert.deepEqual([...nearDuplicates([one])], [0]);
    assert.deepEqual([...nearDuplicates([])], []);
  });

  it('are found among a thousand pictures, from a sample of their distances', () => {
    const random = seededRandom(9);
    const parts = Array.from({ length: 900 }, () => part(random));
    const groups = nearDuplicates([...parts, ...parts.slice(0, 100).map((signature) => again(signature, random))]);
    assert.equal(countOf(groups), 900);
  });

  it('need signatures of equal length and a share below one half', () => {
    assert.throws(() => nearDuplicates([new Float32Array(2), new Float32Array(3)]), RangeError);
    assert.throws(() => nearDuplicates([], 0.5), RangeError);
  });
});

describe('Signature', () => {
  it('is the mean of each channel in 16 x 16 cells', () => {
    const [width, height] = [32, 48];
    const data = Float32Array.from({ length: 3 * width * height }, (_, place) => {
      const channel = Math.floor(place / (width * height));
      return 100 * channel + (place % width);
    });
    const signature = signatureOf(data, width, height);
    assert.equal(signature.length, 768);
    // The first cell holds columns 0 and 1, the last 30 and 31.
    assert.deepEqual([signature[0], signature[15], signature[256], signature[767]], [0.5, 30.5, 100.5, 230.5]);
  });

  it('covers every pixel once when the cells do not divide the picture evenly', () => {
    const [width, height] = [37, 21];
    const data = new Float32Array(3 * width * height).fill(0.25);
    assert.ok(signatureOf(data, width, height).every((value) => Math.abs(value - 0.25) < 1e-7));
    const small = signatureOf(Float32Array.of(1, 2, 3), 1, 1);
    assert.deepEqual([small[0], small[256], small[767]], [1, 2, 3]);
  });
});
