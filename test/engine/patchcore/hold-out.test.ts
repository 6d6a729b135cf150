import assert from 'node:assert/strict';
import fc from 'fast-check';
import { seededRandom } from '../../../engine/domain';
import { holdOut } from '../../../engine/patchcore/hold-out';

/** How many of `readable` pictures are held out and how many come into the bank. */
function deal(count: number, readable: number, wanted: number, seed: number) {
  const dealing = holdOut(count, wanted, seededRandom(seed));
  let heldOut = 0;
  for (let picture = 0; picture < readable; picture++) if (dealing.next()) heldOut++;
  return { heldOut, inBank: readable - heldOut, mostInBank: dealing.mostInBank };
}

const expected = fc.integer({ min: 8, max: 6000 });
const wanted = fc.constantFrom(1, 19, 99, 999);
const seed = fc.nat(10_000);

describe('dealing pictures out', () => {
  it('holds two out of eight readable pictures, however many were expected', () => {
    fc.assert(fc.property(expected, wanted, seed, (...given) => deal(given[0], 8, given[1], given[2]).heldOut >= 2));
  });

  it('gives the bank no more pictures than it says', () => {
    fc.assert(
      fc.property(expected, fc.double({ min: 0, max: 1, noNaN: true }), wanted, seed, (count, share, ...given) => {
        const { inBank, mostInBank } = deal(count, Math.round(count * share), ...given);
        assert.ok(inBank <= mostInBank, `${inBank} of at most ${mostInBank}`);
      }),
    );
  });

  it('holds a third of few pictures out, a fourth where that is enough, and about 250 of many', () => {
    assert.deepEqual(deal(24, 24, 99, 1), { heldOut: 8, inBank: 16, mostInBank: 16 });
    assert.deepEqual(deal(400, 400, 99, 1), { heldOut: 100, inBank: 300, mostInBank: 300 });
    const { heldOut } = deal(5000, 5000, 99, 1);
    assert.ok(heldOut >= 250 && heldOut <= 252, String(heldOut));
  });
});
