import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trainReferenceCommand } from '../../cli/train-reference';
import type { Region } from '../../engine/domain';
import { packageRoot } from '../../engine/domain';
import { partScene, planeOf, pngOf, withBlot } from '../engine/patchcore/reference/scenes';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function infer(...args: string[]): Promise<Outcome> {
  const entry = join(packageRoot, 'cli', 'opti-quality.ts');
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', entry, 'infer', ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

describe('golden pictures on the command line', function () {
  this.timeout(120_000);
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
    const outcome = await infer(
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
    const outcome = await infer('--references', path('golden'), path('good', 'g2.png'), path('one', 'golden.png'));
    assert.equal(outcome.code, 1);
    assert.match(outcome.stdout, /^0\.\d{4} {2}.*g2\.png\n$/);
    assert.match(outcome.stderr, /There is no golden picture for serial "golden"/);
    assert.equal((await infer('--reference', path('gone.png'), path('good', 'g1.png'))).code, 2);
    assert.equal((await infer('--reference', path('golden', 'g1.png'))).code, 2);
  });

  it('train learns from good parts and annotated defects, each with its golden picture', async () => {
    const result = await trainReferenceCommand({
      'part-type': 'board',
      references: path('golden'),
      ok: path('good'),
      defects: path('bad'),
      labels: path('labels'),
      'false-reject-rate': '0.05',
    });
    assert.deepEqual([result.dataset.count, result.dataset.defects, result.shared], [6, 3, null]);
    assert.equal(result.calibration.falseRejectRate, 0.05);
    assert.deepEqual([result.boxes?.found, result.boxes?.boxes], [3, 3]);
  });

  it('train takes a single golden picture for every part', async () => {
    const alone = await trainReferenceCommand({ 'part-type': 'board', references: path('one') });
    assert.ok(alone.shared);
    assert.equal(alone.calibration.method, 'augmented');
    const { dataset, shared } = await trainReferenceCommand({
      'part-type': 'board',
      references: path('one'),
      ok: path('good'),
    });
    assert.deepEqual([dataset.count, shared?.equals(alone.shared)], [3, true]);
  });

  it('train refuses what it cannot learn from', async () => {
    const wrong = { code: 'wrong-use' };
    await assert.rejects(trainReferenceCommand({ 'part-type': 'board' }), wrong);
    await assert.rejects(trainReferenceCommand({ 'part-type': '..', references: path('golden') }), wrong);
    const unlabelled = { 'part-type': 'board', references: path('golden'), defects: path('bad') };
    await assert.rejects(trainReferenceCommand(unlabelled), wrong);
    await assert.rejects(
      trainReferenceCommand({ 'part-type': 'board', references: path('labels') }),
      /holds no pictures/,
    );
  });
});
