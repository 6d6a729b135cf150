import assert from 'node:assert/strict';
import { seededRandom } from '../../../engine/domain';
import { suspects } from '../../../engine/statistics';

const random = seededRandom(11);
const exponential = () => -Math.log(1 - random());
const normal = () => Math.sqrt(2 * exponential()) * Math.cos(2 * Math.PI * random());
const gumbel = () => 1 - 0.15 * Math.log(exponential());

/** How many of `rounds` good sets have a suspect, and how many suspects there are a set. */
function falseAlarms(draw: () => number, count: number, rounds: number) {
  const found = Array.from({ length: rounds }, () => suspects(Array.from({ length: count }, draw)).length);
  return {
    sets: found.filter((length) => length > 0).length / rounds,
    pictures: found.reduce((sum, length) => sum + length, 0) / rounds,
  };
}

describe('Suspects among training pictures', () => {
  const good: [string, () => number][] = [
    ['normal', () => 1 + 0.1 * normal()],
    ['Gumbel', gumbel],
    ['gamma', () => exponential() + exponential()],
    ['exponential', () => 1 + exponential()],
  ];
  for (const [name, draw] of good) {
    it(`are rare in good sets of 8 to 2,000 ${name} scores`, () => {
      for (const [count, rounds] of [
        [8, 800],
        [20, 800],
        [200, 400],
        [2000, 100],
      ]) {
        const { sets } = falseAlarms(draw, count, rounds);
        // The stated 10 %, with four standard deviations of the count.
        assert.ok(sets <= 0.1 + 4 * Math.sqrt(0.09 / rounds), `${count} scores: ${sets}`);
      }
    });
  }

  it('are few even in good sets with heavy tails', () => {
    for (const [count, rounds] of [
      [8, 800],
      [200, 400],
      [2000, 100],
    ]) {
      const { pictures } = falseAlarms(() => Math.exp(0.5 * normal()), count, rounds);
      assert.ok(pictures < 0.5, `${count} scores: ${pictures}`);
    }
  });

  it('are the defective ones among 1 to 5 % when these score three times as high, and few others', () => {
    for (const [count, defects] of [
      [100, 1],
      [100, 5],
      [200, 2],
      [1000, 50],
    ]) {
      let [hits, others] = [0, 0];
      const rounds = 100;
      for (let round = 0; round < rounds; round += 1) {
        const scores = Array.from({ length: count }, (_, place) => (place < defects ? 3 * gumbel() : gumbel()));
        const found = suspects(scores);
        hits += found.filter((place) => place < defects).length;
        others += found.filter((place) => place >= defects).length;
      }
      assert.ok(hits >= 0.9 * rounds * defects, `${count} scores: ${hits} of ${rounds * defects}`);
      assert.ok(others <= 0.15 * hits, `${count} scores: ${others} good ones`);
    }
  });

  it('come with the highest score first, whatever the unit of the scores', () => {
    const scores = [1, 1.1, 0.9, 12, 1.05, 0.95, 1.02, 0.98, 15, 1.01, 1.03, 0.97, 1.08, 0.93, 1.04, 1.06];
    assert.deepEqual(suspects(scores), [8, 3]);
    assert.deepEqual(suspects(scores.map((score) => score / 1000)), [8, 3]);
  });

  it('are none among scores that are all alike, or fewer than eight', () => {
    assert.deepEqual(suspects(new Array<number>(40).fill(1)), []);
    assert.deepEqual(suspects(new Array<number>(40).fill(0)), []);
    assert.deepEqual(suspects([...new Array<number>(39).fill(1), 1.001]), []);
    assert.deepEqual(suspects([1, 1, 1, 1, 1, 1, 99]), []);
  });
});
