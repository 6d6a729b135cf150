import assert from 'node:assert/strict';
import type { Box } from '../../../../engine/domain';
import { matchBoxes } from '../../../../engine/patchcore';

const box = (x: number, y: number, width: number, height: number): Box => ({ x, y, width, height });
const region = (...sides: [number, number, number, number]) => ({ box: box(...sides), area: 1, peak: 1 });

describe('matching regions with annotated boxes', () => {
  const annotated = [box(100, 100, 40, 40)];
  const cases: [string, ReturnType<typeof region>, boolean, number][] = [
    ['a small region in the box finds it', region(118, 118, 4, 4), true, 0],
    ['a region with its middle on the border of the box finds it', region(135, 110, 10, 10), true, 0],
    ['a region beside the box that overlaps by a tenth of both finds it', region(132, 100, 40, 40), true, 0],
    ['a region that only touches the box neither finds it nor is false', region(138, 138, 40, 40), false, 0],
    ['a region that covers half the picture finds nothing', region(0, 0, 400, 90 + 11), false, 0],
    ['a region that borders on the box without common area is false', region(140, 100, 10, 10), false, 1],
    ['a region elsewhere is false', region(10, 10, 10, 10), false, 1],
  ];
  for (const [what, found, isFound, falses] of cases) {
    it(what, () => {
      const match = matchBoxes([found], annotated);
      assert.deepEqual([match.found, match.falseRegions.length], [[isFound], falses]);
    });
  }

  it('counts each box and each false region once', () => {
    const regions = [region(110, 110, 5, 5), region(120, 120, 5, 5), region(1, 1, 5, 5), region(300, 300, 5, 5)];
    const match = matchBoxes(regions, [...annotated, box(200, 200, 9, 9)]);
    assert.deepEqual([match.found, match.falseRegions.length], [[true, false], 2]);
    assert.deepEqual(matchBoxes([], []), { found: [], falseRegions: [] });
  });
});
