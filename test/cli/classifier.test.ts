import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawPicture } from '../engine/patchcore/pictures';
import { CLI_LIMIT_MS, lastLine, optiQuality } from './run';

interface Trained {
  readonly pictures: { readonly learnt: number; readonly heldOut: number; readonly skipped: number };
  readonly classes: readonly string[];
  readonly verdicts: Readonly<Record<string, string>>;
  readonly after: { readonly accuracy: number };
  readonly gate: { readonly accepted: boolean };
  readonly skipped: readonly { readonly name: string }[];
}

describe('opti-quality train-classifier and classify', function () {
  this.timeout(CLI_LIMIT_MS);
  let folder: string;
  const path = (...parts: string[]) => join(folder, ...parts);
  const small = ['--part-type', 'weave', '--input-size', '96', '--epochs', '40', '--json'];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'classify-'));
    for (const [split, count] of [
      ['train', 8],
      ['val', 3],
    ] as const) {
      for (const [label, defective] of [
        ['good', false],
        ['blot', true],
      ] as const) {
        await mkdir(path('data', split, label), { recursive: true });
        for (let index = 0; index < count; index += 1) {
          const seed = index + (split === 'val' ? 100 : 0) + (defective ? 50 : 0);
          const blot = { x: 20 + 8 * index, y: 30, width: 60, height: 50 };
          await writeFile(path('data', split, label, `${seed}.jpg`), await drawPicture({ seed, defective, blot }));
        }
      }
    }
    await writeFile(path('data', 'train', 'good', 'broken.jpg'), 'no picture');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('learns a folder of classes, and names pictures and a labelled folder with it', async () => {
    const out = path('model');
    const trained = await optiQuality(['train-classifier', '--data', path('data'), '--out', out, ...small]);
    assert.equal(trained.code, 0, trained.stderr);
    const facts = lastLine<Trained>(trained);
    assert.deepEqual(facts.classes, ['blot', 'good']);
    assert.deepEqual(facts.verdicts, { blot: 'NG', good: 'OK' });
    assert.deepEqual(facts.pictures, { learnt: 16, heldOut: 6, skipped: 1 });
    assert.equal(facts.after.accuracy, 1);
    assert.match(facts.skipped[0].name, /broken\.jpg/);

    const archive = path('model.opti');
    await mkdir(path('station'));
    const exported = await optiQuality(['models', 'export', '--model', out, '--out', archive]);
    assert.equal(exported.code, 0, exported.stderr);
    const imported = await optiQuality(['models', 'import', archive, '--data', path('station')]);
    assert.equal(imported.code, 0, imported.stderr);

    const picture = path('data', 'val', 'blot', '150.jpg');
    const named = await optiQuality(['classify', '--model', out, picture, path('nowhere.jpg'), '--json']);
    assert.equal(named.code, 1);
    const { results, failed } = lastLine<{ results: { label: string; verdict: string }[]; failed: unknown[] }>(named);
    assert.deepEqual(
      results.map(({ label, verdict }) => [label, verdict]),
      [['blot', 'NG']],
    );
    assert.deepEqual(failed, [{ file: path('nowhere.jpg'), reason: 'there is no such file' }]);

    const measured = await optiQuality([
      'classify',
      '--model',
      out,
      '--data',
      path('data'),
      '--split',
      'val',
      '--json',
    ]);
    assert.equal(measured.code, 0, measured.stderr);
    const figures = lastLine<{ accuracy: number; pictures: number; confusion: { matrix: number[][] } }>(measured);
    assert.deepEqual([figures.accuracy, figures.pictures], [1, 6]);
    assert.deepEqual(figures.confusion.matrix, [
      [3, 0],
      [0, 3],
    ]);
  });

  it('says what is missing or wrong', async () => {
    const out = path('never');
    const few = await optiQuality(['train-classifier', '--data', path('data', 'val'), '--out', out, ...small]);
    assert.equal(few.code, 1);
    assert.equal(lastLine<{ error: { code: string } }>(few).error.code, 'too-few-per-class');
    const wrong = [
      ['train-classifier', '--data', path('data'), '--out', out],
      ['train-classifier', '--data', path('data'), '--out', out, ...small, '--verdict', 'blot=BAD'],
      ['train-classifier', '--data', path('data'), '--out', out, ...small, '--part-type', 'weave.classifier'],
      ['classify', '--model', path('model')],
      ['classify', '--model', path('model'), '--data', path('data'), '--split', 'other'],
    ];
    await writeFile(path('model.onnx'), 'no package');
    const file = await optiQuality(['classify', '--model', path('model.onnx'), path('nowhere.jpg'), '--json']);
    assert.match(lastLine<{ error: { message: string } }>(file).error.message, /takes the folder of a model package/);
    for (const args of wrong) assert.equal((await optiQuality(args)).code, 2, args.join(' '));
  });
});
