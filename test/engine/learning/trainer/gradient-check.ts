import assert from 'node:assert/strict';
import { seededRandom } from '../../../../engine/domain';
import { type Tensor, TrainingSession } from '../../../../engine/learning/trainer';
import type { OnnxModel } from '../../../../engine/onnx';

/** Numbers in -1..1 that lie at least `apart` from each other when told so, so that a step of finite differences ties none. */
export function numbers(count: number, seed: number, apart = 0): Float32Array {
  const random = seededRandom(seed);
  if (apart === 0) return Float32Array.from({ length: count }, () => random() * 2 - 1);
  const order = Array.from({ length: count }, (_, place) => ({ place, key: random() })).sort((a, b) => a.key - b.key);
  return Float32Array.from(order, ({ place }) => (place - count / 2 + 0.3) * apart);
}

interface Check {
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly outputs?: readonly string[];
  readonly feeds?: Readonly<Record<string, Float32Array>>;
  /** Names of trained weights; all by default. */
  readonly trained?: readonly string[];
  readonly step?: number;
  readonly tolerance?: number;
  /** How many numbers of each weight are tried. */
  readonly tries?: number;
  /** Moves each weight as a whole, up or down at random, for networks in which a single number's part is lost in rounding. */
  readonly whole?: boolean;
}

/**
 * Holds a model's gradients against central finite differences of a loss that weighs every output number at random. Weights
 * stand for any value: a test that wants the gradient of an operator's input makes that input a weight.
 */
export async function checkGradients(model: OnnxModel, check: Check): Promise<void> {
  const { inputs, outputs = ['y'], trained, step = 0.01, tolerance = 0.01, tries = 40 } = check;
  const session = await TrainingSession.open(model, {
    inputs,
    outputs,
    trainable: (name) => trained?.includes(name) ?? true,
    threads: 1,
  });
  try {
    const feeds = Object.fromEntries(
      Object.entries(inputs).map(([name, dims], place) => {
        const count = dims.reduce((size, dim) => size * dim, 1);
        return [name, { data: check.feeds?.[name] ?? numbers(count, 100 + place), dims }];
      }),
    );
    const first = await session.forward(feeds);
    const factors: Record<string, Tensor> = Object.fromEntries(
      outputs.map((name, place) => [
        name,
        { data: numbers(first[name].data.length, 7 + place), dims: first[name].dims },
      ]),
    );
    await session.backward(factors);
    const loss = async () => {
      const results = await session.forward(feeds);
      let sum = 0;
      for (const name of outputs)
        results[name].data.forEach((value, place) => {
          sum += value * factors[name].data[place];
        });
      return sum;
    };
    assert.ok(session.parameters.length > 0, 'nothing is trained');
    for (const { name, data, gradient } of session.parameters) {
      const before = data.slice();
      const slope = async (direction: Float32Array) => {
        data.set(before.map((value, place) => value + step * direction[place]));
        const above = await loss();
        data.set(before.map((value, place) => value - step * direction[place]));
        const below = await loss();
        data.set(before);
        return (above - below) / (2 * step);
      };
      const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      if (check.whole) {
        // Up where the gradient points up, so that what each number adds does not cancel; but for one in three.
        const direction = gradient.map((value, place) => (place % 3 === 1 ? -1 : 1) * Math.sign(value));
        const expected = await slope(direction);
        const own = gradient.reduce((sum, value, place) => sum + value * direction[place], 0);
        assert.ok(
          Math.abs(own - expected) <= tolerance * Math.abs(own),
          `${name}: ${own}, finite differences ${expected}`,
        );
        continue;
      }
      const stride = Math.max(1, Math.floor(data.length / tries));
      for (let place = 0; place < data.length; place += stride) {
        const expected = await slope(data.map((_, other) => (other === place ? 1 : 0)));
        const error = Math.abs(gradient[place] - expected);
        assert.ok(
          error <= tolerance * largest,
          `${name}[${place}]: gradient ${gradient[place]}, finite differences ${expected}`,
        );
      }
    }
  } finally {
    await session.close();
  }
}
