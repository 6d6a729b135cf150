import assert from 'node:assert/strict';
import { halfOf, ofHalf } from '../../../engine/patchcore/half';

describe('Half-precision numbers', () => {
  it('have the bits IEEE 754 gives them', () => {
    // Wikipedia, "Half-precision floating-point format", examples.
    const examples: readonly (readonly [number, number])[] = [
      [0, 0x0000],
      [2 ** -24, 0x0001],
      [1023 * 2 ** -24, 0x03ff],
      [2 ** -14, 0x0400],
      [0.33325195, 0x3555],
      [1 - 2 ** -11, 0x3bff],
      [1, 0x3c00],
      [1 + 2 ** -10, 0x3c01],
      [65504, 0x7bff],
      [-2, 0xc000],
    ];
    for (const [value, half] of examples) assert.equal(halfOf(value), half, `${value}`);
  });

  it('come back as they were, all of them that are numbers', () => {
    for (let half = 0; half < 0x10000; half += 1) {
      if ((half & 0x7c00) === 0x7c00 || half === 0x8000) continue;
      assert.equal(halfOf(ofHalf(half)), half);
    }
  });

  it('round to the nearest, ties to even, and end at 65504', () => {
    assert.equal(ofHalf(halfOf(1 + 1.4 * 2 ** -10)), 1 + 2 ** -10);
    assert.equal(ofHalf(halfOf(1 + 0.5 * 2 ** -10)), 1);
    assert.equal(ofHalf(halfOf(1 + 1.5 * 2 ** -10)), 1 + 2 ** -9);
    assert.equal(ofHalf(halfOf(2047.9)), 2048);
    assert.equal(ofHalf(halfOf(1e9)), 65504);
    assert.equal(ofHalf(halfOf(-1e9)), -65504);
    assert.ok(Number.isNaN(ofHalf(halfOf(Number.NaN))));
  });
});
