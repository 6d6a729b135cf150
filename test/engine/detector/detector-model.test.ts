import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import {
  type DetectionResult,
  type DetectOptions,
  DetectorModel,
  DetectorNotFound,
  DetectorUnsupported,
} from '../../../engine/detector';
import { type Box, type Detection, InvalidInput, sha256Of } from '../../../engine/domain';
import { PictureUnreadable } from '../../../engine/imaging';
import { OnnxInvalid, writeModel } from '../../../engine/onnx';
import { type ColourDetectorOptions, colourDetector, SURE } from '../../support/detector-networks';
import { BLUE, GREEN, painted, RED } from '../../support/pictures-of-marks';
import { needShared } from '../../support/shared-data';

async function withDetector<T>(options: ColourDetectorOptions, use: (model: DetectorModel) => Promise<T>): Promise<T> {
  const model = await DetectorModel.open({ bytes: writeModel(colourDetector(options).model), name: 'colours.onnx' });
  try {
    return await use(model);
  } finally {
    await model.dispose();
  }
}

describe('a detector', () => {
  // of the cell 16..24, 32..40 (centre 20, 36) by 4, 8, 12 and 16 pixels to each side
  const CELL = { x: 16, y: 28, width: 16, height: 24 };
  const cell = () => painted(64, 64, [[GREEN, 16, 32, 8, 8]]);

  for (const options of [
    { layout: 'rows' },
    { layout: 'rows', bins: 16 },
    { layout: 'columns' },
    { layout: 'objectness' },
    { layout: 'end-to-end' },
    { layout: 'rows', masks: 4 },
    { layout: 'end-to-end', masks: 4 },
  ] satisfies ColourDetectorOptions[]) {
    it(`finds a green cell with ${Object.values(options).join(', ')}`, async () => {
      const { detections } = await withDetector(options, async (model) => model.detect(await cell()));
      assert.equal(detections.length, 1);
      assert.equal(detections[0].label, 'green');
      assert.ok(Math.abs(detections[0].confidence - SURE) < 1e-5);
      near(detections[0].box, CELL);
    });
  }

  it('gives boxes in pixels of the picture, whatever its size, cut at its edge', async () => {
    // 192 x 96 in 64 x 64: a third; 16 rows above are grey. Cells of 24 pixels; the one at 0, 0 reaches beyond the edge.
    const picture = await painted(192, 96, [
      [RED, 96, 48, 24, 24],
      [BLUE, 0, 0, 24, 24],
    ]);
    const result = await withDetector({}, (model) => model.detect(picture));
    assert.deepEqual(result.picture, { width: 192, height: 96 });
    const boxes = new Map(result.detections.map(({ label, box }) => [label, box]));
    near(boxes.get('red') as Box, { x: 108 - 12, y: 60 - 24, width: 48, height: 72 - 12 });
    near(boxes.get('blue') as Box, { x: 0, y: 0, width: 12 + 36, height: 12 + 48 });
  });

  it('counts from the confidence told, for all classes or one', async () => {
    const picture = await painted(64, 64, [
      [RED, 0, 0, 8, 8],
      [GREEN, 40, 40, 8, 8],
    ]);
    await withDetector({}, async (model) => {
      const labels = async (options: Parameters<typeof model.detect>[1]) =>
        (await model.detect(picture, options)).detections.map(({ label }) => label).sort();
      assert.deepEqual(await labels({}), ['green', 'red']);
      assert.deepEqual(await labels({ confidence: 0.99 }), []);
      assert.deepEqual(await labels({ perClass: { red: 0.99 } }), ['green']);
      assert.deepEqual(await labels({ confidence: 0.99, perClass: { red: 0.5 } }), ['red']);
      const { thresholds } = await model.detect(picture, { perClass: { red: 0.99 } });
      assert.deepEqual(thresholds, { confidence: 0.25, perClass: { red: 0.99 } });
    });
  });

  it('looks at the region of interest only', async () => {
    const picture = await painted(128, 128, [
      [RED, 8, 8, 16, 16],
      [GREEN, 80, 80, 8, 8],
    ]);
    const roi = { x: 0.5, y: 0.5, width: 0.5, height: 0.5 };
    const { detections } = await withDetector({}, (model) => model.detect(picture, { roi }));
    // the region is 64 pixels, so a cell is 8: the green one
    assert.deepEqual(
      detections.map(({ label }) => label),
      ['green'],
    );
    near(detections[0].box, { x: 80, y: 76, width: 16, height: 24 });
  });

  it('finds in tiles what is too small in the whole, once', async () => {
    // 8 of 256 pixels are 2 in the input; in 4 x 4 tiles without overlap they are one cell
    const picture = await painted(256, 256, [
      [BLUE, 72, 136, 8, 8],
      [RED, 200, 24, 8, 8],
    ]);
    await withDetector({}, async (model) => {
      assert.deepEqual((await model.detect(picture)).detections, []);
      const tiled = await model.detect(picture, { tiles: { columns: 4, rows: 4, overlap: 0 } });
      assert.deepEqual(tiled.detections.map(({ label }) => label).sort(), ['blue', 'red']);
      near(tiled.detections.find(({ label }) => label === 'blue')?.box as Box, {
        x: 72,
        y: 132,
        width: 16,
        height: 24,
      });
      assert.ok(tiled.milliseconds.total >= tiled.milliseconds.session);
    });
  });

  it('gives at most so many, the most confident first', async () => {
    const picture = await painted(64, 64, [
      [[255, 60, 0], 0, 0, 8, 8],
      [GREEN, 40, 40, 8, 8],
    ]);
    await withDetector({}, async (model) => {
      const labels = (await model.detect(picture)).detections.map(({ label }) => label);
      assert.deepEqual(labels, ['green', 'red']);
      assert.equal((await model.detect(picture, { maxDetections: 1 })).detections[0].label, 'green');
    });
  });

  it('refuses wishes out of range and classes it does not know', async () => {
    const picture = await cell();
    await withDetector({}, async (model) => {
      const wrong: DetectOptions[] = [
        { confidence: 1.5 },
        { iou: -1 },
        { maxDetections: 0 },
        { perClass: { purple: 0.5 } },
        { perClass: { red: Number.NaN } },
        { roi: { x: 0.9, y: 0, width: 0.5, height: 1 } },
        { tiles: { columns: 0, rows: 1, overlap: 0 } },
      ];
      for (const options of wrong) {
        await assert.rejects(model.detect(picture, options), InvalidInput);
      }
      await assert.rejects(model.detect(picture.subarray(0, 40)), PictureUnreadable);
    });
  });

  it('is called after its file, and says when there is none, or none that can be used', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'detector-'));
    try {
      const bytes = writeModel(colourDetector().model);
      const file = join(folder, 'colours.onnx');
      await writeFile(file, bytes);
      const model = await DetectorModel.open({ file });
      assert.deepEqual(model.model, { name: 'colours', version: sha256Of(bytes).slice(0, 12) });
      await model.dispose();
      await assert.rejects(DetectorModel.open({ file: join(folder, 'no.onnx') }), (error) => {
        return error instanceof DetectorNotFound && error.reason === 'no-model' && error.message.includes('no.onnx');
      });
      await assert.rejects(DetectorModel.open({ bytes: Buffer.from('nonsense') }), OnnxInvalid);
      const broken = writeModel(colourDetector({ metadata: { names: "['red']", task: 'detect' } }).model);
      await assert.rejects(DetectorModel.open({ bytes: broken }), DetectorUnsupported);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('finds every box that the original implementation finds, within a pixel and 0.01', async function () {
    this.timeout(180_000);
    const path = needShared(this, 'models/yolo11n-synthetic/expected.json');
    // x1, y1, x2, y2, confidence, class
    const { names, images } = JSON.parse(readFileSync(path, 'utf8')) as {
      names: string[];
      images: Record<string, number[][]>;
    };
    const model = await DetectorModel.open({ file: join(dirname(path), 'model.onnx') });
    try {
      for (const [name, boxes] of Object.entries(images)) {
        const picture = await readFile(join(dirname(path), name));
        const { detections } = await model.detect(picture, { confidence: 0.05, iou: 0.7 });
        assert.equal(detections.length, boxes.length, name);
        const free = new Set(detections);
        for (const [left, top, right, bottom, confidence, number] of boxes) {
          const expected = {
            label: names[number],
            confidence,
            box: { x: left, y: top, width: right - left, height: bottom - top },
          };
          const partner = [...free].find((detection) => isSame(detection, expected));
          assert.ok(partner, `${name}: ${JSON.stringify(expected)}`);
          free.delete(partner);
        }
      }
    } finally {
      await model.dispose();
    }
  });

  it('runs end-to-end and segmenting exports', async function () {
    this.timeout(180_000);
    for (const path of ['models/yolo26n-untrained.onnx', 'models/yolo11n-seg-untrained.onnx']) {
      const model = await DetectorModel.open({ file: needShared(this, path) });
      const picture = await readFile(needShared(this, 'models/yolo11n-synthetic/t640.png'));
      const result: DetectionResult = await model.detect(picture, { confidence: 0.0001 });
      await model.dispose();
      assert.equal(result.detections.length > 0, true, basename(path));
      for (const { label, box } of result.detections) {
        assert.ok(['scratch', 'pit', 'stain', 'crack'].includes(label));
        assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= 640.001 && box.y + box.height <= 640.001);
      }
    }
  });
});

function near(box: Box, expected: Box): void {
  for (const side of ['x', 'y', 'width', 'height'] as const) {
    assert.ok(Math.abs(box[side] - expected[side]) < 0.01, `${JSON.stringify(box)}, not ${JSON.stringify(expected)}`);
  }
}

function isSame(a: Detection, b: Detection): boolean {
  const off = [
    a.box.x - b.box.x,
    a.box.y - b.box.y,
    a.box.x + a.box.width - b.box.x - b.box.width,
    a.box.y + a.box.height - b.box.y - b.box.height,
  ];
  return a.label === b.label && Math.abs(a.confidence - b.confidence) <= 0.01 && off.every((by) => Math.abs(by) <= 1);
}
