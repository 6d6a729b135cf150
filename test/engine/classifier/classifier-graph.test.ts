import assert from 'node:assert/strict';
import {
  ClassifierSession,
  FEATURES,
  featureNetwork,
  LOGITS,
  PROBABILITIES,
  withHead,
} from '../../../engine/classifier';
import { seededRandom } from '../../../engine/domain';
import { loadRuntime, sessionOptions } from '../../../engine/inference';
import {
  changed,
  metadataProps,
  type OnnxGraph,
  type OnnxModel,
  readModel,
  withOutputs,
  writeModel,
} from '../../../engine/onnx';
import { classifierOf } from '../../support/networks';

describe('the network of a classifier', () => {
  it('pools the mean and the deviation of each channel over the picture, as worked out plainly', async () => {
    const backbone = writeModel(classifierOf('residual', 'Relu', ['n', 3, 'height', 'width']).model);
    const { model } = featureNetwork(backbone, 'average-and-deviation');
    const maps = await featureMaps(model);
    const expected = maps.flatMap(({ values, channels }) => {
      const area = values.length / channels;
      const planes = Array.from({ length: channels }, (_, at) => [...values.subarray(at * area, (at + 1) * area)]);
      const means = planes.map((plane) => plane.reduce((sum, value) => sum + value, 0) / area);
      const deviations = planes.map((plane, at) =>
        Math.sqrt(plane.reduce((sum, value) => sum + (value - means[at]) ** 2, 0) / area),
      );
      return [...means, ...deviations];
    });
    const features = await outputOf(model, FEATURES);
    // strides 8, 16 and 32 have 8, 8 and 8 channels
    assert.equal(features.length, expected.length);
    features.forEach((value, at) => {
      assert.ok(Math.abs(value - expected[at]) < 2e-3, `${at}: ${value} ${expected[at]}`);
    });
  });

  it('takes the coarsest features only, where asked to', async () => {
    const backbone = writeModel(classifierOf('plain', 'HardSwish', [1, 3, 64, 64]).model);
    const all = await outputOf(featureNetwork(backbone, 'average').model, FEATURES);
    const deepest = await outputOf(featureNetwork(backbone, 'average', { deepest: true }).model, FEATURES);
    assert.deepEqual([...deepest], [...all.slice(-deepest.length)]);
    assert.ok(deepest.length < all.length);
  });

  it('shifts and scales the picture as the backbone wants it', async () => {
    const backbone = writeModel(classifierOf('plain', 'Relu', ['n', 3, 'h', 'w']).model);
    const normalisation = { mean: [0.5, 0.4, 0.3], deviation: [0.2, 0.3, 0.4] } as const;
    const own = featureNetwork(backbone, 'average', { normalisation }).model;
    const plain = featureNetwork(backbone, 'average').model;
    const data = picture();
    const shifted = data.map((value, at) => {
      const channel = Math.floor(at / (data.length / 3));
      return (value - normalisation.mean[channel]) / normalisation.deviation[channel];
    });
    const [one, other] = [await outputOf(own, FEATURES, data), await outputOf(plain, FEATURES, shifted)];
    one.forEach((value, at) => {
      assert.ok(Math.abs(value - other[at]) < 1e-4);
    });
  });

  it('makes probabilities of logits, softer with a higher temperature', async () => {
    const network = featureNetwork(writeModel(plain()), 'average');
    const count = (await outputOf(network.model, FEATURES)).length;
    const random = seededRandom(2);
    const head = {
      weights: Float32Array.from({ length: 3 * count }, () => random() - 0.5),
      bias: Float32Array.of(0.1, 0, -0.2),
    };
    const model = readModel(writeModel(withHead(network, head, 2, ['good', "scratch's", 'pore'])));
    const features = await outputOf(network.model, FEATURES);
    const logits = Array.from({ length: 3 }, (_, label) =>
      features.reduce((sum, value, at) => sum + value * head.weights[label * count + at], head.bias[label]),
    );
    const shares = logits.map((logit) => Math.exp(logit / 2));
    const total = shares.reduce((sum, share) => sum + share, 0);
    const [given, probabilities] = [await outputOf(model, LOGITS), await outputOf(model, PROBABILITIES)];
    for (const label of [0, 1, 2]) {
      assert.ok(Math.abs(given[label] - logits[label]) < 1e-4);
      assert.ok(Math.abs(probabilities[label] - shares[label] / total) < 1e-5);
    }
    assert.equal(metadataProps(model).names, '{0: "good", 1: "scratch\'s", 2: "pore"}');
    assert.equal(metadataProps(model).task, 'classify');
  });
});

function plain(): OnnxModel {
  return classifierOf('plain', 'Relu', ['n', 3, 'h', 'w']).model;
}

function picture(): Float32Array {
  return Float32Array.from({ length: 3 * 64 * 64 }, seededRandom(5));
}

async function outputOf(model: OnnxModel, output: string, data = picture()): Promise<Float32Array> {
  const session = await ClassifierSession.open(writeModel(model), 1);
  const row = await session.run(data, 64, 64, output);
  await session.close();
  return row;
}

/** What is pooled: the inputs of the first pooling of each stride. */
async function featureMaps(model: OnnxModel): Promise<{ values: Float32Array; channels: number }[]> {
  const graph = model.graph as OnnxGraph;
  const pooled = graph.node.filter(
    ({ opType, output }) => opType === 'GlobalAveragePool' && output[0].startsWith('classify/'),
  );
  const names = [...new Set(pooled.map(({ input }) => input[0]).filter((name) => name.startsWith('stride')))];
  const opened = changed(model, { graph: withOutputs(graph, Object.fromEntries(names.map((name) => [name, name]))) });
  const runtime = loadRuntime();
  const session = await runtime.InferenceSession.create(writeModel(opened), sessionOptions(1));
  const results = await session.run({ x: new runtime.Tensor('float32', picture(), [1, 3, 64, 64]) });
  await session.release();
  return names.map((name) => ({ values: results[name].data as Float32Array, channels: results[name].dims[1] }));
}
