import assert from 'node:assert/strict';
import { imageScore, neighboursFor, type Scoring, type ViewDistances } from '../../../engine/patchcore/scoring';

const SCORINGS: readonly Scoring[] = [
  { method: 'max' },
  { method: 'reweighted', neighbours: 9 },
  { method: 'top-mean', share: 0.1 },
];

/** As a head gives it: a patch that does not count has distance 0. */
function view(distances: readonly number[], counts: readonly number[] = distances.map(() => 1)): ViewDistances {
  return {
    distances: Float32Array.from(distances, (distance, patch) => distance * counts[patch]),
    counts: Float32Array.from(counts),
  };
}

describe('The score of a picture', () => {
  it('is 0 when no patch counts, and when there is no view, in every scoring', () => {
    for (const scoring of SCORINGS) {
      assert.equal(imageScore([], scoring), 0, scoring.method);
      assert.equal(imageScore([{ ...view([3, 4], [0, 0]), reweighted: 0 }], scoring), 0, scoring.method);
    }
  });

  it('is the plain distance where a head gives no re-weighted one', () => {
    assert.equal(imageScore([view([1, 4]), view([2, 3])], { method: 'reweighted', neighbours: 9 }), 4);
  });

  it('takes the re-weighted distance of the view with the worst patch, though another has a greater one', () => {
    const views = [
      { ...view([1, 6]), reweighted: 2 },
      { ...view([5, 5]), reweighted: 4.5 },
    ];
    assert.equal(imageScore(views, { method: 'reweighted', neighbours: 9 }), 2);
  });

  it('is not diluted by what the mask leaves out', () => {
    // 20 patches count: the top 10 % are the two of 8 and 6, whatever the mask leaves out besides
    const counted = [8, 6, ...new Array<number>(18).fill(1)];
    const scoring = { method: 'top-mean', share: 0.1 } as const;
    const padded = view(
      [...counted, ...new Array<number>(100).fill(50)],
      [...counted.map(() => 1), ...new Array<number>(100).fill(0)],
    );
    assert.equal(imageScore([view(counted)], scoring), 7);
    assert.equal(imageScore([padded], scoring), 7);
    assert.equal(imageScore([padded, view([9], [0])], scoring), 7);
  });

  it('ranks the patches of all views together', () => {
    const scoring = { method: 'top-mean', share: 0.2 } as const;
    assert.equal(imageScore([view([9, 8, 1, 1, 1]), view([2, 2, 2, 2, 2])], scoring), 8.5);
    assert.equal(imageScore([view([9, 8, 1, 1, 1])], scoring), 9);
  });

  it('asks a head for neighbours only where they are needed and there are some', () => {
    const scoring = { method: 'reweighted', neighbours: 9 } as const;
    assert.deepEqual(
      [1, 2, 5, 400].map((rows) => neighboursFor(scoring, rows)),
      [undefined, 2, 5, 9],
    );
    assert.equal(neighboursFor({ method: 'max' }, 400), undefined);
  });
});
