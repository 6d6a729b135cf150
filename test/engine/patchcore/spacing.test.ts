import assert from 'node:assert/strict';
import { bankSpacing } from '../../../engine/patchcore/spacing';

describe('Spacing of a bank', () => {
  it('is the mean distance to the nine nearest rows, the row itself not counted', async () => {
    // Twelve points on a line, at 0, 1, 2, ... 11.
    const data = Float32Array.from({ length: 24 }, (_, place) => (place % 2 === 0 ? place / 2 : 5));
    const spacing = await bankSpacing({ data, rows: 12, columns: 2 }, 1);
    assert.equal(Math.round(spacing[0] * 1000), Math.round((1000 * 45) / 9));
    // At 5: 1, 1, 2, 2, 3, 3, 4, 4, 5.
    assert.equal(Math.round(spacing[5] * 1000), Math.round((1000 * 25) / 9));
  });

  it('is never zero, also where all rows are the same, or there is one', async () => {
    const same = await bankSpacing({ data: new Float32Array(12).fill(3), rows: 4, columns: 3 }, 1);
    assert.ok(same.every((value) => value > 0));
    assert.deepEqual([...(await bankSpacing({ data: new Float32Array(3), rows: 1, columns: 3 }, 1))], [1]);
  });
});
