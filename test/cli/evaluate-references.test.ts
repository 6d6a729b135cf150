import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../engine/domain';
import type { Plane } from '../../engine/patchcore/reference/plane';
import { partScene, planeOf, pngOf, withBlot } from '../engine/patchcore/reference/scenes';
import { needShared } from '../support/shared-data';
import { CLI_LIMIT_MS } from './run';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Report {
  readonly boxRecall: number;
  readonly falseRegionsPerImage: number;
  readonly recall: { readonly count: number; readonly total: number; readonly low: number; readonly high: number };
  readonly recallPerClass: readonly { readonly class: number; readonly name: string; readonly count: number }[];
  readonly images: number;
  readonly boxes: number;
  readonly falseRegions: number;
  readonly latencyMs: { readonly p50: number; readonly register: { readonly p50: number } };
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

const evaluate = (...args: string[]) => optiQuality('evaluate', ...args);

function optiQuality(...args: string[]): Promise<Outcome> {
  const entry = join(packageRoot, 'cli', 'opti-quality.ts');
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', entry, ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

/** A blot that stands out of what is there. */
function withDefect(plane: Plane, x: number, y: number): Plane {
  const there = plane.data[(y + 5) * plane.width + x + 5];
  return withBlot(plane, x, y, 10, 10, there > 0.6 ? 0 : 1);
}

const reportOf = ({ stdout }: Outcome) => JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Report;

describe('opti-quality evaluate --references', function () {
  this.timeout(CLI_LIMIT_MS);
  let folder: string;
  const path = (...parts: string[]) => join(folder, ...parts);
  const folders = () => [
    '--pictures',
    path('pictures'),
    '--references',
    path('references'),
    '--labels',
    path('labels'),
  ];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'references-'));
    for (const name of ['pictures', 'references', 'labels', 'good', 'empty']) await mkdir(path(name));
    await writeFile(path('data.yaml'), 'path: .\nnames:\n  0: spot\n  1: hole\n');
    for (const seed of [1, 2, 3]) {
      const golden = planeOf(partScene(seed), 200, 160);
      await writeFile(path('references', `${seed}.png`), await pngOf(golden));
      // two annotated blots and, on the third board, one that nobody annotated
      let bad = withDefect(withDefect(golden, 40, 40), 120, 100);
      if (seed === 3) bad = withDefect(bad, 160, 20);
      await writeFile(path('pictures', `${seed}.png`), await pngOf(bad));
      await writeFile(path('labels', `${seed}.txt`), '0 0.225 0.28125 0.07 0.08\n1 0.625 0.65625 0.07 0.08\n');
    }
    await writeFile(path('pictures', 'alone.png'), await readFile(path('pictures', '1.png')));
    await writeFile(path('pictures', 'broken.png'), 'no picture');
    await writeFile(path('references', 'broken.png'), await readFile(path('references', '1.png')));
    const golden = planeOf(partScene(9), 200, 160);
    await writeFile(path('references', 'fine.png'), await pngOf(golden));
    await writeFile(path('good', 'fine.png'), await pngOf(planeOf(partScene(9), 200, 160, (x, y) => [x + 2, y])));
  });

  after(() => rm(folder, { recursive: true, force: true }));

  it('counts found defects by class, false regions, and the time', async () => {
    const outcome = await evaluate(...folders(), '--json');
    assert.equal(outcome.code, 0, outcome.stderr);
    const report = reportOf(outcome);
    assert.deepEqual([report.boxRecall, report.boxes, report.images, report.falseRegions], [1, 6, 3, 1]);
    assert.equal(report.falseRegionsPerImage, 1 / 3);
    assert.deepEqual(
      report.recallPerClass.map(({ class: kind, name, count }) => [kind, name, count]),
      [
        [0, 'spot', 3],
        [1, 'hole', 3],
      ],
    );
    // Clopper-Pearson for 6 of 6: (0.025)^(1/6)
    assert.ok(Math.abs(report.recall.low - 0.025 ** (1 / 6)) < 1e-6);
    assert.equal(report.recall.high, 1);
    assert.ok(report.latencyMs.p50 >= report.latencyMs.register.p50);
    assert.deepEqual(report.skipped.map(({ name }) => name.slice(folder.length + 1)).sort(), [
      join('pictures', 'alone.png'),
      join('pictures', 'broken.png'),
    ]);
  });

  it('takes --defects for --pictures, good pictures too, and prints for people', async () => {
    const [, pictures, ...rest] = folders();
    const outcome = await evaluate('--defects', pictures, ...rest, '--ok', path('good'));
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stdout, /defects found +100\.0 % \(6 of 6; 95 %: 54\.1 % to 100\.0 %\)/);
    assert.match(outcome.stdout, /false regions 0\.25 a picture \(1 in 1 of 4 pictures\)/);
    assert.match(outcome.stderr, /alone\.png: it has no golden picture/);
  });

  it('tells wrong use from failures', async () => {
    const without = await evaluate('--pictures', path('pictures'), '--references', path('references'));
    assert.equal(without.code, 2);
    assert.match(without.stderr, /--labels is missing/);
    const empty = await evaluate(...folders().slice(0, 4), '--labels', path('empty'));
    assert.equal(empty.code, 1);
    assert.match(empty.stderr, /holds no annotated box for any of the pictures/);
    const nothing = await evaluate(
      '--references',
      path('empty'),
      '--pictures',
      path('pictures'),
      '--labels',
      path('labels'),
    );
    assert.equal(nothing.code, 1);
    assert.match(nothing.stderr, /holds no pictures/);
  });

  it('names the label file and line that is no box', async () => {
    const good = await readFile(path('labels', '2.txt'), 'utf8');
    await writeFile(path('labels', '2.txt'), `${good}0 0.5 0.5\n`);
    try {
      const outcome = await evaluate(...folders());
      assert.equal(outcome.code, 1);
      assert.match(outcome.stderr, /Line 3 of .*2\.txt is no box/);
    } finally {
      await writeFile(path('labels', '2.txt'), good);
    }
  });

  it('finds at least 95 % of the defects of the DeepPCB boards with at most half a false region a board', async function () {
    const boards = needShared(this, join('data', 'deeppcb', 'detect'));
    const of = (kind: string) => join(boards, kind, 'val');
    assert.equal((await readdir(of('images'))).length, 60);
    const outcome = await evaluate(
      '--pictures',
      of('images'),
      '--references',
      of('references'),
      '--labels',
      of('labels'),
      '--json',
    );
    assert.equal(outcome.code, 0, outcome.stderr);
    const { boxRecall, falseRegionsPerImage, boxes, images, skipped } = reportOf(outcome);
    assert.deepEqual([boxes, images, skipped], [433, 60, []]);
    assert.ok(boxRecall >= 0.95, `${boxRecall} of the boxes found`);
    assert.ok(falseRegionsPerImage <= 0.5, `${falseRegionsPerImage} false regions a board`);
  });

  it('does so with a model trained on other boards, too', async function () {
    const boards = needShared(this, join('data', 'deeppcb', 'detect'));
    const some = (await readdir(join(boards, 'images', 'train'))).sort().slice(0, 30);
    await mkdir(path('some'));
    for (const name of some) await cp(join(boards, 'images', 'train', name), path('some', name));
    const train = ['--method', 'reference', '--part-type', 'board', '--out', path('model')];
    const pictures = ['--references', join(boards, 'references', 'train'), '--defects', path('some')];
    const trained = await optiQuality('train', ...train, ...pictures, '--labels', join(boards, 'labels', 'train'));
    assert.equal(trained.code, 0, trained.stderr);
    const val = (kind: string) => join(boards, kind, 'val');
    const folders = ['--pictures', val('images'), '--references', val('references'), '--labels', val('labels')];
    const outcome = await evaluate('--model', path('model'), ...folders, '--json');
    assert.equal(outcome.code, 0, outcome.stderr);
    const { boxRecall, falseRegionsPerImage } = reportOf(outcome);
    assert.ok(boxRecall >= 0.95, `${boxRecall} of the boxes found`);
    assert.ok(falseRegionsPerImage <= 0.5, `${falseRegionsPerImage} false regions a board`);
  });
});
