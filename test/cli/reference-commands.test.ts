import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Region } from '../../engine/domain';
import { packageRoot } from '../../engine/domain';
import { readManifest } from '../../engine/packages';
import { partScene, planeOf, pngOf, withBlot } from '../engine/patchcore/reference/scenes';
import { CLI_LIMIT_MS } from './run';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Trained {
  readonly pictures: { readonly used: number; readonly defects: number };
  readonly sharedReference: boolean;
  readonly settings: { readonly region: number };
  readonly boxes: { readonly found: number; readonly boxes: number } | null;
  readonly statement: string;
}

function lastLine<T>({ stdout }: Outcome): T {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as T;
}

function run(...args: string[]): Promise<Outcome> {
  const entry = join(packageRoot, 'cli', 'opti-quality.ts');
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', entry, ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

describe('golden pictures on the command line', function () {
  this.timeout(CLI_LIMIT_MS);
  let folder: string;
  const path = (...parts: string[]) => join(folder, ...parts);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'golden-cli-'));
    for (const name of ['good', 'bad', 'golden', 'labels', 'one']) await mkdir(path(name));
    for (const seed of [1, 2, 3]) {
      const golden = planeOf(partScene(seed), 200, 160);
      const moved = planeOf(partScene(seed), 200, 160, (x, y) => [x + seed, y - 1]);
      await writeFile(path('golden', `g${seed}.png`), await pngOf(golden));
      await writeFile(path('golden', `b${seed}.png`), await pngOf(golden));
      await writeFile(path('good', `g${seed}.png`), await pngOf(moved));
      await writeFile(path('bad', `b${seed}.png`), await pngOf(withBlot(moved, 60, 60, 12, 12, 1)));
      await writeFile(path('labels', `b${seed}.txt`), '0 0.33 0.4125 0.09 0.11\n');
    }
    await writeFile(path('one', 'golden.png'), await pngOf(planeOf(partScene(1), 200, 160)));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('infer --reference tells where pictures differ from one golden picture', async () => {
    const pictures = [path('good', 'g1.png'), path('bad', 'b1.png')];
    const outcome = await run(
      'infer',
      '--reference',
      path('golden', 'g1.png'),
      ...pictures,
      '--heatmap',
      path('maps'),
      '--json',
    );
    assert.equal(outcome.code, 0, outcome.stderr);
    const { results } = JSON.parse(outcome.stdout) as { results: { score: number; regions: Region[] }[] };
    assert.deepEqual(results[0].regions, []);
    assert.ok(results[1].score > results[0].score);
    const [{ box }] = results[1].regions;
    assert.ok(Math.hypot(box.x + box.width / 2 - 66, box.y + box.height / 2 - 66) < 8, JSON.stringify(box));
    assert.deepEqual((await readdir(path('maps'))).sort(), [
      'b1.heatmap.jpg',
      'b1.map.png',
      'g1.heatmap.jpg',
      'g1.map.png',
    ]);
  });

  it('infer --references takes the golden picture of the same name, and fails for a picture that has none', async () => {
    const outcome = await run(
      'infer',
      '--references',
      path('golden'),
      path('good', 'g2.png'),
      path('one', 'golden.png'),
    );
    assert.equal(outcome.code, 1);
    assert.match(outcome.stdout, /^0\.\d{4} {2}.*g2\.png\n$/);
    assert.match(outcome.stderr, /There is no golden picture for serial "golden"/);
    assert.equal((await run('infer', '--reference', path('gone.png'), path('good', 'g1.png'))).code, 2);
    assert.equal((await run('infer', '--reference', path('golden', 'g1.png'))).code, 2);
  });

  const boards = () => ['--method', 'reference', '--part-type', 'board', '--references', path('golden')];
  const bad = () => ['--defects', path('bad'), '--labels', path('labels')];
  const one = () => ['--method', 'reference', '--part-type', 'board', '--references', path('one'), '--json'];

  it('train learns from good parts and annotated defects, each with its golden picture', async () => {
    const args = ['--ok', path('good'), ...bad(), '--false-reject-rate', '0.05', '--json', '--out', path('boards')];
    const outcome = await run('train', ...boards(), ...args);
    assert.equal(outcome.code, 0, outcome.stderr);
    const { pictures, sharedReference, boxes, settings } = lastLine<Trained>(outcome);
    assert.deepEqual([pictures.used, pictures.defects, sharedReference], [6, 3, false]);
    assert.deepEqual([boxes?.found, boxes?.boxes], [3, 3]);
    const manifest = await readManifest(path('boards'));
    assert.ok(manifest.method === 'reference');
    assert.equal(manifest.calibration.falseRejectRate, 0.05);
    assert.match(manifest.calibration.statement, /6 good pictures, each compared with its golden picture/);
    const { region } = settings;
    assert.deepEqual(manifest.map, { sigma: 0, zero: 0, region, full: 2 * region });

    const pictureOf = (name: string) => path(name[0] === 'g' ? 'good' : 'bad', `${name}.png`);
    const seen = ['g1', 'g2', 'g3', 'b1', 'b2', 'b3'].map(pictureOf);
    const judged = await run('infer', '--model', path('boards'), '--references', path('golden'), ...seen, '--json');
    assert.equal(judged.code, 0, judged.stderr);
    const { results } = lastLine<{ results: { verdict: string; score: number }[] }>(judged);
    assert.deepEqual(
      results.map(({ verdict }) => verdict !== 'OK'),
      [false, false, false, true, true, true],
      JSON.stringify(results),
    );
    const lost = await run('infer', '--model', path('boards'), seen[0]);
    assert.equal(lost.code, 1);
    assert.match(lost.stderr, /There is no golden picture for this board/);
  });

  it('train takes a single golden picture for every part, and the model brings it', async () => {
    const alone = await run('train', ...one(), '--out', path('alone'));
    assert.equal(alone.code, 0, alone.stderr);
    const copies = lastLine<Trained>(alone);
    assert.equal(copies.sharedReference, true);
    assert.match(copies.statement, /altered copies/);

    for (const kind of ['same', 'other']) await mkdir(path(kind));
    for (const by of [1, 2, 3]) {
      const part = planeOf(partScene(1), 200, 160, (x, y) => [x + by, y - 1]);
      await writeFile(path('same', `${by}.png`), await pngOf(part));
      await writeFile(path('other', `${by}.png`), await pngOf(withBlot(part, 60, 60, 12, 12, 1)));
    }
    const trained = await run('train', ...one(), '--ok', path('same'), '--out', path('shared'));
    assert.equal(trained.code, 0, trained.stderr);
    assert.equal(lastLine<Trained>(trained).pictures.used, 3);
    const sides = ['--ok', path('same'), '--defects', path('other'), '--json'];
    const evaluated = await run('evaluate', '--model', path('shared'), ...sides);
    assert.equal(evaluated.code, 0, evaluated.stderr);
    assert.equal(lastLine<{ imageAuroc: number }>(evaluated).imageAuroc, 1);
    const masks = await run('evaluate', '--model', path('shared'), ...sides, '--masks', path('other'));
    assert.equal(masks.code, 2);

    const archive = path('shared.opti');
    for (const command of [
      ['verify', path('shared')],
      ['export', '--model', path('shared'), '--out', archive, '--plain'],
      ['import', archive, '--out', path('copy')],
      ['verify', path('copy')],
    ]) {
      const outcome = await run('models', ...command);
      assert.equal(outcome.code, 0, outcome.stderr);
    }
    const update = ['--part-type', 'board', '--ok', path('same'), '--update', path('copy'), '--out', path('grown')];
    const refused = await run('train', ...update);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /Nothing can be added to version 1 of board: it compares with golden pictures/);
    await writeFile(path('copy', 'reference.png'), await pngOf(planeOf(partScene(2), 200, 160)));
    const altered = await run('models', 'verify', path('copy'));
    assert.equal(altered.code, 1);
    assert.match(altered.stderr, /reference\.png/);
  });

  it('train refuses what it cannot learn from', async () => {
    const out = ['--out', path('none')];
    const codeOf = async (...args: string[]) => (await run('train', ...args)).code;
    assert.equal(await codeOf('--method', 'other', ...out), 2);
    assert.equal(await codeOf('--method', 'reference', '--part-type', 'board', ...out), 2);
    assert.equal(await codeOf(...boards(), '--defects', path('bad'), ...out), 2);
    assert.equal(await codeOf(...boards(), '--roi', '0,0,50,50', ...out), 2);
    const empty = await run(
      'train',
      '--method',
      'reference',
      '--part-type',
      'board',
      '--references',
      path('labels'),
      ...out,
    );
    assert.equal(empty.code, 1);
    assert.match(empty.stderr, /holds no pictures/);
    await assert.rejects(readdir(path('none')));
  });
});
