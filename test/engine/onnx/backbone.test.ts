import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot, seededRandom } from '../../../engine/domain';
import { loadRuntime } from '../../../engine/inference';
import {
  feeds,
  GraphBuilder,
  lastActivations,
  OnnxInvalid,
  prepareBackbone,
  readModel,
  valueStrides,
  writeModel,
} from '../../../engine/onnx';

const shared = process.env.OPTI_QUALITY_SHARED ?? join(packageRoot, '..', 'shared');

/** Adds layers to a classifier for tests; weights are small random numbers. */
class Layers {
  private readonly random = seededRandom(3);
  constructor(readonly graph: GraphBuilder) {}

  convolution(value: string, from: number, to: number, { size = 3, stride = 1, group = 1 } = {}): string {
    const weights = Float32Array.from({ length: (to * from * size * size) / group }, () => this.random() - 0.5);
    const pad = (size - 1) / 2;
    return this.graph.node('Conv', [value, this.graph.floats([to, from / group, size, size], weights)], {
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      group,
    });
  }

  relu(value: string): string {
    return this.graph.node('Relu', [value]);
  }

  classifier(value: string, channels: number): void {
    const flat = this.graph.node('Flatten', [this.graph.node('GlobalAveragePool', [value])]);
    const weights = Float32Array.from({ length: channels * 10 }, () => this.random());
    this.graph.output(
      'classes',
      this.graph.node('Softmax', [this.graph.node('MatMul', [flat, this.graph.floats([channels, 10], weights)])]),
      [1, 10],
    );
  }
}

type Build = (
  layers: Layers,
  input: string,
) => { readonly last: string; readonly channels: number; readonly taps: readonly [string, string] };

/** Four kinds of networks; each says which values are the last activations at strides 8 and 16. */
const NETWORKS: Readonly<Record<string, Build>> = {
  plain: (layers, input) => {
    const a = layers.relu(layers.convolution(input, 3, 4, { stride: 4, size: 5 }));
    const b = layers.relu(layers.convolution(a, 4, 6, { stride: 2 }));
    const c = layers.relu(layers.convolution(b, 6, 8, { stride: 2 }));
    const d = layers.relu(layers.convolution(c, 8, 8, { stride: 2 }));
    return { last: d, channels: 8, taps: [b, c] };
  },
  residual: (layers, input) => {
    const { graph } = layers;
    const stem = graph.node('MaxPool', [layers.relu(layers.convolution(input, 3, 4, { stride: 2 }))], {
      kernel_shape: [2, 2],
      strides: [2, 2],
    });
    const block = (value: string, from: number, to: number) => {
      const inner = layers.convolution(layers.relu(layers.convolution(value, from, to, { stride: 2 })), to, to);
      return layers.relu(graph.node('Add', [inner, layers.convolution(value, from, to, { size: 1, stride: 2 })]));
    };
    const b = block(stem, 4, 6);
    const c = block(b, 6, 8);
    return { last: block(c, 8, 8), channels: 8, taps: [b, c] };
  },
  depthwise: (layers, input) => {
    const step = (value: string, from: number, to: number) =>
      layers.relu(
        layers.convolution(layers.relu(layers.convolution(value, from, from, { stride: 2, group: from })), from, to, {
          size: 1,
        }),
      );
    const a = step(step(input, 3, 4), 4, 4);
    const b = step(a, 4, 6);
    const c = step(b, 6, 8);
    return { last: c, channels: 8, taps: [b, c] };
  },
  'squeeze-excite with gated activations': (layers, input) => {
    const { graph } = layers;
    const swish = (value: string) => graph.node('Mul', [value, graph.node('Sigmoid', [value])]);
    const squeeze = (value: string, channels: number) => {
      const mean = graph.node('GlobalAveragePool', [value]);
      const weight = graph.node('Sigmoid', [
        layers.convolution(layers.relu(layers.convolution(mean, channels, 2, { size: 1 })), 2, channels, { size: 1 }),
      ]);
      return graph.node('Mul', [value, weight]);
    };
    const a = swish(layers.convolution(input, 3, 4, { stride: 4, size: 5 }));
    const b = swish(layers.convolution(squeeze(a, 4), 4, 6, { stride: 2 }));
    const c = swish(layers.convolution(squeeze(b, 6), 6, 8, { stride: 2 }));
    return { last: squeeze(c, 8), channels: 8, taps: [b, c] };
  },
};

function classifierOf(build: Build): { bytes: Uint8Array; taps: readonly [string, string] } {
  const graph = new GraphBuilder('classifier');
  const layers = new Layers(graph);
  const { last, channels, taps } = build(layers, graph.input('x', [1, 3, 64, 64]));
  layers.classifier(last, channels);
  return { bytes: writeModel(graph.build()), taps };
}

async function run(bytes: Uint8Array, input: string, dims: readonly number[]) {
  const { InferenceSession, Tensor } = loadRuntime();
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const random = seededRandom(5);
  const data = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random());
  const results = await session.run({ [input]: new Tensor('float32', data, dims) });
  await session.release();
  return results;
}

describe('Backbones', () => {
  for (const [name, build] of Object.entries(NETWORKS)) {
    it(`taps a ${name} classifier at its last activations and cuts off the rest`, async () => {
      const { bytes, taps } = classifierOf(build);
      const graph = readModel(bytes).graph!;
      const found = lastActivations(graph, 'x');
      assert.deepEqual([found.get(8), found.get(16)], taps);

      const prepared = prepareBackbone(bytes);
      assert.deepEqual([prepared.input, prepared.outputs, prepared.edited], ['x', ['stride8', 'stride16'], true]);
      const small = readModel(prepared.bytes).graph!;
      assert.ok(small.node.length < graph.node.length);
      assert.equal(
        small.node.some((node) => node.opType === 'Softmax' || node.opType === 'MatMul'),
        false,
      );

      // Second source: ONNX Runtime runs the file, at another size and batch than the classifier's.
      const { stride8, stride16 } = await run(prepared.bytes, 'x', [2, 3, 96, 128]);
      assert.deepEqual(stride8.dims, [2, 6, 12, 16]);
      assert.deepEqual(stride16.dims, [2, 8, 6, 8]);
    });
  }

  it('taps the very values the classifier computes', async () => {
    const { bytes, taps } = classifierOf(NETWORKS.residual);
    const model = readModel(bytes);
    const graph = {
      ...model.graph!,
      output: [...model.graph!.output, { name: taps[0], type: model.graph!.output[0].type }],
    };
    graph.output[1] = { name: taps[0], type: { tensorType: { elemType: 1 } } };
    const whole = await run(writeModel({ ...model, graph }), 'x', [1, 3, 64, 64]);
    const cut = await run(prepareBackbone(bytes).bytes, 'x', [1, 3, 64, 64]);
    const [expected, actual] = [whole[taps[0]].data as Float32Array, cut.stride8.data as Float32Array];
    assert.equal(actual.length, expected.length);
    assert.ok(actual.every((value, place) => Math.abs(value - expected[place]) < 1e-4));
  });

  it('takes a model that has stride outputs as it is', function () {
    const path = join(shared, 'models', 'mobilenet_v1_imagenet_features.onnx');
    if (!existsSync(path)) {
      console.log(`      skipped: ${path} is not there`);
      return this.skip();
    }
    const bytes = readFileSync(path);
    const prepared = prepareBackbone(bytes);
    assert.equal(prepared.edited, false);
    assert.equal(prepared.bytes, bytes);
  });

  it('finds the strides of a real network by its convolutions', () => {
    const model = readModel(readFileSync(join(packageRoot, 'models', 'starter-backbone', 'model.onnx')));
    const strides = valueStrides(model.graph!, feeds(model.graph!)[0].name!);
    assert.equal(strides.get('stride8'), 8);
    assert.equal(strides.get('stride16'), 16);
  });

  it('names the strides there are when one is missing', () => {
    const { bytes } = classifierOf(NETWORKS.plain);
    assert.throws(() => prepareBackbone(bytes, [2]), /no activation at stride 2 \(strides with one: 4, 8, 16, 32\)/);
  });

  it('refuses weights that lie in other files, and inputs that are no picture', () => {
    const model = readModel(classifierOf(NETWORKS.plain).bytes);
    const graph = model.graph!;
    const [first, ...rest] = graph.initializer;
    const elsewhere = {
      ...graph,
      initializer: [
        {
          ...first,
          rawData: undefined,
          dataLocation: 1,
          externalData: [{ key: 'location', value: '../../etc/passwd' }],
        },
        ...rest,
      ],
    };
    assert.throws(() => prepareBackbone(writeModel({ ...model, graph: elsewhere })), /other files/);

    const text = new GraphBuilder('text');
    text.output('y', text.node('Relu', [text.input('tokens', [1, 128])]), [1, 128]);
    assert.throws(() => prepareBackbone(writeModel(text.build())), OnnxInvalid);
    const grey = new GraphBuilder('grey');
    grey.output('y', grey.node('Relu', [grey.input('x', [1, 1, 8, 8])]), [1, 1, 8, 8]);
    assert.throws(() => prepareBackbone(writeModel(grey.build())), /1 channels, not 3/);
  });
});
