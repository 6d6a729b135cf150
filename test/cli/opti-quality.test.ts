import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { packageRoot } from '../../engine/domain';
import { blotOf, drawPicture } from '../engine/patchcore/pictures';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function optiQuality(...args: string[]): Promise<Outcome> {
  const entry = join(packageRoot, 'cli', 'opti-quality.ts');
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', entry, ...args], { cwd: packageRoot }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

function lastLine<T>({ stdout }: Outcome): T {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as T;
}

interface Evaluation {
  readonly imageAuroc: number;
  readonly pixelAuroc: number | null;
  readonly pro: number | null;
  readonly f1Max: number;
  readonly latencyMs: { readonly p50: number; readonly p95: number };
  readonly counts: Record<'good' | 'defective', Record<'total' | 'OK' | 'REVIEW' | 'NG', number>>;
  readonly skipped: readonly unknown[];
}

describe('opti-quality', function () {
  this.timeout(120_000);
  let folder: string;
  let model: string;
  const path = (...parts: string[]) => join(folder, ...parts);
  const small = ['--input-size', '96', '--bank-size', '200'];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cli-'));
    model = path('model');
    for (const name of ['train', 'ok', 'ng', 'masks', 'empty']) await mkdir(path(name));
    for (let seed = 0; seed < 16; seed += 1) await writeFile(path('train', `${seed}.jpg`), await drawPicture({ seed }));
    await writeFile(path('train', 'broken.jpg'), 'no picture');
    await writeFile(path('train', 'readme.txt'), 'no picture either, and no picture name');
    for (let seed = 100; seed < 105; seed += 1) {
      await writeFile(path('ok', `${seed}.jpg`), await drawPicture({ seed }));
      await writeFile(path('ng', `${seed}.jpg`), await drawPicture({ seed, defective: true }));
      const { x, y, width, height } = blotOf({ seed });
      const blot = { input: { create: { width, height, channels: 3 as const, background: 'white' } }, left: x, top: y };
      const black = { create: { width: 160, height: 120, channels: 3 as const, background: 'black' } };
      await sharp(black)
        .composite([blot])
        .png()
        .toFile(path('masks', `${seed}_mask.png`));
    }
    const outcome = await optiQuality(
      'train',
      '--part-type',
      'weave',
      '--ok',
      path('train'),
      '--out',
      model,
      ...small,
      '--json',
    );
    assert.equal(outcome.code, 0, outcome.stderr);
    const result = lastLine<{ pictures: unknown; skipped: { name: string }[]; model: string; thresholds: unknown }>(
      outcome,
    );
    assert.equal(result.model, model);
    assert.deepEqual(result.pictures, { used: 16, bank: 10, calibration: 6, skipped: 1 });
    assert.deepEqual(
      result.skipped.map(({ name }) => name),
      [path('train', 'broken.jpg')],
    );
    assert.match(outcome.stderr, /100 %/);
    assert.match(outcome.stderr, /broken\.jpg/);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('prints the figures of an evaluation under stable names', async () => {
    const outcome = await optiQuality(
      'evaluate',
      '--model',
      model,
      '--ok',
      path('ok'),
      '--defects',
      path('ng'),
      '--masks',
      path('masks'),
      '--json',
    );
    assert.equal(outcome.code, 0, outcome.stderr);
    const report = lastLine<Evaluation>(outcome);
    assert.equal(report.imageAuroc, 1);
    assert.equal(report.f1Max, 1);
    assert.ok(report.pixelAuroc! > 0.9 && report.pixelAuroc! <= 1, `${report.pixelAuroc}`);
    assert.ok(report.pro! > 0.5 && report.pro! <= 1, `${report.pro}`);
    assert.ok(report.latencyMs.p50 > 0 && report.latencyMs.p95 >= report.latencyMs.p50);
    assert.equal(report.counts.good.total, 5);
    assert.deepEqual(report.counts.defective.OK + report.counts.defective.REVIEW + report.counts.defective.NG, 5);
  });

  it('leaves the pixel figures empty without masks, and prints a table for people', async () => {
    const args = ['evaluate', '--model', model, '--ok', path('ok'), '--defects', path('ng')];
    const report = lastLine<Evaluation>(await optiQuality(...args, '--json'));
    assert.deepEqual([report.pixelAuroc, report.pro], [null, null]);
    const { stdout, code } = await optiQuality(...args);
    assert.equal(code, 0);
    assert.match(stdout, /image AUROC {3}100\.0 %/);
    assert.match(stdout, /defective passed/);
  });

  it('scores pictures, draws their maps, and fails when one cannot be read', async () => {
    const pictures = [path('ng', '100.jpg'), path('ok', '100.jpg'), path('train', 'broken.jpg'), path('none.jpg')];
    const outcome = await optiQuality('infer', '--model', model, ...pictures, '--heatmap', path('maps'), '--json');
    assert.equal(outcome.code, 1);
    const { results, failed } = lastLine<{
      results: { file: string; score: number; verdict: string; heatmap: string }[];
      failed: { file: string }[];
    }>(outcome);
    assert.deepEqual(
      results.map(({ file }) => file),
      pictures.slice(0, 2),
    );
    assert.deepEqual(
      failed.map(({ file }) => file),
      pictures.slice(2),
    );
    assert.ok(results[0].score > results[1].score);
    assert.notEqual(results[0].verdict, 'OK');
    assert.deepEqual((await readdir(path('maps'))).sort(), [
      '100-2.heatmap.jpg',
      '100-2.map.png',
      '100.heatmap.jpg',
      '100.map.png',
    ]);
    const { width, height } = await sharp(await readFile(results[0].heatmap)).metadata();
    assert.deepEqual([width, height], [160, 120]);
  });

  it('prints one line a picture without --json', async () => {
    const { code, stdout } = await optiQuality('infer', '--model', model, path('ok', '101.jpg'), path('ok', '102.jpg'));
    assert.equal(code, 0);
    assert.equal(stdout.trimEnd().split('\n').length, 2);
  });

  it('answers wrong use with exit code 2 and the help', async () => {
    const wrong = [
      [],
      ['paint'],
      ['train'],
      ['train', '--part-type', 'a', '--ok', 'x'],
      ['infer', '--model', model],
      ['evaluate', '--bogus'],
      ['train', '--part-type', 'a', '--ok', 'x', '--out', 'y', '--false-reject-rate', 'much'],
    ];
    for (const args of wrong) {
      const { code, stdout, stderr } = await optiQuality(...args);
      assert.equal(code, 2, args.join(' '));
      assert.equal(stdout, '');
      assert.match(stderr, /opti-quality /);
    }
  });

  it('refuses a part type that no station would take', async () => {
    for (const partType of ['a b', '../a', 'x'.repeat(65)]) {
      const use = ['train', '--part-type', partType, '--ok', path('ok'), '--out', path('x')];
      const { code, stderr } = await optiQuality(...use);
      assert.equal(code, 2, partType);
      assert.match(stderr, /part type .* is not usable/);
    }
    assert.equal((await readdir(folder)).includes('x'), false);
  });

  it('tells wrong use as JSON too, when asked for JSON', async () => {
    for (const args of [['train'], ['evaluate', '--bogus']]) {
      const outcome = await optiQuality(...args, '--json');
      assert.equal(outcome.code, 2);
      assert.equal(lastLine<{ error: { code: string } }>(outcome).error.code, 'wrong-use');
    }
  });

  it('fails with exit code 1 and a reason for folders and models that cannot be used', async () => {
    const train = (ok: string, out: string) => ['train', '--part-type', 'a', '--ok', ok, '--out', out];
    const cases: [string[], RegExp][] = [
      [train(path('nowhere'), path('x')), /nowhere does not exist/],
      [train(path('empty'), path('x')), /holds no pictures/],
      [train(path('ok'), path('x')), /at least 8 different readable pictures/],
      [train(path('train'), model), /never overwritten/],
      [[...train(path('train'), path('x')), '--backbone', path('none.onnx')], /there is no such file/],
      [['evaluate', '--model', path('ok'), '--ok', path('ok'), '--defects', path('ng')], /there is no manifest\.json/],
    ];
    for (const [args, expected] of cases) {
      const outcome = await optiQuality(...args, '--json');
      assert.equal(outcome.code, 1, args.join(' '));
      assert.match(outcome.stderr, expected);
      assert.match(lastLine<{ error: { message: string } }>(outcome).error.message, expected);
    }
    assert.equal((await readdir(folder)).includes('x'), false);
  });

  it('explains itself', async () => {
    for (const args of [['--help'], ['train', '--help'], ['evaluate', '-h'], ['infer', '--help']]) {
      const { code, stdout } = await optiQuality(...args);
      assert.equal(code, 0);
      assert.match(stdout, /^opti-quality /);
    }
    const { version } = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
    assert.equal((await optiQuality('--version')).stdout.trim(), version);
  });
});
