import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPictureHeader } from '../../engine/imaging';
import type { DetectionMetrics } from '../../engine/statistics';
import { filesIn } from '../engine/datasets/files';
import { needShared } from '../support/shared-data';
import { CLI_LIMIT_MS, lastLine, optiQuality } from './run';

interface Expected {
  names: string[];
  /** left, top, right, bottom, confidence, class */
  images: Record<string, [number, number, number, number, number, number][]>;
}

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'evaluate-detector-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

describe('opti-quality evaluate-detector', function () {
  this.timeout(CLI_LIMIT_MS);

  /** True boxes are those that the original implementation finds: a detector that equals it finds all of them first. */
  it('gives 1 to a detector that finds every box before anything else', async function () {
    const source = needShared(this, 'models/yolo11n-synthetic');
    const { names, images } = JSON.parse(readFileSync(join(source, 'expected.json'), 'utf8')) as Expected;
    const files: Record<string, string | Buffer> = {
      'data.yaml': `train: images/train\ntest: images/test\nnames: [${names.join(', ')}]\n`,
    };
    let count = 0;
    for (const [name, found] of Object.entries(images)) {
      const picture = readFileSync(join(source, name));
      const { width, height } = readPictureHeader(picture);
      const sure = found.filter(([, , , , confidence]) => confidence > 0.25);
      count += sure.length;
      const lines = sure.map(([x1, y1, x2, y2, , label]) =>
        [label, (x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height].join(' '),
      );
      // their names differ in the extension alone
      const stem = name.replace('.', '-');
      const extension = name.replace(/^.*\./, '');
      files[`images/test/${stem}.${extension}`] = picture;
      files[`labels/test/${stem}.txt`] = lines.join('\n');
    }
    const data = join(filesIn(folder, files), 'data.yaml');
    const args = ['evaluate-detector', '--model', join(source, 'model.onnx'), '--data', data, '--split', 'test'];
    const outcome = await optiQuality([...args, '--json', '--resamples', '20']);
    assert.equal(outcome.code, 0, outcome.stderr);
    const { map50, map5095, perClass, confusion, intervals, pictures } = lastLine<
      DetectionMetrics & { pictures: number }
    >(outcome);
    assert.deepEqual([map50, map5095, pictures], [1, 1, 3]);
    assert.deepEqual(intervals.map50, { low: 1, high: 1 });
    assert.equal(
      perClass.reduce((sum, one) => sum + one.count, 0),
      count,
    );
    assert.equal(
      confusion.matrix.flat().reduce((sum, value) => sum + value, 0),
      count,
      'nothing but hits at the best confidence',
    );
  });

  it('prints no precision of a class that was not found, and keeps the columns of the confusion apart', async function () {
    const source = needShared(this, 'models/yolo11n-synthetic');
    const { names, images } = JSON.parse(readFileSync(join(source, 'expected.json'), 'utf8')) as Expected;
    const [name] = Object.keys(images).filter((other) => images[other].length > 0);
    const [known] = names;
    const data = filesIn(join(folder, 'long'), {
      'data.yaml': `train: images/train\nval: images/val\nnames: [${known}, a-very-long-name]\n`,
      [`images/val/${name}`]: readFileSync(join(source, name)),
      [`labels/val/${name.replace(/\.[^.]*$/, '.txt')}`]: '0 0.5 0.5 0.1 0.1\n1 0.5 0.5 0.2 0.2\n',
    });
    const args = ['evaluate-detector', '--model', join(source, 'model.onnx'), '--data', data, '--resamples', '2'];
    const outcome = await optiQuality(args);
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stdout, /a-very-long-name +0\.000 +0\.000 +- +0\.000 +0\.000 +1\n/);
    assert.match(outcome.stdout, /is \\ found .* a-very-long-name +background\n/);
  });

  it('says what is missing', async function () {
    const model = join(needShared(this, 'models/yolo11n-synthetic'), 'model.onnx');
    assert.equal((await optiQuality(['evaluate-detector', '--model', model])).code, 2);
    const data = join(filesIn(join(folder, 'empty'), { 'data.yaml': 'train: images\nnames: [pit]\n' }), 'data.yaml');
    const outcome = await optiQuality(['evaluate-detector', '--model', model, '--data', data]);
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /names no pictures/);
  });
});
