import assert from 'node:assert/strict';
import { seededRandom } from '../../../engine/domain';
import { Candidates } from '../../../engine/patchcore/candidates';
import {
  type BankPlan,
  type FoldCoresets,
  finalBanks,
  foldCoresets,
  heldOutScores,
} from '../../../engine/patchcore/cross-validation';
import type { ViewPatches } from '../../../engine/patchcore/patch-set';
import { drawPatches, rowOf } from './patches';
import { plainMap, plainNearest } from './plain-patchcore';

const PLAN: BankPlan = {
  sections: 1,
  columns: 6,
  size: 1000,
  position: null,
  spacing: false,
  scoring: { method: 'max' },
  sigma: 2,
  stride: 8,
  threads: 1,
  seed: 3,
};
const ALONE: ReadonlyMap<number, number> = new Map();
const ignore = () => undefined;

async function candidatesOf(pictures: readonly (readonly ViewPatches[])[], sections = 1): Promise<Candidates> {
  const candidates = new Candidates(pictures.length, sections, seededRandom(1), 1);
  for (const [picture, views] of pictures.entries()) await candidates.add(picture, views);
  return candidates;
}

/** Distance of each patch of a view to the nearest of all patches of other views. */
function plainDistances(view: ViewPatches, others: readonly ViewPatches[]): number[] {
  return Array.from({ length: view.patches.rows }, (_, patch) =>
    Math.min(...others.map(({ patches }) => plainNearest(rowOf(view.patches, patch), patches).distance)),
  );
}

describe('Held-out scores', () => {
  const pictures = Array.from({ length: 12 }, (_, picture) => drawPatches(seededRandom(picture + 1)));
  let candidates: Candidates;
  let dealt: FoldCoresets;
  before(async () => {
    candidates = await candidatesOf(pictures.map((view) => [view]));
    dealt = await foldCoresets(candidates, ALONE, PLAN, ignore);
  });

  const outside = (picture: number, without: readonly number[] = []) =>
    pictures.filter((_, other) => dealt.foldOf.get(other) !== dealt.foldOf.get(picture) && !without.includes(other));

  it('come from a bank of the other folds: as computed plainly from their patches', async () => {
    const scores = await heldOutScores(candidates, dealt, new Set(), PLAN, ignore);
    assert.deepEqual(
      scores.map(({ picture }) => picture).sort((a, b) => a - b),
      [...pictures.keys()],
    );
    for (const { picture, score, peak } of scores) {
      const distances = plainDistances(pictures[picture], outside(picture));
      assertNear(score, Math.max(...distances));
      const grid = Array.from({ length: 4 }, (_, row) => distances.slice(5 * row, 5 * row + 5));
      assertNear(peak, Math.max(...plainMap(grid, 8, 2).flat()));
    }
  });

  it('take some map pixels where patches count, as many as every 37th', async () => {
    const [{ pixels, peak }] = await heldOutScores(candidates, dealt, new Set(), PLAN, ignore);
    assert.ok(Math.abs(pixels.length - (4 * 8 * 5 * 8) / 37) <= 1);
    assert.ok(pixels.every((value) => value > 0 && value <= peak));
  });

  it('come from banks without the pictures that are left out', async () => {
    const without = [...pictures.keys()].filter((picture) => picture % 4 === 0);
    const scores = await heldOutScores(candidates, dealt, new Set(without), PLAN, ignore);
    for (const { picture, score } of scores) {
      assertNear(score, Math.max(...plainDistances(pictures[picture], outside(picture, without))));
    }
    const [bank] = await finalBanks(dealt, new Set(without), PLAN);
    assert.deepEqual(
      [...new Set(bank?.origins.map(({ picture }) => picture))].sort((a, b) => a - b),
      [1, 2, 3, 5, 6, 7, 9, 10, 11],
    );
    assert.equal(bank?.patches.rows, 9 * 20);
  });

  it('deal five folds of about equal size, and leave one out where there are fewer than ten pictures', async () => {
    const sizes = async (count: number) => {
      const { folds, foldOf } = await foldCoresets(
        await candidatesOf(pictures.slice(0, count).map((view) => [view])),
        ALONE,
        PLAN,
        ignore,
      );
      return Array.from({ length: folds }, (_, fold) => [...foldOf.values()].filter((own) => own === fold).length);
    };
    assert.deepEqual(await sizes(12), [3, 3, 2, 2, 2]);
    assert.deepEqual(await sizes(10), [2, 2, 2, 2, 2]);
    assert.deepEqual(await sizes(9), new Array(9).fill(1));
    assert.deepEqual(await sizes(2), [1, 1]);
  });

  it('do not know near-duplicates of the picture either', async () => {
    // pictures 3 and 8 show one part, 8 with a little noise
    const random = seededRandom(77);
    const twins = pictures.with(8, {
      ...pictures[3],
      patches: { ...pictures[3].patches, data: pictures[3].patches.data.map((value) => value + 0.001 * random()) },
    });
    const own = await candidatesOf(twins.map((view) => [view]));
    const grouped = await foldCoresets(
      own,
      new Map([...pictures.keys()].map((p) => [p, p === 8 ? 3 : p])),
      PLAN,
      ignore,
    );
    assert.equal(grouped.foldOf.get(8), grouped.foldOf.get(3));
    const apart = await foldCoresets(own, ALONE, { ...PLAN, seed: 5 }, ignore);
    assert.notEqual(apart.foldOf.get(8), apart.foldOf.get(3));
    const scoreOf = async (folds: FoldCoresets) =>
      (await heldOutScores(own, folds, new Set(), PLAN, ignore)).find(({ picture }) => picture === 8)!.score;
    assert.ok((await scoreOf(grouped)) > 0.3, 'held out with its twin');
    // were the twin in the bank, the score would be next to nothing
    assert.ok((await scoreOf(apart)) < 0.01);
  });

  it('compare each tile with its own bank; where nothing counts there is none', async () => {
    const random = seededRandom(4);
    const none = new Array<number>(20).fill(0);
    // the same patches lie in another tile of every second picture: only the bank of their own tile counts
    const tiled = Array.from({ length: 10 }, () => [
      drawPatches(random, { tile: 0, section: 0 }),
      drawPatches(random, { tile: 1, section: 1, offset: 10 }),
      drawPatches(random, { tile: 2, section: 2, counts: none }),
    ]);
    const swapped = tiled.map((views, picture) =>
      picture === 9 ? [{ ...views[1], tile: 0, section: 0 }, views[1], views[2]] : views,
    );
    const own = await candidatesOf(swapped, 3);
    const plan = { ...PLAN, sections: 3 };
    const folds = await foldCoresets(own, ALONE, plan, ignore);
    const banks = await finalBanks(folds, new Set(), plan);
    assert.deepEqual(
      banks.map((bank) => bank?.patches.rows ?? null),
      [200, 200, null],
    );
    const scores = await heldOutScores(own, folds, new Set(), plan, ignore);
    for (const { picture, score } of scores) {
      if (picture === 9) assert.ok(score > 10, `${score}: its first tile belongs elsewhere`);
      else assert.ok(score < 1.5, `${score}`);
    }
  });

  it('are stopped by the signal', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(heldOutScores(candidates, dealt, new Set(), { ...PLAN, signal }, ignore), /enough/);
  });

  it('are the same with the same seed, and with another the pictures are dealt otherwise', async () => {
    const again = await foldCoresets(candidates, ALONE, PLAN, ignore);
    assert.deepEqual(again.foldOf, dealt.foldOf);
    const other = await foldCoresets(candidates, ALONE, { ...PLAN, seed: 4 }, ignore);
    assert.notDeepEqual(other.foldOf, dealt.foldOf);
  });
});

function assertNear(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-3, `${actual} is not ${expected}`);
}
