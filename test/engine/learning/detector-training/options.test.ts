import assert from 'node:assert/strict';
import { InvalidInput } from '../../../../engine/domain';
import { settingsFor } from '../../../../engine/learning/detector-training/options';

describe('Settings of a fine-tuning', () => {
  it('train the neck with windows of 320 px where nothing is wished', () => {
    const { level, inputSize, seed } = settingsFor({}, 100, 640);
    assert.deepEqual({ level, inputSize, seed }, { level: 'neck', inputSize: 320, seed: 1 });
    assert.equal(settingsFor({}, 100, 256).inputSize, 256);
  });

  it('show few pictures in more epochs than many', () => {
    assert.ok(settingsFor({}, 30, 640).epochs > settingsFor({}, 120, 640).epochs);
    assert.ok(settingsFor({}, 1_000_000, 640).epochs >= 20);
    assert.ok(settingsFor({}, 1, 640).epochs <= 1000);
  });

  it('are refused out of range', () => {
    for (const wish of [{ epochs: 0 }, { inputSize: 300 }, { batch: 65 }, { learningRate: 0 }, { augmentation: 2 }]) {
      assert.throws(() => settingsFor(wish, 10, 640), InvalidInput, JSON.stringify(wish));
    }
  });
});
