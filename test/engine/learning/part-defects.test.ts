import assert from 'node:assert/strict';
import { partDefects } from '../../../engine/learning/part-defects';

const defects = (split: 'train' | 'val', count: number) =>
  Array.from({ length: count }, (_, place) => ({ id: `${split} ${place}`, label: 'NG' as const, split }));
const good = { id: 'good', label: 'OK', split: 'val' } as const;

describe('Pictures labelled NG', () => {
  it('judge when they are held out, and set the accept level when they are not', () => {
    const { levels, judges, same } = partDefects([good, ...defects('val', 10), ...defects('train', 20)]);
    assert.deepEqual([levels.length, judges.length, same], [20, 10, false]);
    assert.ok(levels.every(({ split }) => split === 'train') && judges.every(({ split }) => split === 'val'));
  });

  it('do both when fewer than ten are held out, or none is not', () => {
    for (const pictures of [
      [good, ...defects('val', 9), ...defects('train', 20)],
      [...defects('val', 19), good],
    ]) {
      const { levels, judges, same } = partDefects(pictures);
      assert.ok(same);
      assert.deepEqual(levels, judges);
      assert.equal(levels.length, pictures.length - 1);
    }
  });

  it('are none where nobody labelled any', () => {
    assert.deepEqual(partDefects([good]), { levels: [], judges: [], same: true });
  });
});
