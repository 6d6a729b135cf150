import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot, seededRandom } from '../../../../engine/domain';
import { balancedWeights, stratifiedFolds } from '../../../../engine/learning/classifier-training/class-weights';
import {
  type FeatureRows,
  LogisticRegression,
  logitsOf,
  scaled,
  scalingOf,
  unscaled,
} from '../../../../engine/learning/classifier-training/logistic-regression';
import {
  crossEntropy,
  fitTemperature,
  namedClasses,
} from '../../../../engine/learning/classifier-training/temperature';
import { learningRateAt } from '../../../../engine/learning/trainer';
import { assertClose } from '../../../support/reference-values';

interface Problem {
  readonly rows: number;
  readonly columns: number;
  readonly classes: number;
  readonly penalty: number;
  readonly features: readonly number[];
  readonly labels: readonly number[];
  readonly classWeights: readonly number[];
  readonly weights: readonly number[];
  readonly bias: readonly number[];
  readonly loss: number;
}

interface Calibration {
  readonly classes: number;
  readonly logits: readonly number[];
  readonly labels: readonly number[];
  readonly weights: readonly number[];
  readonly temperature: number;
  readonly crossEntropy: number;
}

/** Made by test/fixtures/classifier/make_reference.py with numpy: Newton's method, and bisection of the derivative. */
function fixture<Values>(name: string): readonly Values[] {
  return JSON.parse(readFileSync(join(packageRoot, 'test', 'fixtures', 'classifier', `${name}.json`), 'utf8'));
}

describe('logistic regression', () => {
  it("ends at the minimum that Newton's method finds", () => {
    for (const problem of fixture<Problem>('logistic')) {
      const features = rowsOf(problem);
      const regression = new LogisticRegression({ ...problem, features });
      const steps = 3000;
      let loss = 0;
      for (let step = 0; step < steps; step += 1) {
        loss = regression.step(learningRateAt({ step, steps, warmUp: 10, peak: 0.05, floor: 1e-6 }));
      }
      const { weights, bias } = regression.layer;
      assertClose(weights, problem.weights, 'weights');
      // only differences between biases count
      assertClose(centred(bias), centred(problem.bias), 'bias');
      assert.ok(Math.abs(loss - problem.loss) < 1e-6, `${loss} ${problem.loss}`);
    }
  });

  it('starts with the loss of naming by chance, and goes down', () => {
    const [, problem] = fixture<Problem>('logistic');
    const regression = new LogisticRegression({ ...problem, features: rowsOf(problem) });
    const losses = Array.from({ length: 20 }, () => regression.step(0.02));
    assert.ok(Math.abs(losses[0] - Math.log(3)) < 1e-12);
    assert.ok(losses.every((loss, step) => step === 0 || loss < losses[step - 1]));
  });

  it('gives the same logits for features as they are, once the scaling is drawn into the layer', () => {
    const features = rowsOf(fixture<Problem>('logistic')[2]);
    const scaling = scalingOf(features);
    const layer = {
      weights: Float64Array.from({ length: 2 * features.columns }, (_, at) => Math.sin(at)),
      bias: Float64Array.of(0.5, -2),
    };
    assertClose(logitsOf(unscaled(layer, scaling), features), logitsOf(layer, scaled(features, scaling)), 'logits');
  });

  it('leaves a feature that never changes at its scale', () => {
    const features = { data: Float32Array.of(7, 1, 7, 3), rows: 2, columns: 2 };
    assert.deepEqual(scalingOf(features), { mean: Float64Array.of(7, 2), deviation: Float64Array.of(1, 1) });
  });
});

describe('the temperature of probabilities', () => {
  it('is the one with the smallest cross entropy', () => {
    for (const { logits, labels, classes, weights, ...expected } of fixture<Calibration>('temperature')) {
      const temperature = fitTemperature(logits, labels, classes, weights);
      assert.ok(Math.abs(temperature / expected.temperature - 1) < 1e-4, `${temperature} ${expected.temperature}`);
      const loss = crossEntropy(logits, labels, classes, weights, temperature);
      assert.ok(Math.abs(loss - expected.crossEntropy) < 1e-8);
    }
  });

  it('stays finite where every picture is named rightly, or none', () => {
    assert.ok(Math.abs(fitTemperature([9, 0, 0, 9], [0, 1], 2, [1, 1]) - 0.05) < 1e-3);
    assert.ok(Math.abs(fitTemperature([0, 9, 9, 0], [0, 1], 2, [1, 1]) - 20) < 1e-3);
  });

  it('changes no name', () => {
    assert.deepEqual([...namedClasses([0.1, 0.2, 3, -1, 5, 5], 2)], [1, 0, 0]);
  });
});

describe('pictures dealt to folds', () => {
  const labels = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2];

  it('have about as many of each class in every fold', () => {
    const folds = stratifiedFolds(labels, 2, seededRandom(1));
    for (const fold of [0, 1]) {
      const counts = [0, 1, 2].map((label) => labels.filter((own, at) => own === label && folds[at] === fold).length);
      assert.deepEqual(counts, [3, 2, 1]);
    }
  });

  it('are dealt the same with the same seed', () => {
    const deal = (seed: number) => [...stratifiedFolds(labels, 5, seededRandom(seed))];
    assert.deepEqual(deal(3), deal(3));
    assert.notDeepEqual(deal(3), deal(4));
  });

  it('count alike by class with balanced weights', () => {
    // 6, 4 and 2 of 12: 12 / (3 * 6), 12 / (3 * 4), 12 / (3 * 2); a fourth class has none
    assertClose(balancedWeights(labels, 3), [2 / 3, 1, 2], 'weights');
    assert.equal(balancedWeights(labels, 4)[3], 0);
  });
});

function rowsOf({ features, rows, columns }: Problem): FeatureRows {
  return { data: Float32Array.from(features), rows, columns };
}

function centred(values: ArrayLike<number>): number[] {
  const list = Array.from(values);
  const mean = list.reduce((sum, value) => sum + value, 0) / list.length;
  return list.map((value) => value - mean);
}
