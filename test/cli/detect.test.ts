import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { detect } from '../../cli/detect';
import { WrongUse } from '../../cli/output';
import { writeDetectorPackage } from '../../engine/detector';
import type { Detection } from '../../engine/domain';
import { writeModel } from '../../engine/onnx';
import { IMPORTED_DETECTOR } from '../support/detector-facts';
import { colourDetector } from '../support/detector-networks';
import { BLUE, GREEN, painted, RED } from '../support/pictures-of-marks';
import { CLI_LIMIT_MS, lastLine, optiQuality } from './run';

interface Output {
  readonly model: { readonly name: string; readonly classes: readonly string[] };
  readonly results: readonly { readonly file: string; readonly detections: readonly Detection[] }[];
  readonly failed: readonly { readonly file: string; readonly reason: string }[];
}

describe('opti-quality detect', function () {
  this.timeout(CLI_LIMIT_MS);
  let folder: string;
  const path = (...parts: string[]) => join(folder, ...parts);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'detect-'));
    await mkdir(path('pictures'));
    await mkdir(path('empty'));
    const bytes = writeModel(colourDetector().model);
    await writeFile(path('colours.onnx'), bytes);
    await writeFile(path('pictures', 'a.png'), await painted(64, 64, [[RED, 16, 32, 8, 8]]));
    await writeFile(path('pictures', 'b.png'), await painted(64, 64, []));
    await writeFile(path('pictures', 'broken.jpg'), 'no picture');
    await writeFile(
      path('small.png'),
      await painted(256, 256, [
        [GREEN, 72, 136, 8, 8],
        [BLUE, 8, 8, 8, 8],
      ]),
    );
    const facts = { ...IMPORTED_DETECTOR, thresholds: { confidence: 0.99, perClass: {} } };
    await writeDetectorPackage(path('package'), bytes, facts, { golden: [] });
  });

  after(() => rm(folder, { recursive: true }));

  it('finds what is in pictures and folders; one that cannot be read is named and the rest goes on', async () => {
    const outcome = await optiQuality([
      'detect',
      '--model',
      path('colours.onnx'),
      path('pictures'),
      path('none.png'),
      path('empty'),
    ]);
    assert.equal(outcome.code, 1);
    assert.deepEqual(outcome.stdout.trim().split('\n'), [
      `${path('pictures', 'a.png')}: 1 found`,
      '  0.982  red  16.0,28.0 16.0x24.0',
      `${path('pictures', 'b.png')}: 0 found`,
    ]);
    assert.match(outcome.stderr, /broken\.jpg: .*not a JPEG or PNG/);
    assert.match(outcome.stderr, /none\.png: there is no such file/);
    assert.match(outcome.stderr, /empty: .*holds no pictures/);
  });

  it('gives all of it as one JSON line', async () => {
    const outcome = await optiQuality(['detect', '--model', path('colours.onnx'), '--json', path('pictures')]);
    const { model, results, failed } = lastLine<Output>(outcome);
    assert.deepEqual([outcome.code, model.name, model.classes], [1, 'colours', ['red', 'green', 'blue']]);
    assert.deepEqual(
      results.map(({ detections }) => detections.map(({ label, box }) => [label, box])),
      [[['red', { x: 16, y: 28, width: 16, height: 24 }]], []],
    );
    assert.deepEqual(
      failed.map(({ file }) => file),
      [path('pictures', 'broken.jpg')],
    );
  });

  it('looks at parts one by one, or at one region, and counts from the confidence told', async () => {
    const small = ['--model', path('colours.onnx'), '--json', path('small.png')];
    const labels = async (...options: string[]) => {
      const outcome = await optiQuality(['detect', ...small, ...options]);
      assert.equal(outcome.code, 0, outcome.stderr);
      return lastLine<Output>(outcome).results[0].detections.map(({ label }) => label);
    };
    const tiles = ['--tiles', '4x4', '--overlap', '0'];
    assert.deepEqual((await labels(...tiles)).sort(), ['blue', 'green']);
    assert.deepEqual(await labels('--roi', '25,50,25,25'), ['green']);
    assert.deepEqual(await labels(...tiles, '--class-confidence', 'blue=0.99'), ['green']);
  });

  it('takes a model package with its own thresholds', async () => {
    const order = ['detect', '--model', path('package'), '--json', path('pictures', 'a.png')];
    const own = lastLine<Output>(await optiQuality(order));
    assert.deepEqual([own.model.name, own.results[0].detections], ['plate.detector', []]);
    const told = lastLine<Output>(await optiQuality([...order, '--confidence', '0.5']));
    assert.equal(told.results[0].detections.length, 1);
  });

  it('tells what it was called with wrongly', async () => {
    const picture = path('pictures', 'a.png');
    const model = ['--model', path('colours.onnx')];
    for (const wrong of [
      [picture],
      model,
      [...model, picture, '--confidence', '2'],
      [...model, picture, '--tiles', '0x1'],
      [...model, picture, '--overlap', '10'],
      [...model, picture, '--class-confidence', 'red'],
      [...model, picture, '--class-confidence', 'purple=0.5'],
    ]) {
      await assert.rejects(detect(wrong), (error) => error instanceof WrongUse);
    }
    const missing = await optiQuality(['detect', '--model', path('none.onnx'), '--json', picture]);
    assert.equal(missing.code, 1);
    assert.equal(lastLine<{ error: { code: string } }>(missing).error.code, 'detector-not-found');
  });
});
