import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import {
  DetectorUnsupported,
  describeDetector,
  detectHead,
  weightOf,
  withClasses,
  withTail,
} from '../../../engine/detector';
import { InspectionError, seededRandom } from '../../../engine/domain';
import { loadRuntime, sessionOptions } from '../../../engine/inference';
import {
  changed,
  checkGraph,
  GraphBuilder,
  metadataProps,
  type OnnxGraph,
  type OnnxModel,
  readModel,
  tensorValues,
  withOutputs,
  writeModel,
} from '../../../engine/onnx';
import {
  COLOURS,
  type ColourDetectorOptions,
  colourDetector,
  DISTANCES,
  STRIDES,
  SURE,
} from '../../support/detector-networks';
import { needShared } from '../../support/shared-data';

describe('the head of a detector', () => {
  const forms: Readonly<Record<string, ColourDetectorOptions>> = {
    'distances as they are': {},
    'distances spread over 16 bins': { bins: 16 },
    'boxes and classes laid together first': { bins: 16, joined: true },
    'boxes and classes laid together, no bins': { joined: true },
    'as many classes as box channels': { joined: true, classes: ['a', 'b', 'c', 'd'] },
    'mask coefficients': { bins: 16, masks: 4 },
    'a final output': { layout: 'end-to-end' },
    'a turned output': { layout: 'columns', bins: 16 },
  };
  for (const [form, options] of Object.entries(forms)) {
    it(`is found with ${form}`, () => {
      const { model, cuts } = colourDetector(options);
      const { levels, headInputs, neckInputs } = detectHead(model);
      assert.deepEqual(
        levels.map(({ stride }) => stride),
        [...STRIDES],
      );
      assert.deepEqual(
        levels.map(({ boxes }) => boxes.output),
        cuts.boxes,
      );
      assert.deepEqual(
        levels.map(({ classes }) => classes.output),
        cuts.classes,
      );
      assert.deepEqual([headInputs, neckInputs], [cuts.head, cuts.backbone]);
      for (const level of levels) {
        assert.equal(level.bins, options.bins ?? 1);
        assert.equal(level.classes.channels, options.classes?.length ?? COLOURS.length);
      }
    });
  }

  it('is refused where objectness is part of it, and where there is none', () => {
    const yolo5 = new GraphBuilder('one convolution a grid');
    const picture = yolo5.input('images', [1, 3, 64, 64]);
    const pooled = yolo5.node('AveragePool', [picture], { kernel_shape: [8, 8], strides: [8, 8] });
    const weights = new Float32Array(27 * 3);
    const raw = yolo5.node('Conv', [
      pooled,
      yolo5.floats([27, 3, 1, 1], weights),
      yolo5.floats([27], new Float32Array(27)),
    ]);
    const sigmoid = yolo5.node('Sigmoid', [yolo5.node('Reshape', [raw, yolo5.integers([1, 9, -1])])]);
    yolo5.output('output0', yolo5.node('Mul', [sigmoid, yolo5.floats([], [2])]), [1, 9, 192]);
    for (const model of [yolo5.build(), new GraphBuilder('nothing').build()]) {
      assert.throws(() => detectHead(model), DetectorUnsupported);
    }
  });

  it('is found, or the file refused, whatever was changed in it', function () {
    this.timeout(180_000);
    const bytes = writeModel(colourDetector({ bins: 16, masks: 4 }).model);
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const damaged = Uint8Array.from(bytes);
        for (const [place, value] of changes) damaged[place] = value;
        try {
          const model = readModel(damaged);
          checkGraph(model.graph as OnnxGraph);
          withClasses(model, ['red', 'new'], seededRandom(1));
        } catch (error) {
          assert.ok(error instanceof InspectionError, String(error));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is that of the reference models, whatever their values are called', function () {
    for (const [path, bins] of [
      ['models/yolo11n-synthetic/model.onnx', 16],
      ['models/yolo26n-untrained.onnx', 1],
      ['models/yolo11n-seg-untrained.onnx', 16],
    ] as const) {
      const { levels, headInputs, neckInputs } = detectHead(readModel(readFileSync(needShared(this, path))));
      assert.deepEqual(
        levels.map((level) => [level.stride, level.bins, level.boxes.channels, level.classes.channels]),
        STRIDES.map((stride) => [stride, bins, 4 * bins, 4]),
      );
      // the layer numbers are those of the published architecture: head 23 reads 16, 19, 22; the neck reads 4, 6, 10
      assert.deepEqual(headInputs.map(layerOf), [16, 19, 22]);
      assert.deepEqual(neckInputs.map(layerOf), [4, 6, 10]);
      assert.ok(levels.every(({ boxes, classes }) => [boxes, classes].every(({ output }) => layerOf(output) === 23)));
      if (bins === 1) assert.ok(levels.every(({ boxes }) => boxes.output.includes('one2one')));
    }
  });
});

describe('a detector with other classes', () => {
  for (const [form, options] of Object.entries({
    rows: {},
    bins: { bins: 16 },
    joined: { bins: 16, joined: true },
  } satisfies Record<string, ColourDetectorOptions>)) {
    it(`gives the same boxes as before when they stay the same (${form})`, async () => {
      const { model } = colourDetector(options);
      const rebuilt = withClasses(model, COLOURS, seededRandom(1));
      const [before, after] = [await run(model, noise(64)), await run(rebuilt, noise(64))];
      assert.deepEqual(after.dims, before.dims);
      assert.ok(difference(before.data, after.data) < 1e-4);
    });
  }

  it('is the reference model when its classes stay the same', async function () {
    this.timeout(180_000);
    const model = readModel(readFileSync(needShared(this, 'models/yolo11n-synthetic/model.onnx')));
    const rebuilt = withClasses(model, describeDetector(model).classes, seededRandom(1));
    const [before, after] = [await run(model, noise(640)), await run(rebuilt, noise(640))];
    assert.deepEqual(
      [before.dims, after.dims],
      [
        [1, 8, 8400],
        [1, 8, 8400],
      ],
    );
    assert.ok(difference(before.data, after.data) < 1e-4);
  });

  it('finds in a final output’s network what that gave', async function () {
    this.timeout(180_000);
    const model = readModel(readFileSync(needShared(this, 'models/yolo26n-untrained.onnx')));
    const rebuilt = withClasses(model, describeDetector(model).classes, seededRandom(1));
    const [before, after] = [await run(model, noise(640)), await run(rebuilt, noise(640))];
    // each final row (corners, confidence, class) is one of the cells (centre, size, probabilities)
    for (let row = 0; row < 20; row += 1) {
      const [left, top, right, bottom, confidence, number] = before.data.subarray(6 * row, 6 * row + 6);
      const same = Array.from({ length: 8400 }, (_, cell) => cell).some((cell) => {
        const [x, y, width, height] = [0, 1, 2, 3].map((channel) => after.data[channel * 8400 + cell]);
        const off = [x - width / 2 - left, y - height / 2 - top, x + width / 2 - right, y + height / 2 - bottom];
        const same = Math.abs(after.data[(4 + number) * 8400 + cell] - confidence) < 1e-5;
        return same && off.every((distance) => Math.abs(distance) < 1e-2);
      });
      assert.ok(same, `row ${row}`);
    }
  });

  it('keeps the rows of classes that stay, by name, and begins new ones as improbable', () => {
    const { model } = colourDetector();
    const rebuilt = withClasses(model, ['blue', 'scratch', 'red'], seededRandom(1));
    const graph = rebuilt.graph as OnnxGraph;
    for (const [place, { classes }] of detectHead(rebuilt).levels.entries()) {
      const old = detectHead(model).levels[place].classes;
      const before = tensorValues(weightOf(model.graph as OnnxGraph, old.weight));
      const after = tensorValues(weightOf(graph, classes.weight));
      const length = before.length / 3;
      assert.deepEqual(after.subarray(0, length), before.subarray(2 * length));
      assert.deepEqual(after.subarray(2 * length), before.subarray(0, length));
      assert.ok(after.subarray(length, 2 * length).every((value) => value !== 0 && Math.abs(value) < 0.1));
      const bias = tensorValues(weightOf(graph, classes.bias as string));
      // log(0.01 / 0.99)
      assert.deepEqual(
        [...bias].map((value) => value.toFixed(3)),
        [place === 0 ? '-4.000' : '-30.000', '-4.595', place === 0 ? '-4.000' : '-30.000'],
      );
    }
    assert.deepEqual(describeDetector(rebuilt).classes, ['blue', 'scratch', 'red']);
  });

  it('says so in its metadata and keeps all else there', () => {
    const props = metadataProps(
      withClasses(colourDetector({ layout: 'end-to-end' }).model, ["it's", 'b'], seededRandom(1)),
    );
    assert.equal(props.names, "{0: 'it\\'s', 1: 'b'}");
    assert.deepEqual(
      [props.end2end, props.task, props.stride, props.imgsz, props.batch],
      ['False', 'detect', '32', '[64, 64]', '1'],
    );
  });

  it('leaves weights alone that another layer shares', () => {
    const { model } = colourDetector();
    const graph = model.graph as OnnxGraph;
    const { levels } = detectHead(model);
    const [first, second] = levels.map(({ classes }) => classes);
    // exporters give equal weights out through Identity; here two biases become one
    const builder = new GraphBuilder('shared');
    builder.output('shared', first.bias as string, [3]);
    const [identity] = (builder.build().graph as OnnxGraph).node;
    const node = [identity, ...graph.node].map((old) =>
      old.output[0] === second.output ? changed(old, { input: [old.input[0], old.input[1], 'shared'] }) : old,
    );
    const rebuilt = withClasses(changed(model, { graph: changed(graph, { node }) }), ['red'], seededRandom(1));
    const biases = detectHead(rebuilt).levels.map(({ classes }) =>
      [...tensorValues(weightOf(rebuilt.graph as OnnxGraph, classes.bias as string))].map(Math.round),
    );
    assert.deepEqual(biases, [[-4], [-4], [-30]]);
  });

  it('can be rebuilt again, the same way with the same seed', () => {
    const once = withClasses(colourDetector({ bins: 16 }).model, ['red', 'new'], seededRandom(1));
    const names = (once.graph as OnnxGraph).node.flatMap(({ output }) => output);
    assert.equal(new Set(names).size, names.length);
    const twice = (seed: number) => Buffer.from(writeModel(withClasses(once, ['new', 'x'], seededRandom(seed))));
    assert.ok(twice(5).equals(twice(5)));
    assert.ok(!twice(5).equals(twice(6)));
  });

  it('has at least one class, and none twice', () => {
    for (const classes of [[], ['a', 'a']]) {
      assert.throws(() => withClasses(colourDetector().model, classes, seededRandom(1)), RangeError);
    }
  });
});

describe('a tail for raw distances and classes', () => {
  it('decodes pictures of any size and number', async () => {
    const { model, cuts } = colourDetector();
    const graph = model.graph as OnnxGraph;
    const { model: open } = colourDetector({ side: null });
    const outputs = [...cuts.boxes, ...cuts.classes];
    const cut = withOutputs(graph, Object.fromEntries(outputs.map((name) => [name, name])));
    const body = changed(model, { graph: changed(cut, { input: (open.graph as OnnxGraph).input }) });
    const levels = STRIDES.map((stride, level) => ({ stride, boxes: cuts.boxes[level], classes: cuts.classes[level] }));
    const tailed = withTail(body, levels, { classes: COLOURS, bins: 1 });
    assert.deepEqual(describeDetector(tailed).input, { name: 'images', width: null, height: null });
    const [width, height] = [96, 32];
    const picture = new Float32Array(2 * 3 * width * height);
    // the second picture has a green cell in column 10, row 2
    for (let y = 16; y < 24; y += 1)
      picture.fill(1, ((3 + 1) * height + y) * width + 80, ((3 + 1) * height + y) * width + 88);
    const { data, dims } = await run(tailed, picture, [2, 3, height, width]);
    const cells = 12 * 4 + 6 * 2 + 3 * 1;
    assert.deepEqual(dims, [2, 7, cells]);
    const cell = 2 * 12 + 10;
    const values = Array.from({ length: 7 }, (_, channel) => data[(7 + channel) * cells + cell]);
    const [left, top, right, bottom] = DISTANCES.map((distance) => 8 * distance);
    const [x, y] = [84, 20];
    const box = [x + (right - left) / 2, y + (bottom - top) / 2, left + right, top + bottom];
    for (const [place, expected] of [...box, 0, SURE, 0].entries()) {
      assert.ok(Math.abs(values[place] - expected) < 1e-3, `${values}`);
    }
  });
});

function layerOf(value: string): number {
  return Number(/model\.(\d+)\//.exec(value)?.[1]);
}

function noise(side: number): Float32Array {
  const random = seededRandom(2);
  return Float32Array.from({ length: 3 * side * side }, () => random());
}

async function run(
  model: OnnxModel,
  picture: Float32Array,
  dims: readonly number[] = [1, 3, Math.sqrt(picture.length / 3), Math.sqrt(picture.length / 3)],
): Promise<{ data: Float32Array; dims: readonly number[] }> {
  const runtime = loadRuntime();
  const session = await runtime.InferenceSession.create(writeModel(model), sessionOptions(1));
  const { output0 } = await session.run({ images: new runtime.Tensor('float32', picture, dims) }, ['output0']);
  await session.release();
  return { data: output0.data as Float32Array, dims: output0.dims };
}

function difference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, place) => Math.max(most, Math.abs(value - b[place])), 0);
}
