import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../../engine/domain';
import { loadRuntime } from '../../../engine/inference';
import {
  changed,
  constantsOf,
  DataType,
  GraphBuilder,
  OnnxInvalid,
  type OnnxModel,
  probeRanges,
  quantiseGraph,
  readModel,
  tapBackbone,
  type ValueRange,
  writeModel,
} from '../../../engine/onnx';
import { type ActivationName, classifierOf, NETWORKS } from '../../support/networks';
import { resnetClassifier } from '../../support/wide-resnet';

type Numbers = Readonly<Record<string, { readonly data: Float32Array; readonly dims: readonly number[] }>>;

/** Runs a graph as it stands (`disabled`), or as ONNX Runtime rewrites it; gives the operators it ran with, too. */
async function run(
  bytes: Uint8Array,
  feeds: Numbers,
  level: 'disabled' | 'all' = 'all',
): Promise<{ readonly results: Numbers; readonly operators: readonly string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'quantise-'));
  const { InferenceSession, Tensor } = loadRuntime();
  const optimizedModelFilePath = join(folder, 'run.onnx');
  const session = await InferenceSession.create(bytes, {
    graphOptimizationLevel: level,
    optimizedModelFilePath,
    logSeverityLevel: 3,
    intraOpNumThreads: 1,
  });
  try {
    const tensors = Object.entries(feeds).map(([name, { data, dims }]) => [name, new Tensor('float32', data, dims)]);
    const results = (await session.run(Object.fromEntries(tensors))) as unknown as Numbers;
    const operators = (readModel(await readFile(optimizedModelFilePath)).graph?.node ?? []).map(({ opType }) => opType);
    return { results, operators };
  } finally {
    await session.release();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The ranges of the values over some inputs, as a calibration takes them. */
async function rangesOver(bytes: Uint8Array, inputs: readonly Numbers[]): Promise<Map<string, ValueRange>> {
  const probe = probeRanges(bytes);
  const ranges = new Map<string, ValueRange>();
  for (const feeds of inputs) {
    const { results } = await run(probe.bytes, feeds);
    for (const [value, { least, most }] of probe.values) {
      const known = ranges.get(value) ?? { least: 0, most: 0 };
      ranges.set(value, {
        least: Math.min(known.least, results[least].data[0]),
        most: Math.max(known.most, results[most].data[0]),
      });
    }
  }
  return ranges;
}

function picture(seed: number, side: number, name = 'x'): Numbers {
  const random = seededRandom(seed);
  return { [name]: { data: Float32Array.from({ length: 3 * side * side }, () => random()), dims: [1, 3, side, side] } };
}

/** Root of the mean squared error, as a share of the values' spread. */
function errorOf(actual: Float32Array, exact: Float32Array): number {
  const mean = exact.reduce((sum, value) => sum + value, 0) / exact.length;
  const spread = exact.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(exact.reduce((sum, value, place) => sum + (value - actual[place]) ** 2, 0) / spread);
}

/** A residual network of 16 channels at stride 4, 64 at stride 16. */
function residual(): Uint8Array {
  const { model } = resnetClassifier({ blocks: [1, 1, 1, 1], channels: 16, bottleneck: null }, [1, 3, 64, 64]);
  return tapBackbone(writeModel(model)).bytes;
}

/** A 1x1 convolution of two channels into two, with bias and Relu. */
function smallModel(opset = 17): OnnxModel {
  const graph = new GraphBuilder('small', opset);
  const x = graph.input('x', ['n', 2, 'h', 'w']);
  const weights = graph.floats([2, 2, 1, 1], [1, -0.4, 0.25, 0.1]);
  const made = graph.node('Conv', [x, weights, graph.floats([2], [0.5, -1])], { kernel_shape: [1, 1] });
  graph.output('y', graph.node('Relu', [made]), ['n', 2, 'h', 'w']);
  return graph.build();
}

describe('Quantised graphs', () => {
  it('hold the whole steps that hand computation gives', () => {
    const bytes = writeModel(smallModel());
    const [x, y] = probeRanges(bytes).values.keys();
    // x: 0.51 / 255 = 0.002 a step, from -0.1 on: zero at step 50; y: 2.55 / 255 = 0.01 a step, zero at step 0
    const ranges = new Map([
      [x, { least: -0.1, most: 0.41 }],
      [y, { least: 0, most: 2.55 }],
    ]);
    const constants = constantsOf(readModel(quantiseGraph(bytes, ranges)).graph as never);
    const find = (type: number, length: number) =>
      [...constants.values()].filter(({ dataType, rawData }) => dataType === type && rawData.length === length);
    const [weights] = find(DataType.int8, 4);
    // first channel: 1 is 127 steps, -0.4 * 127 = -50.8; second: both together are 126 steps, 0.25 / 0.35 * 126 = 90
    assert.deepEqual([...new Int8Array(weights.rawData.slice().buffer)], [127, -51, 90, 36]);
    const [bias] = find(DataType.int32, 8);
    // a step is 0.002 / 127 and 0.002 * 0.35 / 126
    assert.deepEqual(
      [...new Int32Array(bias.rawData.slice().buffer)],
      [0.5 / (0.002 / 127), -1 / (0.0007 / 126)].map(Math.round),
    );
    const zeroPoints = find(DataType.uint8, 1).map(({ rawData }) => rawData[0]);
    assert.deepEqual(zeroPoints, [50, 0]);
  });

  it('compute what the rounded numbers give, in integers', async () => {
    const bytes = writeModel(smallModel());
    const [x, y] = probeRanges(bytes).values.keys();
    const ranges = new Map([
      [x, { least: -0.1, most: 0.41 }],
      [y, { least: 0, most: 2.55 }],
    ]);
    const feeds = { x: { data: Float32Array.of(0.4, -0.1, 0.3, 0.2, 0, 0.41, -0.05, 0.1), dims: [1, 2, 2, 2] } };
    const quantised = quantiseGraph(bytes, ranges);
    const { results, operators } = await run(quantised, feeds);
    assert.ok(
      operators.includes('QLinearConv') && !operators.includes('Conv') && !operators.includes('Relu'),
      `${operators}`,
    );
    // x = [0.4, -0.1, 0.3, 0.2], [0, 0.41, -0.05, 0.1]; second weight of the first channel is -51/127
    const [w, b] = [
      [1, -51 / 127, 0.25, 0.1],
      [0.5, -1],
    ];
    const expected = [0, 1].flatMap((channel) =>
      [0, 1, 2, 3].map((place) => {
        const sum = w[2 * channel] * feeds.x.data[place] + w[2 * channel + 1] * feeds.x.data[4 + place] + b[channel];
        return Math.max(0, Math.round(sum / 0.01) * 0.01);
      }),
    );
    for (const [place, value] of results.y.data.entries())
      assert.ok(Math.abs(value - expected[place]) < 0.0101, `${place}: ${value}`);
    assert.deepEqual([...results.y.data].slice(4), [0, 0, 0, 0]);
  });

  for (const kind of Object.keys(NETWORKS)) {
    for (const activation of ['Relu', 'Clip', 'HardSwish'] as ActivationName[]) {
      it(`of ${kind} networks with ${activation} are near the exact ones`, async () => {
        const { model } = classifierOf(kind, activation, [1, 3, 64, 64]);
        const { bytes } = tapBackbone(writeModel(model), [8, 16], ['after', 'before']);
        const ranges = await rangesOver(
          bytes,
          [1, 2, 3, 4].map((seed) => picture(seed, 64)),
        );
        const exact = await run(bytes, picture(5, 64));
        const quantised = quantiseGraph(bytes, ranges);
        const { results, operators } = await run(quantised, picture(5, 64));
        assert.ok(operators.includes('QLinearConv'), `${operators}`);
        for (const [name, { data, dims }] of Object.entries(exact.results)) {
          assert.deepEqual(results[name].dims, dims);
          const error = errorOf(results[name].data, data);
          assert.ok(error < 0.12, `${name}: ${error}`);
        }
      });
    }
  }

  it('have no neighbouring weights that overflow 16 bits with the greatest activations', async () => {
    for (const bytes of [
      residual(),
      tapBackbone(writeModel(classifierOf('depthwise', 'Relu', [1, 3, 64, 64]).model)).bytes,
    ]) {
      const ranges = await rangesOver(bytes, [picture(1, 64)]);
      const { graph } = readModel(quantiseGraph(bytes, ranges));
      let [seen, greatest] = [0, 0];
      for (const { dataType, dims, rawData } of graph?.initializer ?? []) {
        if (dataType !== DataType.int8) continue;
        const [outputs, channels, rows, columns] = dims.map(Number);
        const steps = new Int8Array(rawData.slice().buffer);
        const size = channels * rows * columns;
        for (let output = 0; output < outputs; output += 1) {
          // as they lie in the file, and with the channels innermost
          const own = [...steps.subarray(output * size, (output + 1) * size)];
          const inner = own.map((_, place) => own[(place % channels) * rows * columns + Math.floor(place / channels)]);
          for (const order of [own, inner]) {
            for (let place = 0; place + 1 < size; place += 2) {
              greatest = Math.max(greatest, 255 * Math.abs(order[place] + order[place + 1]));
            }
          }
          seen += 1;
        }
      }
      assert.ok(seen > 20 && greatest <= 32_767 && greatest > 30_000, `${seen} channels, ${greatest}`);
    }
  });

  it('add, concatenate and pool in integers, too', async () => {
    const bytes = residual();
    const ranges = await rangesOver(bytes, [picture(1, 64)]);
    const { operators } = await run(quantiseGraph(bytes, ranges), picture(2, 64));
    assert.ok(
      operators.includes('QLinearAdd') && !operators.includes('Add') && !operators.includes('Conv'),
      `${operators}`,
    );
  });

  it('begin where they are told to', async () => {
    const bytes = residual();
    const ranges = await rangesOver(bytes, [picture(1, 64)]);
    const { operators } = await run(quantiseGraph(bytes, ranges, { fromStride: 4 }), picture(2, 64));
    assert.equal(operators.filter((operator) => operator === 'Conv').length, 1);
    assert.ok(operators.includes('QLinearConv'));
  });

  it('give an input at the edge what padding with zeros gives: zero is exact, also in front of a Pad', async () => {
    const graph = new GraphBuilder('padded');
    const x = graph.input('x', ['n', 3, 'h', 'w']);
    const padded = graph.node('Pad', [x, graph.integers([0, 0, 0, 1, 0, 0, 1, 0])]);
    const weights = graph.floats(
      [1, 3, 2, 2],
      Array.from({ length: 12 }, () => 1),
    );
    graph.output('y', graph.node('Conv', [padded, weights], { kernel_shape: [2, 2] }), ['n', 1, 'h', 'w']);
    const bytes = writeModel(graph.build());
    const [name, result] = probeRanges(bytes).values.keys();
    const ranges = new Map([
      [name, { least: 0.3, most: 1 }],
      [result, { least: 0, most: 12 }],
    ]);
    const feeds = { x: { data: new Float32Array(27).fill(1), dims: [1, 3, 3, 3] } };
    const { results, operators } = await run(quantiseGraph(bytes, ranges), feeds);
    assert.ok(!operators.includes('Pad'), `${operators}`);
    const rounded = [...results.y.data].map((value) => Math.round(value * 10) / 10);
    assert.deepEqual(rounded, [6, 12, 12, 6, 12, 12, 3, 6, 6]);
  });

  it('cut off at a swallowed Clip, whatever the range', async () => {
    const graph = new GraphBuilder('cut');
    const x = graph.input('x', ['n', 1, 'h', 'w']);
    const made = graph.node('Conv', [x, graph.floats([1, 1, 1, 1], [1])], { kernel_shape: [1, 1] });
    graph.output('y', graph.node('Clip', [made, graph.floats([], [0]), graph.floats([], [6])]), ['n', 1, 'h', 'w']);
    const bytes = writeModel(graph.build());
    const values = [...probeRanges(bytes).values.keys()];
    const ranges = new Map(values.map((value) => [value, { least: -10, most: 10 }]));
    const feeds = { x: { data: Float32Array.of(-9, 3, 9, 0), dims: [1, 1, 2, 2] } };
    const { results } = await run(quantiseGraph(bytes, ranges), feeds);
    for (const [place, expected] of [0, 3, 6, 0].entries()) {
      assert.ok(Math.abs(results.y.data[place] - expected) < 0.06, `${results.y.data}`);
    }
  });

  it('keep a Relu behind a pooling, whose steps reach below 0', async () => {
    const graph = new GraphBuilder('pooled');
    const x = graph.input('x', ['n', 1, 'h', 'w']);
    const one = () => graph.floats([1, 1, 1, 1], [1]);
    const made = graph.node('Conv', [x, one()], { kernel_shape: [1, 1] });
    const pooled = graph.node('MaxPool', [made], { kernel_shape: [2, 2], strides: [2, 2] });
    const cut = graph.node('Relu', [pooled]);
    graph.output('y', graph.node('Conv', [cut, one()], { kernel_shape: [1, 1] }), ['n', 1, 'h', 'w']);
    const bytes = writeModel(graph.build());
    const ranges = new Map([...probeRanges(bytes).values.keys()].map((value) => [value, { least: -1, most: 1 }]));
    const feeds = { x: { data: Float32Array.of(-0.5, -0.7, 0.5, 0.2, -0.9, -0.8, 0.1, 0), dims: [1, 1, 2, 4] } };
    const { results } = await run(quantiseGraph(bytes, ranges), feeds);
    for (const [place, expected] of [0, 0.5].entries()) {
      assert.ok(Math.abs(results.y.data[place] - expected) < 0.01, `${results.y.data}`);
    }
  });

  it('take a dead channel with a great bias as it is', async () => {
    const graph = new GraphBuilder('dead');
    const x = graph.input('x', ['n', 1, 'h', 'w']);
    const weights = graph.floats([2, 1, 1, 1], [0, 1e-12]);
    const made = graph.node('Conv', [x, weights, graph.floats([2], [5, 3])], { kernel_shape: [1, 1] });
    graph.output('y', made, ['n', 2, 'h', 'w']);
    const bytes = writeModel(graph.build());
    const [input, result] = probeRanges(bytes).values.keys();
    const ranges = new Map([
      [input, { least: 0, most: 1 }],
      [result, { least: 0, most: 5.1 }],
    ]);
    const quantised = quantiseGraph(bytes, ranges);
    const { results } = await run(quantised, { x: { data: Float32Array.of(1), dims: [1, 1, 1, 1] } });
    assert.ok(Math.abs(results.y.data[0] - 5) < 0.03 && Math.abs(results.y.data[1] - 3) < 0.03, `${results.y.data}`);
  });

  it('are little larger than a quarter of the exact ones', async () => {
    const bytes = residual();
    const ranges = await rangesOver(bytes, [picture(1, 64)]);
    const quantised = quantiseGraph(bytes, ranges);
    assert.ok(quantised.length < 0.35 * bytes.length, `${quantised.length} of ${bytes.length}`);
  });

  it('come from operators of opset 13 on; older ones are taken where they mean the same', async () => {
    const bytes = writeModel(smallModel(12));
    const ranges = new Map([...probeRanges(bytes).values.keys()].map((value) => [value, { least: 0, most: 1 }]));
    const { results } = await run(quantiseGraph(bytes, ranges), {
      x: { data: Float32Array.of(1, 0), dims: [1, 2, 1, 1] },
    });
    assert.ok(Math.abs(results.y.data[0] - 1) < 0.01);

    const old = smallModel(12);
    const node = (old.graph?.node ?? []).map((one) =>
      one.opType === 'Relu' ? changed(one, { opType: 'Softmax' }) : one,
    );
    const softmax = writeModel(changed(old, { graph: changed(old.graph as never, { node } as never) }));
    assert.throws(() => quantiseGraph(softmax, new Map()), /opset 12, and Softmax/);
  });

  it('are refused without a convolution, a range, or with a range that is no number', () => {
    const graph = new GraphBuilder('none');
    graph.output('y', graph.node('Relu', [graph.input('x', ['n', 3, 'h', 'w'])]), ['n', 3, 'h', 'w']);
    assert.throws(() => quantiseGraph(writeModel(graph.build()), new Map()), /no convolution/);
    const bytes = writeModel(smallModel());
    assert.throws(() => quantiseGraph(bytes, new Map()), /range of its value x is missing/);
    const broken = new Map(
      [...probeRanges(bytes).values.keys()].map((value) => [value, { least: 0, most: Number.NaN }]),
    );
    assert.throws(() => quantiseGraph(bytes, broken), OnnxInvalid);
  });
});
