import assert from 'node:assert/strict';
import { seededRandom } from '../../../engine/domain';
import { greedyCoreset } from '../../../engine/patchcore';
import { Candidates } from '../../../engine/patchcore/candidates';
import type { PatchSet } from '../../../engine/patchcore/patch-set';
import { drawPatches, rowOf } from './patches';

const ROWS = 20;
const DIMENSIONS = 6;
/** Of one picture of 4 x 5 patches. */
const BYTES = ROWS * DIMENSIONS * 4;
const UNLIMITED = { candidateBytes: 1e9, retainedBytes: 1e9 };

describe('Candidates for the bank', () => {
  const pictures = Array.from({ length: 12 }, (_, picture) => drawPatches(seededRandom(picture + 1)));

  async function added(limits: typeof UNLIMITED, count = pictures.length): Promise<Candidates> {
    const candidates = new Candidates(count, 1, seededRandom(5), 1, limits);
    for (const [picture, view] of pictures.slice(0, count).entries()) await candidates.add(picture, [view]);
    return candidates;
  }

  const sizes = (candidates: Candidates) =>
    [...candidates.all.values()].map(({ sections }) => sections[0].patches.rows);

  it('are all patches of all pictures as long as there is memory', async () => {
    const candidates = await added(UNLIMITED);
    for (const [picture, { sections, views }] of candidates.all) {
      assert.deepEqual(sections[0].patches, pictures[picture].patches);
      assert.deepEqual(
        sections[0].origins,
        Array.from({ length: ROWS }, (_, patch) => ({ picture, tile: 0, patch })),
      );
      assert.deepEqual(views, [pictures[picture]]);
    }
    const exact = await added({ ...UNLIMITED, candidateBytes: 12 * BYTES });
    assert.deepEqual(sizes(exact), new Array(12).fill(ROWS));
  });

  it('are a coreset of each picture beyond the limit, and never more than the limit', async () => {
    const candidateBytes = Math.floor(0.25 * 12 * BYTES);
    const candidates = await added({ ...UNLIMITED, candidateBytes });
    assert.deepEqual(sizes(candidates), new Array(12).fill(ROWS / 4));
    const held = sizes(candidates).reduce((sum, rows) => sum + rows * DIMENSIONS * 4, 0);
    assert.ok(held <= candidateBytes, `${held} of ${candidateBytes} bytes`);
    const random = seededRandom(5);
    for (const [picture, { sections }] of candidates.all) {
      const { indices } = await greedyCoreset(pictures[picture].patches, ROWS / 4, random);
      assert.deepEqual(
        sections[0].origins.map(({ patch }) => patch),
        [...indices],
      );
      assertRowsOf(sections[0], picture);
    }
  });

  it('are one patch a picture at least, however little memory there is', async () => {
    assert.deepEqual(sizes(await added({ ...UNLIMITED, candidateBytes: 1 })), new Array(12).fill(1));
  });

  it('keep whole pictures for scoring evenly, within the limit', async () => {
    const wholeOnes = async (share: number) => {
      const candidates = await added({ ...UNLIMITED, retainedBytes: share * 12 * BYTES });
      return [...candidates.all].filter(([, { views }]) => views !== null).map(([picture]) => picture);
    };
    assert.deepEqual(await wholeOnes(1), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    assert.deepEqual(await wholeOnes(0.5), [0, 2, 4, 6, 8, 10]);
    assert.deepEqual(await wholeOnes(0.3), [0, 4, 8]);
  });

  it('are only patches that count, for each tile its own where each has its bank', async () => {
    const counts = Array.from({ length: ROWS }, (_, patch) => (patch % 3 === 0 ? 1 : 0));
    const none = new Array<number>(ROWS).fill(0);
    const random = seededRandom(9);
    const views = [
      drawPatches(random, { tile: 0, section: 0, counts }),
      drawPatches(random, { tile: 1, section: 1, counts: none }),
      drawPatches(random, { tile: 2, section: 2 }),
    ];
    const candidates = new Candidates(1, 3, random, 1, UNLIMITED);
    await candidates.add(7, views);
    const { sections } = candidates.all.get(7)!;
    assert.deepEqual(
      sections.map(({ patches }) => patches.rows),
      [7, 0, 20],
    );
    assert.deepEqual(
      sections[0].origins,
      [0, 3, 6, 9, 12, 15, 18].map((patch) => ({ picture: 7, tile: 0, patch })),
    );
    assert.deepEqual(rowOf(sections[0].patches, 2), rowOf(views[0].patches, 6));
    assert.ok(sections[2].origins.every(({ tile }) => tile === 2));
  });

  it('take altered copies along, which are not scored', async () => {
    const random = seededRandom(3);
    const [view, copy] = [drawPatches(random), drawPatches(random, { offset: 5 })];
    const candidates = new Candidates(1, 1, random, 1, UNLIMITED);
    await candidates.add(0, [view], [copy]);
    const { sections, views } = candidates.all.get(0)!;
    assert.deepEqual(views, [view]);
    assert.equal(sections[0].patches.rows, 2 * ROWS);
    assert.ok(sections[0].origins.every(({ picture }) => picture === 0));
  });

  function assertRowsOf({ patches, origins }: PatchSet, picture: number): void {
    for (const [row, { patch }] of origins.entries()) {
      assert.deepEqual(rowOf(patches, row), rowOf(pictures[picture].patches, patch));
    }
  }
});
