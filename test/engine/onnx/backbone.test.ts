import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot, seededRandom } from '../../../engine/domain';
import { loadRuntime } from '../../../engine/inference';
import {
  changed,
  GraphBuilder,
  inspectBackbone,
  OnnxInvalid,
  type OnnxModel,
  readModel,
  type Tap,
  tapBackbone,
  writeModel,
} from '../../../engine/onnx';
import { ACTIVATIONS, type ActivationName, classifierOf, Layers, NETWORKS } from '../../support/networks';
import { needShared } from '../../support/shared-data';
import { RESNET_18, resnetClassifier, WIDE_RESNET_50_2 } from '../../support/wide-resnet';

type Results = Readonly<Record<string, { readonly dims: readonly number[]; readonly data: Float32Array }>>;

async function run(bytes: Uint8Array, input: string, data: Float32Array, dims: readonly number[]): Promise<Results> {
  const { InferenceSession, Tensor } = loadRuntime();
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  try {
    return (await session.run({ [input]: new Tensor('float32', data, dims) })) as unknown as Results;
  } finally {
    await session.release();
  }
}

function pictures(dims: readonly number[]): Float32Array {
  const random = seededRandom(5);
  return Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random());
}

/** The same model with values given out besides its own outputs; made here by hand, nothing is cut off. */
function givingOut(model: OnnxModel, names: readonly string[]): Uint8Array {
  const graph = model.graph!;
  const own = new Set(graph.output.map(({ name }) => name));
  const added = names
    .filter((name) => !own.has(name))
    .map((name) => changed(graph.output[0], { name, type: undefined }));
  return writeModel(changed(model, { graph: changed(graph, { output: [...graph.output, ...added] }) }));
}

function assertSame(actual: Results[string], expected: Results[string], what: string, tolerance = 1e-4): void {
  assert.deepEqual(actual.dims, expected.dims, what);
  const scale = expected.data.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
  const worst = actual.data.reduce((most, value, i) => Math.max(most, Math.abs(value - expected.data[i])), 0);
  assert.ok(worst <= tolerance * scale, `${what}: off by ${worst} of ${scale}`);
}

/** Runs the tapped file and the whole network, which gives out the same values, on the same pictures. */
async function compareTaps(tapped: Uint8Array, whole: OnnxModel, taps: readonly Tap[], dims: readonly number[]) {
  const data = pictures(dims);
  const names = taps.flatMap(({ after, before }) => [after, ...(before ? [before] : [])]);
  const { input } = inspectBackbone(tapped);
  const expected = await run(givingOut(whole, names), input, data, dims);
  const actual = await run(tapped, input, data, dims);
  for (const { stride, after, before } of taps) {
    const place = `stride ${stride} of [${dims}]`;
    assertSame(actual[`stride${stride}`], expected[after], place);
    if (before) assertSame(actual[`stride${stride}_before`], expected[before], `${place}, before`);
  }
}

const BOTH = ['after', 'before'] as const;
const OPEN = ['n', 3, 'h', 'w'];

describe('Backbones', () => {
  for (const kind of Object.keys(NETWORKS)) {
    for (const activation of Object.keys(ACTIVATIONS) as ActivationName[]) {
      it(`taps a ${kind} classifier with ${activation} before and after its last activations, at any size`, async () => {
        const { model, last } = classifierOf(kind, activation, [1, 3, 64, 64]);
        const bytes = writeModel(model);
        const { input, nominal, taps } = inspectBackbone(bytes, [2, 8, 16]);
        assert.deepEqual([input, nominal], ['x', { width: 64, height: 64 }]);
        assert.deepEqual(
          taps,
          [2, 8, 16].map((stride) => ({ stride, ...last.get(stride) })),
        );

        const tapped = tapBackbone(bytes, [2, 8, 16], BOTH);
        assert.deepEqual([tapped.fixed, tapped.edited], [null, true]);
        assert.deepEqual(tapped.outputs.slice(0, 3), ['stride2', 'stride2_before', 'stride8']);
        const left = readModel(tapped.bytes).graph!.node.map((node) => node.opType);
        assert.equal(left.includes('Softmax') || left.includes('Flatten'), false);

        // Second source: ONNX Runtime on the whole network, built with its sizes open.
        const { model: open } = classifierOf(kind, activation, OPEN);
        await compareTaps(tapped.bytes, open, taps, [1, 3, 64, 64]);
        // The dense squeeze of the whole network takes one picture at a time.
        await compareTaps(tapped.bytes, open, taps, [kind === 'squeeze-excite' ? 1 : 2, 3, 96, 160]);
      });
    }
  }

  it('lets the batch vary where dense layers of a squeeze-excite were saved for one picture', async () => {
    const { model } = classifierOf('squeeze-excite', 'SiLU', [1, 3, 64, 64]);
    const { bytes } = tapBackbone(writeModel(model));
    const one = [1, 3, 64, 96];
    const size = 3 * 64 * 96;
    const data = pictures([2, ...one.slice(1)]);
    const together = await run(bytes, 'x', data, [2, ...one.slice(1)]);
    for (const place of [0, 1]) {
      const alone = await run(bytes, 'x', data.slice(place * size, (place + 1) * size), one);
      const { dims, data: all } = together.stride16;
      const each = all.length / 2;
      const part = { dims: [1, ...dims.slice(1)], data: all.slice(place * each, (place + 1) * each) };
      assertSame(part, alone.stride16, `picture ${place}`);
    }
  });

  for (const [name, shape] of [
    ['wide ResNet', { ...WIDE_RESNET_50_2, channels: 8 }],
    ['ResNet-18', { ...RESNET_18, channels: 8 }],
  ] as const) {
    it(`taps a classifier of the shape of ${name}`, async () => {
      const { model, last } = resnetClassifier(shape, OPEN);
      const bytes = writeModel(model);
      const { taps } = inspectBackbone(bytes);
      assert.deepEqual(
        taps,
        [2, 4, 8, 16, 32].map((stride) => ({ stride, ...last.get(stride) })),
      );
      const tapped = tapBackbone(bytes, [8, 16], BOTH);
      assert.ok(tapped.bytes.length < bytes.length / 2, 'the last stage, most of the weights, is cut off');
      await compareTaps(tapped.bytes, model, taps.slice(2, 4), [2, 3, 96, 64]);
    });
  }

  it('takes a model that has stride outputs as it is', function () {
    const bytes = readFileSync(needShared(this, 'models/mobilenet_v1_imagenet_features.onnx'));
    const tapped = tapBackbone(bytes);
    assert.equal(tapped.edited, false);
    assert.equal(tapped.bytes, bytes);
  });

  it('taps an ImageNet network before its activations, at its outputs', async function () {
    this.timeout(180_000);
    const bytes = readFileSync(needShared(this, 'models/mobilenet_v1_imagenet_features.onnx'));
    const { taps } = inspectBackbone(bytes, [8, 16]);
    assert.deepEqual(
      taps.map(({ stride, channels, after }) => [stride, channels, after]),
      [
        [8, 256, 'stride8'],
        [16, 512, 'stride16'],
      ],
    );
    const tapped = tapBackbone(bytes, [8, 16], BOTH);
    await compareTaps(tapped.bytes, readModel(bytes), taps, [2, 3, 96, 160]);
    // Its activation is a ReLU that ends at 6: applied by hand to what was tapped before it.
    const data = pictures([1, 3, 64, 64]);
    const { stride8, stride8_before } = await run(tapped.bytes, 'input', data, [1, 3, 64, 64]);
    const clipped = stride8_before.data.map((value) => Math.min(6, Math.max(0, value)));
    assertSame({ dims: stride8.dims, data: clipped }, stride8, 'clipped');
    assert.ok(stride8_before.data.some((value) => value < 0));
  });

  it('knows that the outputs of the embedded backbone are no activations', () => {
    const bytes = readFileSync(join(packageRoot, 'models', 'starter-backbone', 'model.onnx'));
    const { taps } = inspectBackbone(bytes, [8, 16]);
    assert.deepEqual(
      taps.map((tap) => tap.before),
      [null, null],
    );
    assert.equal(tapBackbone(bytes).bytes, bytes);
    assert.throws(() => tapBackbone(bytes, [8], ['before']), /stride8 comes from no activation/);
  });

  it('taps what it made once more', () => {
    const { model } = classifierOf('plain', 'Relu', [1, 3, 64, 64]);
    const { bytes } = tapBackbone(writeModel(model));
    assert.equal(tapBackbone(bytes).edited, false);
    const again = tapBackbone(bytes, [8], ['before']);
    assert.deepEqual(again.outputs, ['stride8_before']);
    assert.equal(inspectBackbone(bytes, [8]).taps[0].channels, 6);
    const both = tapBackbone(writeModel(model), [8, 16], BOTH).bytes;
    assert.equal(tapBackbone(both, [8, 16], BOTH).edited, false);
    assert.deepEqual(tapBackbone(both, [16], ['before']).outputs, ['stride16_before']);
  });

  it('normalises pictures exactly as the network was fed before, at the border too', async () => {
    const { model } = classifierOf('plain', 'Relu', OPEN);
    const bytes = writeModel(model);
    const mean = [0.485, 0.456, 0.406] as const;
    const deviation = [0.229, 0.224, 0.225] as const;
    const dims = [1, 3, 64, 64];
    const data = pictures(dims);
    const fed = data.map((value, place) => {
      const channel = Math.floor(place / (64 * 64));
      return (value - Math.fround(mean[channel])) / Math.fround(deviation[channel]);
    });
    const plain = await run(tapBackbone(bytes).bytes, 'x', fed, dims);
    const tapped = tapBackbone(bytes, [8, 16], ['after'], { mean, deviation });
    const within = await run(tapped.bytes, tapped.input, data, dims);
    assertSame(within.stride8, plain.stride8, 'stride 8', 1e-6);
    assertSame(within.stride16, plain.stride16, 'stride 16', 1e-6);
  });

  it('takes a network from TensorFlow, which turns its pictures itself, like any other', async () => {
    const layersFirst = (turn: boolean) => {
      const layers = new Layers(new GraphBuilder('turned'));
      const given = layers.input(turn ? [1, 64, 96, 3] : [1, 3, 64, 96]);
      const name = turn ? layers.graph.node('Transpose', [given.name], { perm: [0, 3, 1, 2] }) : given.name;
      return layers.classifier(NETWORKS.residual(layers, { ...given, name }), 10);
    };
    const turned = writeModel(layersFirst(true));
    assert.deepEqual(inspectBackbone(turned).nominal, { width: 96, height: 64 });
    const dims = [2, 3, 64, 64];
    const expected = await run(tapBackbone(writeModel(layersFirst(false))).bytes, 'x', pictures(dims), dims);
    const actual = await run(tapBackbone(turned).bytes, 'x', pictures(dims), dims);
    assertSame(actual.stride8, expected.stride8, 'stride 8', 0);
    assertSame(actual.stride16, expected.stride16, 'stride 16', 0);

    const more = new GraphBuilder('more');
    const half = more.node('Mul', [more.input('x', [1, 64, 64, 3]), more.floats([], [0.5])]);
    more.output('y', more.node('Transpose', [half], { perm: [0, 3, 1, 2] }), [1, 3, 64, 64]);
    assert.throws(() => tapBackbone(writeModel(more.build())), /save it as \[batch, 3, height, width\]/);
  });

  it('keeps the size a network was saved with where something in it cannot follow, and says what', async () => {
    const layers = new Layers(new GraphBuilder('grid'));
    const input = layers.input([1, 3, 64, 64]);
    const first = layers.activate(layers.convolution(input, 4, { size: 5, stride: 8 }));
    const grid = layers.graph.floats([1, 4, 8, 8], new Float32Array(256).fill(0.5));
    const placed = { ...first, name: layers.graph.node('Add', [first.name, grid]) };
    const second = layers.activate(layers.convolution(placed, 4, { stride: 2 }));
    const { fixed, bytes } = tapBackbone(writeModel(layers.classifier(second, 10)));
    assert.deepEqual([fixed?.width, fixed?.height], [64, 64]);
    assert.match(fixed?.reason ?? '', /^Add .* has a value for each place$/);
    const { stride16 } = await run(bytes, 'x', pictures([2, 3, 64, 64]), [2, 3, 64, 64]);
    assert.deepEqual(stride16.dims, [2, 4, 4, 4]);
  });

  it('names the strides there are when one is missing', () => {
    const bytes = writeModel(classifierOf('residual', 'Relu', [1, 3, 64, 64]).model);
    assert.throws(() => tapBackbone(bytes, [64]), /no activation at stride 64 \(strides with one: 2, 4, 8, 16, 32\)/);
  });

  it('refuses inputs that are no picture', () => {
    const text = new GraphBuilder('text');
    text.output('y', text.node('Relu', [text.input('tokens', [1, 128])]), [1, 128]);
    assert.throws(() => tapBackbone(writeModel(text.build())), OnnxInvalid);
    const grey = new GraphBuilder('grey');
    grey.output('y', grey.node('Relu', [grey.input('x', [1, 1, 8, 8])]), [1, 1, 8, 8]);
    assert.throws(() => tapBackbone(writeModel(grey.build())), /1 channels, not 3/);
  });
});
