import assert from 'node:assert/strict';
import { seededRandom } from '../../../../engine/domain';
import { loadRuntime } from '../../../../engine/inference';
import {
  AdamW,
  learningRateAt,
  type Tensor,
  TrainingSession,
  WeightAverage,
  withWeights,
} from '../../../../engine/learning/trainer';
import { DataType, floatTensor, GraphBuilder, type OnnxModel, rawTensor, writeModel } from '../../../../engine/onnx';
import { numbers } from './gradient-check';

const SIDE = 8;

/** Two convolutions with batch normalisation, and one number for each picture. */
function network(seed: number): OnnxModel {
  const graph = new GraphBuilder('small');
  const weight = (name: string, dims: readonly number[], values?: number) => {
    const count = dims.reduce((size, dim) => size * dim, 1);
    const data =
      values === undefined
        ? numbers(count, seed + name.length).map((value) => value / 2)
        : new Float32Array(count).fill(values);
    return graph.constant(floatTensor(name, dims, data));
  };
  const block = (value: string, from: number, to: number, name: string) => {
    const filtered = graph.node('Conv', [value, weight(`${name}.weight`, [to, from, 3, 3])], {
      pads: [1, 1, 1, 1],
      strides: [2, 2],
    });
    const statistics = ['scale', 'bias', 'mean', 'variance'].map((part) =>
      weight(`${name}.${part}`, [to], part === 'scale' || part === 'variance' ? 1 : 0),
    );
    return graph.node('Relu', [graph.node('BatchNormalization', [filtered, ...statistics])]);
  };
  const image = graph.input('image', ['n', 1, SIDE, SIDE]);
  const deep = block(block(image, 1, 6, 'first'), 6, 8, 'second');
  const pooled = graph.node('Flatten', [graph.node('GlobalAveragePool', [deep])]);
  graph.output('logit', graph.node('Gemm', [pooled, weight('head.weight', [8, 1]), weight('head.bias', [1], 0)]), [
    'n',
    1,
  ]);
  return graph.build();
}

/** Pictures with a bar, lying (1) or standing (0), somewhere, at some brightness, in noise. */
function bars(count: number, seed: number) {
  const random = seededRandom(seed);
  const data = new Float32Array(count * SIDE * SIDE).map(() => random() * 0.3);
  const truth = Array.from({ length: count }, (_, picture) => {
    const lying = picture % 2;
    const place = Math.floor(random() * SIDE);
    const brightness = 0.6 + random();
    for (let cell = 0; cell < SIDE; cell += 1) {
      data[picture * SIDE * SIDE + (lying ? place * SIDE + cell : cell * SIDE + place)] += brightness;
    }
    return lying;
  });
  return { image: { data, dims: [count, 1, SIDE, SIDE] }, truth };
}

async function train(seed: number, threads = 1) {
  const model = network(seed);
  const batch = 16;
  const session = await TrainingSession.open(model, {
    inputs: { image: [batch, 1, SIDE, SIDE] },
    outputs: ['logit'],
    trainable: () => true,
    threads,
  });
  const optimiser = new AdamW(session.parameters);
  const average = new WeightAverage(session.values, { ramp: 20, decay: 0.95 });
  const losses: number[] = [];
  const steps = 60;
  for (let step = 0; step < steps; step += 1) {
    const { image, truth } = bars(batch, 1000 * seed + step);
    const { logit } = await session.forward({ image });
    let loss = 0;
    const gradient = logit.data.map((value, place) => {
      const probability = 1 / (1 + Math.exp(-value));
      loss -= Math.log(truth[place] ? probability : 1 - probability) / batch;
      return (probability - truth[place]) / batch;
    });
    await session.backward({ logit: { data: gradient, dims: logit.dims } });
    optimiser.step(learningRateAt({ step, steps, warmUp: 5, peak: 0.03, floor: 0.001 }));
    average.update();
    losses.push(loss);
  }
  const parameters = session.parameters.map(({ name }) => name);
  await session.close();
  return { model, losses, weights: average.weights, parameters };
}

async function infer(model: OnnxModel, image: Tensor): Promise<Float32Array> {
  const { InferenceSession, Tensor: RuntimeTensor } = loadRuntime();
  const session = await InferenceSession.create(writeModel(model));
  const { logit } = await session.run({ image: new RuntimeTensor('float32', image.data, image.dims) });
  await session.release();
  return logit.data as Float32Array;
}

describe('A small network with batch normalisation', function () {
  this.timeout(120_000);

  it('learns from scratch to tell lying bars from standing ones, and does so with its running statistics', async () => {
    const { model, losses, weights, parameters } = await train(1);
    assert.ok(!parameters.includes('first.mean'), 'statistics are no parameters');
    assert.ok(
      losses[losses.length - 1] < 0.2 && losses[0] > 0.5,
      `loss from ${losses[0]} to ${losses[losses.length - 1]}`,
    );
    const { image, truth } = bars(100, 99);
    const logits = await infer(withWeights(model, weights), image);
    const right = truth.filter((lying, place) => lying === (logits[place] > 0 ? 1 : 0)).length;
    assert.ok(right >= 95, `${right} of 100 new pictures`);
  });

  it('gets the same weights from the same seed, and others from another', async () => {
    const [one, again, other] = [await train(2, 2), await train(2, 2), await train(3, 2)];
    assert.deepEqual([...again.weights], [...one.weights]);
    assert.notDeepEqual([...other.weights], [...one.weights]);
  });
});

describe('A training session', () => {
  const options = { inputs: { image: [2, 1, SIDE, SIDE] }, outputs: ['logit'], trainable: () => true, threads: 1 };

  it('adds up gradients until the optimiser takes them', async () => {
    const session = await TrainingSession.open(network(1), options);
    const { image } = bars(2, 1);
    const backward = async () => {
      const { logit } = await session.forward({ image });
      await session.backward({ logit: { data: Float32Array.of(1, 2), dims: logit.dims } });
      return session.parameters.map(({ gradient }) => gradient.slice());
    };
    const once = await backward();
    const twice = await backward();
    for (const [index, gradient] of twice.entries())
      assert.deepEqual(
        gradient,
        once[index].map((value) => 2 * value),
      );
    await session.close();
  });

  it('leaves the model it was opened with, and outputs it gave, as they were', async () => {
    const model = network(1);
    const before = writeModel(model);
    const session = await TrainingSession.open(model, options);
    const first = await session.forward({ image: bars(2, 1).image });
    const kept = first.logit.data.slice();
    session.parameters[0].data.fill(0.5);
    await session.forward({ image: bars(2, 2).image });
    assert.deepEqual(first.logit.data, kept);
    assert.deepEqual(writeModel(model), before);
    await session.close();
  });

  it('trains on inner values in place of the pictures, without what comes before', async () => {
    const model = network(1);
    const feature = model.graph?.node.find(({ opType }) => opType === 'Flatten')?.output[0] as string;
    const session = await TrainingSession.open(model, { ...options, inputs: { [feature]: [5, 8] } });
    assert.deepEqual(
      session.parameters.map(({ name }) => name),
      ['head.weight', 'head.bias'],
    );
    const feeds = { [feature]: { data: numbers(40, 1), dims: [5, 8] } };
    const { logit } = await session.forward(feeds);
    await session.backward({ logit: { data: new Float32Array(5).fill(1), dims: [5, 1] } });
    const sums = Array.from({ length: 8 }, (_, place) =>
      [0, 1, 2, 3, 4].reduce((sum, row) => sum + feeds[feature].data[row * 8 + place], 0),
    );
    for (const [place, sum] of sums.entries()) assert.ok(Math.abs(session.parameters[0].gradient[place] - sum) < 1e-5);
    assert.deepEqual(logit.dims, [5, 1]);
    await session.close();
  });

  it('says when an output needs more than its inputs, or a feed has another size', async () => {
    await assert.rejects(TrainingSession.open(network(1), { ...options, inputs: {} }), /image, which nothing makes/);
    const session = await TrainingSession.open(network(1), options);
    await assert.rejects(session.forward({}), /image is not fed/);
    await assert.rejects(session.forward({ image: bars(1, 1).image }), /opened with \[2,1,8,8\]/);
    await session.close();
  });

  it('states more memory for more pictures', async () => {
    const sizes: number[] = [];
    for (const batch of [1, 8]) {
      const session = await TrainingSession.open(network(1), { ...options, inputs: { image: [batch, 1, SIDE, SIDE] } });
      sizes.push(session.memoryBytes);
      await session.close();
    }
    assert.ok(sizes[0] > 0 && sizes[1] > sizes[0], `${sizes}`);
  });
});

describe('withWeights', () => {
  /** Two convolutions whose biases the exporter stored once. */
  function shared(): OnnxModel {
    const graph = new GraphBuilder('shared');
    const image = graph.input('image', [1, 1, 2, 2]);
    graph.constant(floatTensor('first.bias', [1], Float32Array.of(0)));
    graph.constant(floatTensor('first.weight', [1, 1, 1, 1], Float32Array.of(1)));
    graph.constant(floatTensor('second.weight', [1, 1, 1, 1], Float32Array.of(1)));
    const bias = graph.node('Identity', ['first.bias']);
    const first = graph.node('Conv', [image, 'first.weight', 'first.bias']);
    graph.output('logit', graph.node('Conv', [first, 'second.weight', bias]), [1, 1, 2, 2]);
    return graph.build();
  }
  const image = { data: new Float32Array(4), dims: [1, 1, 2, 2] };

  it('gives each place of a shared weight its own', async () => {
    const changed = withWeights(shared(), new Map([['first.bias', Float32Array.of(10)]]));
    // The second bias stays 0: 10 and not 20.
    assert.deepEqual([...(await infer(changed, image))], [10, 10, 10, 10]);
  });

  it('takes the names that training gives', async () => {
    const model = shared();
    const session = await TrainingSession.open(model, {
      inputs: { image: [1, 1, 2, 2] },
      outputs: ['logit'],
      trainable: () => true,
      threads: 1,
    });
    assert.equal(session.parameters.length, 4);
    const second = session.parameters.find(({ name, dims }) => dims.length === 1 && name !== 'first.bias');
    second?.data.fill(3);
    const values = new Map(session.values.map(({ name, data }) => [name, data]));
    assert.deepEqual([...(await infer(withWeights(model, values), image))], [3, 3, 3, 3]);
    assert.deepEqual([...(await infer(model, image))], [0, 0, 0, 0]);
    await session.close();
  });

  it('makes a weight of half precision one of float32, under the name it was read by', async () => {
    const graph = new GraphBuilder('half');
    // 1.5 and -2 as halves (IEEE 754): 0x3e00 and 0xc000.
    const halves = graph.constant(rawTensor('w_half', [2, 1, 1, 1], DataType.float16, Uint16Array.of(0x3e00, 0xc000)));
    const weight = graph.node('Cast', [halves], { to: DataType.float });
    graph.output('logit', graph.node('Conv', [graph.input('image', [1, 1, 1, 1]), weight]), [1, 2, 1, 1]);
    const one = { data: Float32Array.of(1), dims: [1, 1, 1, 1] };
    const session = await TrainingSession.open(graph.build(), {
      inputs: { image: one.dims },
      outputs: ['logit'],
      trainable: () => true,
      threads: 1,
    });
    assert.deepEqual(
      session.parameters.map(({ name, data }) => [name, ...data]),
      [[weight, 1.5, -2]],
    );
    const trained = withWeights(graph.build(), new Map([[weight, Float32Array.of(3, 4)]]));
    assert.deepEqual([...(await infer(trained, one))], [3, 4]);
    await session.close();
  });

  it('refuses a weight that is not there or has another size', () => {
    assert.throws(() => withWeights(shared(), new Map([['third', Float32Array.of(1)]])), /no weight third/);
    assert.throws(() => withWeights(shared(), new Map([['first.bias', new Float32Array(2)]])), RangeError);
  });
});
