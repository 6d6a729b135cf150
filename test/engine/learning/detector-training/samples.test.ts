import assert from 'node:assert/strict';
import type { PictureStore } from '../../../../engine/learning/detector-training/picture-store';
import { type SampleGroup, turnsOf } from '../../../../engine/learning/detector-training/samples';

const group = (name: string, count: number): SampleGroup => ({
  name,
  store: undefined as unknown as PictureStore,
  pictures: Array.from({ length: count }, (_, index) => index),
  unlabelled: [],
});
const shown = (turns: ReturnType<typeof turnsOf>, name: string) =>
  turns.filter((turn) => turn.group.name === name).map(({ picture }) => picture);
const ascending = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);

describe('Order in which pictures are learnt', () => {
  it('shows each new picture once an epoch, in another order each time', () => {
    const first = turnsOf(group('new', 30), null, 1, 1);
    const second = turnsOf(group('new', 30), null, 1, 2);
    assert.deepEqual(ascending(shown(first, 'new')), group('new', 30).pictures);
    assert.notDeepEqual(shown(first, 'new'), shown(second, 'new'));
    assert.deepEqual(first, turnsOf(group('new', 30), null, 1, 1));
  });

  it('shows as many old pictures as new ones, and none twice before all were shown', () => {
    const many = shown(turnsOf(group('new', 10), group('old', 50), 1, 1), 'old');
    assert.equal(new Set(many).size, 10);
    assert.equal(many.length, 10);
    const few = shown(turnsOf(group('new', 10), group('old', 4), 1, 1), 'old');
    assert.equal(few.length, 10);
    for (const picture of [0, 1, 2, 3]) assert.ok(few.filter((one) => one === picture).length >= 2);
  });

  it('shows the old pictures mixed with the new ones', () => {
    const names = turnsOf(group('new', 20), group('old', 20), 1, 1).map(({ group: { name } }) => name);
    assert.ok(names.slice(0, 20).includes('old') && names.slice(20).includes('new'));
  });
});
