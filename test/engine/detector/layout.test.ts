import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { DetectorUnsupported, describeDetector } from '../../../engine/detector';
import { type Dimension, GraphBuilder, OnnxInvalid, type OnnxModel, writeModel } from '../../../engine/onnx';
import { colourDetector, metadataOf } from '../../support/detector-networks';
import { needShared } from '../../support/shared-data';

type Shape = readonly Dimension[];

/** A graph with nothing in it but its input and outputs. */
function shaped(
  output: Shape | readonly Shape[],
  options: { input?: Shape; metadata?: Record<string, string> } = {},
): OnnxModel {
  const graph = new GraphBuilder('shapes');
  const input = graph.input('images', options.input ?? [1, 3, 640, 640]);
  const outputs = (Array.isArray(output[0]) ? output : [output]) as readonly Shape[];
  for (const [place, dims] of outputs.entries()) graph.output(`output${place}`, input, dims);
  return graph.build(options.metadata);
}

const OPEN: Shape = ['batch', 3, 'height', 'width'];
const FOUR = metadataOf(['a', 'b', 'c', 'd'], 640);
const { end2end: _, ...OLD } = FOUR;

describe('what a detector is', () => {
  // 640 pixels: 80² + 40² + 20² = 8400 cells; YOLOv5 has three boxes a cell
  const known: readonly (readonly [string, OnnxModel, { layout: string; classes: number; extraMasks?: number }])[] = [
    ['YOLOv8 and 11', shaped([1, 84, 8400]), { layout: 'rows', classes: 80 }],
    ['the same with names', shaped([1, 8, 8400], { metadata: FOUR }), { layout: 'rows', classes: 4 }],
    ['its transpose', shaped([1, 8400, 84]), { layout: 'columns', classes: 80 }],
    ['its transpose with names', shaped([1, 8400, 8], { metadata: FOUR }), { layout: 'columns', classes: 4 }],
    ['YOLOv5', shaped([1, 25200, 85]), { layout: 'objectness', classes: 80 }],
    ['YOLOv5 with names', shaped([1, 25200, 9], { metadata: OLD }), { layout: 'objectness', classes: 4 }],
    ['YOLO26', shaped([1, 300, 6], { metadata: { ...FOUR, end2end: 'True' } }), { layout: 'end-to-end', classes: 4 }],
    [
      'an export with its suppression inside',
      shaped([1, 300, 6], { metadata: { ...FOUR, end2end: 'False', args: "{'nms': True}" } }),
      { layout: 'end-to-end', classes: 4 },
    ],
    ['an older end-to-end export', shaped([1, 300, 6], { metadata: OLD }), { layout: 'end-to-end', classes: 4 }],
    [
      'a segmenting one',
      shaped(
        [
          [1, 40, 8400],
          [1, 32, 160, 160],
        ],
        { metadata: { ...FOUR, task: 'segment' } },
      ),
      { layout: 'rows', classes: 4, extraMasks: 32 },
    ],
    [
      'a segmenting YOLOv5',
      shaped(
        [
          [1, 25200, 41],
          [1, 32, 160, 160],
        ],
        { metadata: { ...OLD, task: 'segment' } },
      ),
      { layout: 'objectness', classes: 4, extraMasks: 32 },
    ],
    [
      'a segmenting end-to-end one',
      shaped(
        [
          [1, 300, 38],
          [1, 32, 160, 160],
        ],
        { metadata: { ...FOUR, task: 'segment', end2end: 'True' } },
      ),
      { layout: 'end-to-end', classes: 4, extraMasks: 32 },
    ],
    [
      'one with open sizes',
      shaped(['batch', 8, 'cells'], { input: OPEN, metadata: FOUR }),
      { layout: 'rows', classes: 4 },
    ],
    ['open sizes without names', shaped(['batch', 8, 'cells'], { input: OPEN }), { layout: 'rows', classes: 4 }],
    ['an oblong one', shaped([1, 8, 3360], { input: [1, 3, 256, 640] }), { layout: 'rows', classes: 4 }],
    ['a fourth grid of stride 64', shaped([1, 84, 8500]), { layout: 'rows', classes: 80 }],
    [
      'two classes where six numbers could be final, told by the cells',
      shaped([1, 300, 6], { metadata: { ...OLD, names: "['a', 'b']" } }),
      { layout: 'end-to-end', classes: 2 },
    ],
  ];
  for (const [what, model, { layout, classes, extraMasks = 0 }] of known) {
    it(`is told of ${what}`, () => {
      const found = describeDetector(model);
      assert.deepEqual([found.layout, found.classes.length, found.extraMasks], [layout, classes, extraMasks]);
    });
  }

  it('has the names of its metadata, or numbers for names', () => {
    assert.deepEqual(describeDetector(shaped([1, 8, 8400], { metadata: FOUR })).classes, ['a', 'b', 'c', 'd']);
    assert.deepEqual(describeDetector(shaped([1, 6, 8400])).classes, ['class0', 'class1']);
    const listed = { ...FOUR, names: "{1: 'it\\'s', 0: \"a 'b'\", 2: 3, 3: 'ü'}" };
    assert.deepEqual(describeDetector(shaped([1, 8, 8400], { metadata: listed })).classes, ["a 'b'", "it's", '3', 'ü']);
  });

  it('has the size it was exported for where its input is open', () => {
    const metadata = { ...FOUR, imgsz: '[416, 608]' };
    const { input, size, stride } = describeDetector(shaped(['n', 8, 'cells'], { input: OPEN, metadata }));
    assert.deepEqual([input.width, input.height, size, stride], [null, null, { width: 608, height: 416 }, 32]);
    assert.deepEqual(describeDetector(shaped(['n', 8, 'c'], { input: OPEN })).size, { width: 640, height: 640 });
  });

  const refused: readonly (readonly [string, OnnxModel, RegExp])[] = [
    [
      'which of two layouts it has',
      shaped([1, 84, 84], { input: [1, 3, 64, 64] }),
      /could be "rows" with 80 classes or "columns"/,
    ],
    ['whether six numbers are two classes', shaped([1, 8400, 6]), /could be "columns" with 2 classes or "end-to-end"/],
    [
      'whether there is an objectness',
      shaped(['n', 'cells', 85], { input: OPEN }),
      /could be "columns" with 81 classes or "objectness" with 80/,
    ],
    ['how many classes there are', shaped([1, 300, 6]), /does not tell how many classes/],
    [
      'names for all of its rows',
      shaped([1, 9, 8400], { metadata: FOUR }),
      /name 4 classes, but its output \[1, 9, 8400\] has 5/,
    ],
    [
      'a final output',
      shaped([1, 8, 8400], { metadata: { ...FOUR, end2end: 'True' } }),
      /its metadata say that its output is final/,
    ],
    ['a known layout', shaped([1, 7, 11]), /none of the layouts/],
    ['boxes', shaped([1, 1000]), /none of its outputs \(output0 \[1, 1000\]\) has three dimensions/],
    [
      'one output of boxes',
      shaped([
        [1, 8, 8400],
        [1, 8, 8400],
      ]),
      /more than one of its outputs/,
    ],
    ['a task with boxes', shaped([1, 56, 8400], { metadata: { ...FOUR, task: 'pose' } }), /its task is "pose"/],
    ['one picture a run', shaped([4, 8, 8400], { input: [4, 3, 640, 640] }), /takes 4 pictures/],
    ['a colour picture', shaped([1, 8, 8400], { input: [1, 1, 640, 640] }), /not \[1, 3, height, width\]/],
    [
      'a readable list of names',
      shaped([1, 8, 8400], { metadata: { ...FOUR, names: '{0: open("x")}' } }),
      /names .* cannot be read/,
    ],
    ['names without gaps', shaped([1, 8, 8400], { metadata: { ...FOUR, names: "{0: 'a', 5: 'b'}" } }), /without gaps/],
    [
      'a size that fits memory',
      shaped([1, 8, 'c'], { input: OPEN, metadata: { ...FOUR, imgsz: '99999' } }),
      /99999 pixels/,
    ],
  ];
  for (const [what, model, sentence] of refused) {
    it(`is refused with a sentence when it lacks ${what}`, () => {
      assert.throws(
        () => describeDetector(model),
        (error) =>
          error instanceof DetectorUnsupported && sentence.test(error.message) && error.reason === 'model-invalid',
      );
    });
  }

  it('is read from the bytes of a file, too, and damaged ones are named', () => {
    assert.equal(describeDetector(writeModel(colourDetector().model)).layout, 'rows');
    assert.throws(() => describeDetector(Buffer.from('no model')), OnnxInvalid);
  });

  it('is told of the reference models', function () {
    const cases = [
      ['models/yolo11n-synthetic/model.onnx', 'rows', 0],
      ['models/yolo26n-untrained.onnx', 'end-to-end', 0],
      ['models/yolo11n-seg-untrained.onnx', 'rows', 32],
    ] as const;
    for (const [path, layout, extraMasks] of cases) {
      const found = describeDetector(readFileSync(needShared(this, path)));
      assert.deepEqual([found.layout, found.extraMasks], [layout, extraMasks]);
      assert.deepEqual(found.classes, ['scratch', 'pit', 'stain', 'crack']);
      assert.deepEqual(found.size, { width: 640, height: 640 });
    }
  });
});
