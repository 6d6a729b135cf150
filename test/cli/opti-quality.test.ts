import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { packageRoot } from '../../engine/domain';
import { blotOf, drawPicture } from '../engine/patchcore/pictures';
import { readBankManifest } from '../support/bank-manifest';
import { CLI_LIMIT_MS } from './run';

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
  this.timeout(CLI_LIMIT_MS);
  let folder: string;
  let model: string;
  const path = (...parts: string[]) => join(folder, ...parts);
  const small = ['--input-size', '96', '--bank-size', '200'];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cli-'));
    model = path('model');
    for (const name of ['train', 'ok', 'ng', 'masks', 'empty', 'unreadable', 'single']) await mkdir(path(name));
    await writeFile(path('unreadable', '1.jpg'), 'no picture');
    await writeFile(path('single', '1.jpg'), await drawPicture({ seed: 1 }));
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
    const result = lastLine<{
      pictures: unknown;
      skipped: { name: string }[];
      suspects: unknown;
      recipe: { chosen: string; trials: unknown[] };
      model: string;
      thresholds: { accept: number; reject: number };
      statement: string;
    }>(outcome);
    assert.equal(result.model, model);
    assert.deepEqual(result.pictures, { used: 16, bank: 16, calibration: 16, skipped: 1 });
    assert.deepEqual(result.suspects, []);
    assert.equal(result.recipe.chosen, 'measured');
    assert.ok(result.recipe.trials.length > 0);
    assert.ok(result.thresholds.accept <= result.thresholds.reject);
    assert.match(result.statement, /Measured on 16 good pictures/);
    assert.deepEqual(
      result.skipped.map(({ name }) => name),
      [path('train', 'broken.jpg')],
    );
    assert.match(outcome.stderr, /100 %/);
    assert.match(outcome.stderr, /broken\.jpg/);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('trains as the options say', async () => {
    const mask = path('mask.png');
    const left = { create: { width: 80, height: 120, channels: 3 as const, background: 'white' } };
    await sharp({ create: { width: 160, height: 120, channels: 3, background: 'black' } })
      .composite([{ input: left, left: 0, top: 0 }])
      .png()
      .toFile(mask);
    const outcome = await optiQuality(
      ...['train', '--part-type', 'weave', '--ok', path('ok'), '--out', path('options'), '--input-size', '64'],
      ...['--roi', '10,20,80,60', '--mask', mask, '--tiles', '2x1', '--overlap', '20', '--bank-per-tile'],
      ...[
        '--position',
        '25',
        '--augment',
        'flip,rotation=5,light=10,shift=2',
        '--mode',
        'letterbox',
        '--keep-suspects',
      ],
      ...['--false-reject-rate', '0.05', '--review-rate', '0.2', '--miss-rate', '0.1', '--defects', path('ng')],
      ...['--recipe', 'plain', '--seed', '7', '--bank-size', '50'],
    );
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stdout, /conditioning none.*\(wished\)/);
    const manifest = await readBankManifest(path('options'));
    const { viewing, preprocessing, bank, augmentation, calibration, recipe, dataset } = manifest;
    const [roi, tiles] = [
      { x: 0.1, y: 0.2, width: 0.8, height: 0.6 },
      { columns: 2, rows: 1, overlap: 0.2 },
    ];
    assert.deepEqual(viewing, { roi, tiles, mask: 'mask.png' });
    assert.deepEqual([preprocessing.width, preprocessing.height, preprocessing.mode], [64, 64, 'letterbox']);
    assert.deepEqual([bank.tiles, bank.reach, bank.seed], ['per-tile', 0.25 * 16, 7]);
    assert.deepEqual(augmentation, { flip: true, rotation: 5, light: 0.1, shift: 0.02, copies: 3 });
    const { falseRejectRate, reviewRate, missRate, defects } = calibration;
    assert.deepEqual([falseRejectRate, reviewRate, missRate, defects, dataset.defects], [0.05, 0.2, 0.1, 5, 5]);
    assert.deepEqual([recipe.conditioning, recipe.spacing, recipe.scoring], ['none', false, { method: 'max' }]);
    assert.equal(calibration.accept.method, 'miss-rate');
  });

  it('learns from one picture, and says that nothing is promised', async () => {
    const args = ['train', '--part-type', 'weave', '--ok', path('single'), '--out', path('one'), ...small];
    const { code, stdout, stderr } = await optiQuality(...args);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /1 pictures? in the bank/);
    assert.match(stdout, /nothing is promised about good parts/);
  });

  it('adds pictures to a model as its next version', async () => {
    const args = ['train', '--part-type', 'weave', '--ok', path('ok'), '--out', path('next'), '--update', model];
    const outcome = await optiQuality(...args, '--json');
    assert.equal(outcome.code, 0, outcome.stderr);
    const before = await readBankManifest(model);
    const { recipe, bank, parent, preprocessing } = await readBankManifest(path('next'));
    assert.equal(recipe.chosen, 'inherited');
    assert.deepEqual(preprocessing, before.preprocessing);
    assert.equal(bank.pictures, 21);
    assert.equal(parent, before.version);
  });

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
      ...[
        ['--false-reject-rate', 'much'],
        ['--roi', '10,20,95,10'],
        ['--roi', '10,20,30'],
        ['--tiles', '9x1'],
        ['--tiles', '2x2', '--overlap', '51'],
        ['--augment', 'sparkle'],
        ['--augment', 'rotation=200'],
        ['--mode', 'square'],
        ['--recipe', 'best'],
        ['--position', '60'],
        ['--overlap', '20'],
        ['--bank-per-tile'],
        ['--input-size', '100'],
        ['--bank-size', '1.5'],
        ['--seed', '1.5'],
        ['--update', model, '--roi', '10,20,30,40'],
        ['--update', model, '--backbone', 'starter'],
      ].map((options) => ['train', '--part-type', 'a', '--ok', 'x', '--out', 'y', ...options]),
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
      [train(path('unreadable'), path('x')), /at least 1 different readable picture/],
      [[...train(path('single'), path('x')), '--augment', 'none'], /at least 2 different readable pictures .* Add 1/],
      [[...train(path('single'), path('x')), '--mask', path('none.png')], /mask .*none\.png cannot be read/],
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
