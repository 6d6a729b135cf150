import assert from 'node:assert/strict';
import { AdamW, learningRateAt, type ParameterTensor, WeightAverage } from '../../../../engine/learning/trainer';

function parameter(dims: readonly number[], data: readonly number[], gradient: readonly number[]): ParameterTensor {
  return { name: 'w', dims, data: Float32Array.from(data), gradient: Float32Array.from(gradient) };
}

function close(actual: ArrayLike<number>, expected: readonly number[]): void {
  for (const [place, value] of expected.entries()) {
    assert.ok(Math.abs(actual[place] - value) < 1e-6, `${Array.from(actual)} instead of ${expected}`);
  }
}

describe('AdamW', () => {
  it('moves weights as computed by hand', () => {
    const weight = parameter([1, 2], [1, -2], [0.5, -0.1]);
    const optimiser = new AdamW([weight], { weightDecay: 0.1, epsilon: 0 });
    // First step: mean / sqrt(square) of a single gradient is its sign. 1 * (1 - 0.001) - 0.01, -2 * 0.999 + 0.01.
    optimiser.step(0.01);
    close(weight.data, [0.989, -1.988]);
    assert.deepEqual([...weight.gradient], [0, 0]);
    // Second step with the gradients 0.1 and -0.1. For the first weight:
    // mean (0.9 * 0.05 + 0.1 * 0.1) / (1 - 0.81) = 0.289473684
    // square (0.999 * 0.00025 + 0.001 * 0.01) / (1 - 0.998001) = 0.129939970, its root 0.360471871
    // 0.989 * 0.999 - 0.01 * 0.803040989 = 0.979980590. For the second both are those of one gradient: -1.988 * 0.999 + 0.01.
    weight.gradient.set([0.1, -0.1]);
    optimiser.step(0.01);
    close(weight.data, [0.97998059, -1.976012]);
  });

  it('does not shrink biases', () => {
    const bias = parameter([2], [1, 2], [0, 0]);
    new AdamW([bias], { weightDecay: 0.5 }).step(0.1);
    close(bias.data, [1, 2]);
  });

  it('clips all gradients together by their length', () => {
    const [first, second] = [parameter([1], [0], [3]), parameter([1], [0], [4])];
    const optimiser = new AdamW([first, second], { clipNorm: 1 });
    assert.equal(optimiser.step(0.1), 5);
    // A tenth of the gradient scaled to length 1: 0.1 * 3 / 5 and 0.1 * 4 / 5.
    close(optimiser.state().means[0], [0.06]);
    close(optimiser.state().means[1], [0.08]);
  });

  it('goes on from a state as if it had never stopped', () => {
    const gradients = [0.3, -0.7, 0.2, 0.5];
    const whole = parameter([1], [1], [0]);
    const optimiser = new AdamW([whole]);
    const resumed = parameter([1], [1], [0]);
    const first = new AdamW([resumed]);
    const second = new AdamW([resumed]);
    for (const [step, gradient] of gradients.entries()) {
      whole.gradient[0] = gradient;
      optimiser.step(0.1);
      resumed.gradient[0] = gradient;
      if (step === 2) second.restore(structuredClone(first.state()));
      (step < 2 ? first : second).step(0.1);
    }
    assert.equal(resumed.data[0], whole.data[0]);
    assert.throws(() => second.restore({ steps: 1, means: [], squares: [] }), RangeError);
  });
});

describe('The learning rate', () => {
  const at = (step: number) => learningRateAt({ step, steps: 103, warmUp: 2, peak: 0.3, floor: 0.1 });

  it('rises in a line, then falls along half a cosine to the floor', () => {
    close([at(0), at(1), at(2), at(52), at(102)], [0.1, 0.2, 0.3, 0.2, 0.1]);
  });

  it('stays at the floor after the last step', () => assert.equal(at(500), 0.1));
});

describe('The average of the weights', () => {
  it('follows fast at first and slowly later', () => {
    const value = { name: 'w', data: Float32Array.of(0) };
    const average = new WeightAverage([value], { decay: 0.9, ramp: 2 });
    value.data[0] = 1;
    average.update();
    // Kept share 0.9 * (1 - exp(-1/2)) = 0.354122406, then 0.9 * (1 - exp(-1)) = 0.568908503.
    close(average.weights.get('w') ?? [], [1 - 0.354122406]);
    average.update();
    close(average.weights.get('w') ?? [], [1 - 0.354122406 * 0.568908503]);
  });
});
