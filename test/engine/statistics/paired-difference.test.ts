import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot, seededRandom } from '../../../engine/domain';
import {
  foundBoxes,
  type JudgedPicture,
  type PairedDifference,
  pairedAuroc,
  pairedMap50,
  pairedShares,
} from '../../../engine/statistics';
import { assertClose } from '../../support/reference-values';

type Expected = Record<'before' | 'after' | 'low' | 'high', number>;
type Shares = Record<'before' | 'after' | 'totals', number[]> & { seed: number; resamples: number; expected: Expected };
type Scores = Record<'before' | 'after', number[]>;
interface Found {
  confidence: number[];
  picture: number[];
  hit: number[];
}
interface Cases {
  shares: Shares;
  boxes: Shares;
  auroc: { good: Scores; defective: Scores; seed: number; resamples: number; expected: Expected };
  map50: { before: Found; after: Found; counts: number[]; seed: number; resamples: number; expected: Expected };
}

/** Expected values: numpy (test/fixtures/paired-difference/make_paired_difference.py). */
const cases = JSON.parse(
  readFileSync(join(packageRoot, 'test', 'fixtures', 'paired-difference', 'cases.json'), 'utf8'),
) as Cases;

const BOX = { x: 0, y: 0, width: 10, height: 10 };
/** The k-th place of a picture; places do not overlap. */
const at = (place: number) => ({ ...BOX, x: 20 * place });

/** Pictures with true boxes at places 0, 1, ...; hits take them in their order, and what misses lies elsewhere. */
function picturesOf(counts: readonly number[], { confidence, picture, hit }: Found): JudgedPicture[] {
  return counts.map((count, index) => {
    let taken = 0;
    return {
      truth: Array.from({ length: count }, (_, place) => ({ label: 'dent', box: at(place) })),
      detections: confidence.flatMap((value, number) => {
        if (picture[number] !== index) return [];
        const place = hit[number] === 1 ? taken++ : 50 + number;
        return [{ label: 'dent', confidence: value, box: at(place) }];
      }),
    };
  });
}

function assertSame(actual: PairedDifference, { before, after, low, high }: Expected, what: string): void {
  const expected = [before, after, after - before, low, high];
  assertClose([actual.before, actual.after, actual.difference, actual.low, actual.high], expected, what);
}

describe('The difference of two models on the same pictures', () => {
  it('equals that of a second implementation, with its interval', () => {
    for (const [name, { before, after, totals, seed, resamples, expected }] of [
      ['shares', cases.shares],
      ['boxes', cases.boxes],
    ] as const) {
      assertSame(pairedShares({ before, after }, totals, { seed, resamples }), expected, name);
    }
    const { good, defective, seed, resamples, expected } = cases.auroc;
    assertSame(pairedAuroc(good, defective, { seed, resamples }), expected, 'auroc');
    const map50 = cases.map50;
    const pictures = {
      before: picturesOf(map50.counts, map50.before),
      after: picturesOf(map50.counts, map50.after),
    };
    assertSame(pairedMap50(pictures, ['dent', 'scratch'], map50), map50.expected, 'map50');
  });

  it('covers the true difference about as often as it says', () => {
    const random = seededRandom(11);
    const rounds = 300;
    let covered = 0;
    for (let round = 0; round < rounds; round += 1) {
      // each picture is hard or easy for both models: right with 0.9 or 0.5 before, with 0.95 or 0.6 after
      const hard = Array.from({ length: 120 }, () => random() < 0.5);
      const before = hard.map((isHard) => Number(random() < (isHard ? 0.5 : 0.9)));
      const after = hard.map((isHard) => Number(random() < (isHard ? 0.6 : 0.95)));
      const { low, high } = pairedShares({ before, after }, new Float64Array(120).fill(1), {
        seed: round,
        resamples: 200,
      });
      if (low <= 0.075 && 0.075 <= high) covered += 1;
    }
    // 0.95, less what 200 samples lack and four standard deviations
    assert.ok(covered / rounds > 0.88 && covered / rounds <= 1, `${covered} of ${rounds}`);
  });

  it('is nothing at all between models that say the same, however few the pictures', () => {
    const same = [1, 0, 1];
    const expected = { before: 2 / 3, after: 2 / 3, difference: 0, low: 0, high: 0 };
    assert.deepEqual(pairedShares({ before: same, after: same }, [1, 1, 1], { seed: 1 }), expected);
  });

  it('is no number without pictures, and refuses lists of different pictures', () => {
    assert.ok(Number.isNaN(pairedShares({ before: [], after: [] }, [], { seed: 1 }).after));
    assert.ok(Number.isNaN(pairedShares({ before: [0], after: [0] }, [0], { seed: 1 }).low));
    assert.ok(Number.isNaN(pairedAuroc({ before: [], after: [] }, { before: [1], after: [1] }, { seed: 1 }).high));
    assert.ok(Number.isNaN(pairedMap50({ before: [], after: [] }, ['dent'], { seed: 1 }).before));
    assert.throws(() => pairedShares({ before: [1], after: [1, 0] }, [1, 1], { seed: 1 }), RangeError);
    assert.throws(() => pairedShares({ before: [1], after: [1] }, [1], { seed: 1, resamples: 1 }), RangeError);
  });
});

describe('The true boxes a detector finds', () => {
  it('are counted by picture, from a confidence on', () => {
    const { counts, after } = cases.map50;
    const pictures = picturesOf(counts, after);
    // by hand: hits are 0.95 in picture 0, 0.85 and 0.3 in picture 2
    assert.deepEqual([...foundBoxes(pictures, 'dent', 0.25).found], [1, 0, 2, 0]);
    assert.deepEqual([...foundBoxes(pictures, 'dent', 0.5).found], [1, 0, 1, 0]);
    assert.deepEqual([...foundBoxes(pictures, 'dent', 0.25).counts], counts);
    assert.deepEqual([...foundBoxes(pictures, 'scratch', 0).counts], [0, 0, 0, 0]);
  });
});
