import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeDetector } from '../../engine/detector';
import { packageRoot } from '../../engine/domain';
import { readModel } from '../../engine/onnx';
import { smallDetectorFile } from '../engine/learning/detector-training/small-detector';
import { squares } from '../engine/learning/detector-training/squares';
import { CLI_LIMIT_MS, lastLine, optiQuality } from './run';

interface Report {
  readonly model: string | null;
  readonly map50: { readonly before: number | null; readonly after: number };
  readonly seconds: number;
  readonly peakMemoryBytes: number;
  readonly gate: { readonly accepted: boolean; readonly reasons: readonly { readonly code: string }[] };
}

describe('opti-quality finetune', function () {
  this.timeout(CLI_LIMIT_MS);
  let folder: string;
  let data: string;
  let model: string;
  let out: string;
  const run = (...args: string[]) => optiQuality(['finetune', '--model', model, '--data', data, '--out', out, ...args]);
  const quick = ['--level', 'full', '--input-size', '64', '--batch', '4', '--learning-rate', '0.01', '--json'];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'finetune-cli-'));
    model = join(folder, 'base.onnx');
    out = join(folder, 'new.onnx');
    await writeFile(model, smallDetectorFile());
    data = await writeDataset(join(folder, 'data'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('writes the new detector and tells what it achieved', async () => {
    const outcome = await run(...quick, '--epochs', '5');
    assert.equal(outcome.code, 0, outcome.stderr);
    const report = lastLine<Report>(outcome);
    assert.equal(report.model, out);
    assert.ok(report.map50.after > 0.3 && report.map50.after > (report.map50.before ?? 1));
    assert.ok(report.seconds > 0 && report.peakMemoryBytes > 1e6);
    assert.ok(report.gate.accepted);
    assert.match(outcome.stderr, /needs about \d+ MB of memory/);
    assert.match(outcome.stderr, /train {2}epoch 5\/5 {2}loss/);
    assert.deepEqual(describeDetector(readModel(await readFile(out))).classes, ['red', 'green']);
    assert.ok(!existsSync(`${out}.checkpoint`));
  });

  it('overwrites nothing', async () => {
    const before = await readFile(out);
    const outcome = await run(...quick, '--epochs', '1');
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /exists already/);
    assert.ok(before.equals(await readFile(out)));
  });

  it('writes nothing that the gate refuses, unless it is told to', async () => {
    const good = join(folder, 'good.onnx');
    await copyFile(out, good);
    await rm(out);
    const again = (...args: string[]) =>
      optiQuality(['finetune', '--model', good, '--data', data, '--out', out, ...quick, '--epochs', '1', ...args]);
    const spoilt = ['--learning-rate', '0.1'];
    const refused = await again(...spoilt);
    assert.equal(refused.code, 1, refused.stderr);
    const report = lastLine<Report>(refused);
    assert.equal(report.model, null);
    assert.ok(report.gate.reasons.length > 0);
    assert.ok(!existsSync(out));
    const kept = await again(...spoilt, '--keep-refused');
    assert.equal(kept.code, 1);
    assert.equal(lastLine<Report>(kept).model, out);
    assert.ok(existsSync(out));
  });

  it('ends at an interrupt without a result, and goes on from there when it is told to', async () => {
    // with epochs enough to be interrupted in
    const target = join(folder, 'later.onnx');
    const entry = join(packageRoot, 'cli', 'opti-quality.ts');
    const args = ['finetune', '--model', model, '--data', data, '--out', target, ...quick, '--epochs', '20'];
    const child = spawn(process.execPath, ['--import', 'tsx', entry, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    let isTold = false;
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      // a second interrupt would end the process at once
      if (text.includes('epoch 2/20') && !isTold) isTold = child.kill('SIGINT');
    });
    const [code] = await once(child, 'close');
    assert.equal(code, 1, text);
    assert.match(text, /cancelled; --resume goes on after the last epoch/);
    assert.ok(!existsSync(target));
    const otherwise = await optiQuality([...args, '--resume', '--learning-rate', '0.0123']);
    assert.equal(otherwise.code, 1);
    assert.match(otherwise.stderr, /had other settings, pictures, or another detector to start from/);
    const resumed = await optiQuality([...args, '--resume', '--keep-refused']);
    const { notes } = lastLine<{ notes: readonly string[] }>(resumed);
    assert.match(notes[0], /^Went on after epoch \d+ of an interrupted training/);
    assert.ok(existsSync(target));
  });

  it('tells wrong use from failure', async () => {
    const missing = await optiQuality(['finetune', '--model', model, '--data', data]);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /--out is missing/);
    assert.equal(
      (await optiQuality(['finetune', '--model', model, '--data', data, '--out', 'x', '--level', 'all'])).code,
      2,
    );
    const nowhere = await optiQuality([
      'finetune',
      '--model',
      join(folder, 'none'),
      '--data',
      data,
      '--out',
      join(folder, 'y'),
    ]);
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.stderr, /there is no such file/);
  });
});

/** The squares as a YOLO dataset. */
async function writeDataset(folder: string): Promise<string> {
  const { pictures, classes } = await squares(join(folder, 'all'), { train: 24, val: 10 });
  for (const { id, path, split, boxes } of pictures) {
    await mkdir(join(folder, 'images', split), { recursive: true });
    await mkdir(join(folder, 'labels', split), { recursive: true });
    await copyFile(path, join(folder, 'images', split, id));
    const lines = (boxes ?? []).map(({ label, box: { x, y, width, height } }) =>
      [classes.indexOf(label), (x + width / 2) / 64, (y + height / 2) / 64, width / 64, height / 64].join(' '),
    );
    await writeFile(join(folder, 'labels', split, id.replace('.jpg', '.txt')), lines.join('\n'));
  }
  const file = join(folder, 'data.yaml');
  await writeFile(file, 'path: .\ntrain: images/train\nval: images/val\nnames:\n  0: red\n  1: green\n');
  return file;
}
