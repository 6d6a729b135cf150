import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { models as runModels } from '../../cli/models';
import { WrongUse } from '../../cli/output';
import { writeDetectorPackage } from '../../engine/detector';
import { InspectionError } from '../../engine/domain';
import { verifyFiles, writeManifest } from '../../engine/packages';
import { smallDetectorFile } from '../engine/learning/detector-training/small-detector';
import { squares } from '../engine/learning/detector-training/squares';
import { sampleDetector } from '../engine/packages/class-samples';
import { trainSmallModel } from '../engine/patchcore/small-model';
import { readBankManifest } from '../support/bank-manifest';
import { CLI_LIMIT_MS, lastLine, type Outcome, optiQuality } from './run';

describe('opti-quality models export, import and verify', function () {
  this.timeout(CLI_LIMIT_MS);
  let folder: string;
  let model: string;
  const path = (...parts: string[]) => join(folder, ...parts);
  const models = (...args: string[]) => optiQuality(['models', ...args], { OPTI_QUALITY_MODEL_KEY: '' });
  const errorOf = (outcome: Outcome) => lastLine<{ error: { code: string; message: string } }>(outcome).error;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'models-cli-'));
    model = path('model');
    await trainSmallModel(model, '3');
    await writeFile(path('key'), `${'5a'.repeat(32)}\n`);
    await writeFile(path('phrase'), 'a pass phrase of people\n');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** The model as a machine would have made it on which golden pictures score otherwise by this factor. */
  async function madeElsewhere(name: string, factor: number): Promise<string> {
    const copy = path(name);
    await cp(model, copy, { recursive: true });
    const manifest = await readBankManifest(copy);
    const golden = manifest.golden.map(({ picture, score }) => ({ picture, score: score * factor }));
    await writeManifest(copy, { ...manifest, golden });
    return copy;
  }

  it('takes a model from one folder to another through one file', async () => {
    const out = path('plain.opti');
    const exported = await models('export', '--model', model, '--out', out, '--json');
    assert.equal(exported.code, 0, exported.stderr);
    const { bytes, encrypted, version } = lastLine<{ bytes: number; encrypted: boolean; version: string }>(exported);
    assert.deepEqual([bytes, encrypted, version], [(await readFile(out)).length, false, '3']);

    const verified = await models('verify', out, '--json');
    assert.equal(verified.code, 0, verified.stderr);
    const manifest = await readBankManifest(model);
    assert.equal(lastLine<{ golden: number }>(verified).golden, manifest.golden.length);

    const imported = await models('import', out, '--out', path('copy'), '--json');
    assert.equal(imported.code, 0, imported.stderr);
    assert.equal(lastLine<{ model: string }>(imported).model, path('copy'));
    assert.deepEqual(await verifyFiles(path('copy')), manifest);
    const again = await models('import', out, '--out', path('copy'));
    assert.equal(again.code, 1);
    assert.match(again.stderr, /never overwritten/);
    const over = await models('export', '--model', model, '--out', out);
    assert.match(over.stderr, /Files are never overwritten/);
  });

  it('takes a detector the same way, and refuses one that finds something else here', async () => {
    const folder = path('detector');
    const { pictures } = await squares(path('squares'), { train: 2, val: 0 });
    const golden = await Promise.all(pictures.map((picture) => readFile(picture.path)));
    const facts = { ...sampleDetector, classes: undefined, thresholds: { confidence: 0.001, perClass: {} } };
    const made = await writeDetectorPackage(folder, smallDetectorFile(), facts, { golden, threads: 1 });
    assert.ok(made.golden.some(({ detections }) => detections.length > 0));
    const out = path('detector.opti');
    assert.equal((await models('export', '--model', folder, '--out', out)).code, 0);
    await mkdir(path('line'));
    const imported = await models('import', out, '--data', path('line'), '--json');
    assert.equal(imported.code, 0, imported.stderr);
    const { model: place } = lastLine<{ model: string }>(imported);
    assert.equal(place, path('line', 'models', 'plate.detector', '1'));
    const verified = await models('verify', place, '--json');
    const { kind, golden: count } = lastLine<{ kind: string; golden: number }>(verified);
    assert.deepEqual([verified.code, kind, count], [0, 'detector', 2]);
    await writeManifest(folder, { ...made, golden: made.golden.map((one) => ({ ...one, detections: [] })) });
    const refused = await models('verify', folder);
    assert.equal(refused.code, 1);
    const judged = await optiQuality(['infer', '--model', place, pictures[0].path]);
    assert.equal(judged.code, 1);
    assert.match(judged.stderr, /of kind detector, and one of kind patchcore is needed/);
  });

  it('takes an encrypted model into a station as its next version', async () => {
    const out = path('secret.opti');
    const exported = await models('export', '--model', model, '--out', out, '--key-file', path('key'));
    assert.match(exported.stdout, /encrypted/);
    await mkdir(path('data'));
    const withoutKey = await models('import', out, '--data', path('data'), '--json');
    assert.deepEqual([withoutKey.code, errorOf(withoutKey).code], [1, 'model-key-missing']);
    const wrongKey = await models('import', out, '--data', path('data'), '--key-file', path('phrase'), '--json');
    assert.deepEqual([wrongKey.code, errorOf(wrongKey).code], [1, 'model-key-wrong']);
    assert.deepEqual(await readdir(path('data', 'models')).catch(() => []), []);

    const environment = { OPTI_QUALITY_MODEL_KEY: '5A'.repeat(32) };
    const imported = await optiQuality(['models', 'import', out, '--data', path('data'), '--json'], environment);
    assert.equal(imported.code, 0, imported.stderr);
    const { version, origin } = lastLine<{ version: string; origin: { version: string } }>(imported);
    assert.deepEqual([version, origin.version], ['1', '3']);
    assert.equal((await verifyFiles(path('data', 'models', 'weave', '1'))).version, '1');
  });

  it('encrypts with a pass phrase of the environment, unless told not to', async () => {
    const environment = { OPTI_QUALITY_MODEL_KEY: 'a pass phrase of people' };
    const run = (...args: string[]) => optiQuality(['models', ...args, '--json'], environment);
    const secret = await run('export', '--model', model, '--out', path('phrase.opti'));
    assert.equal(lastLine<{ encrypted: boolean }>(secret).encrypted, true);
    const plain = await run('export', '--model', model, '--out', path('open.opti'), '--plain');
    assert.equal(lastLine<{ encrypted: boolean }>(plain).encrypted, false);
    assert.equal((await models('verify', path('phrase.opti'), '--key-file', path('phrase'))).code, 0);
  });

  it('takes a model of a machine that counts a little otherwise, and none that scores otherwise', async () => {
    for (const [name, factor, code] of [
      ['near', 1.003, 0],
      ['far', 1.02, 1],
    ] as const) {
      const elsewhere = await madeElsewhere(name, factor);
      await models('export', '--model', elsewhere, '--out', path(`${name}.opti`));
      const imported = await models('import', path(`${name}.opti`), '--out', path(`${name}-in`), '--json');
      assert.equal(imported.code, code, imported.stderr);
    }
    assert.match((await models('verify', path('far.opti'))).stderr, /golden\/.* scores .* instead of/);
    const left = (await readdir(folder)).filter((name) => name.startsWith('.') || name === 'far-in');
    assert.deepEqual(left, []);
  });

  it('tells a damaged package and a damaged archive', async () => {
    const damaged = path('damaged');
    await cp(model, damaged, { recursive: true });
    const text = await readFile(join(damaged, 'manifest.json'), 'utf8');
    await writeFile(join(damaged, 'manifest.json'), text.replace('"weave"', '"weavf"'));
    assert.match(errorOf(await models('verify', damaged, '--json')).message, /manifest\.json .* was changed/);
    assert.match(
      errorOf(await models('export', '--model', damaged, '--out', path('d.opti'), '--json')).message,
      /changed/,
    );
    await models('export', '--model', model, '--out', path('cut.opti'));
    await writeFile(path('cut.opti'), (await readFile(path('cut.opti'))).subarray(0, -7));
    const cut = await models('verify', path('cut.opti'), '--json');
    assert.deepEqual([cut.code, errorOf(cut).code], [1, 'archive-invalid']);
  });

  it('tells wrong use from what is not there, and makes nothing of either', async () => {
    const wrong = [
      ['export', '--model', model],
      ['export', '--model', model, '--out', path('x'), '--plain', '--key-file', path('key')],
      ['import', path('x')],
      ['import', '--out', path('x')],
      ['import', path('key'), '--out', path('x'), '--data', folder],
      ['import', path('key'), '--out', path('x'), '--limit', '0'],
      ['verify'],
      ['verify', 'a', 'b'],
    ];
    for (const args of wrong) await assert.rejects(runModels(args), WrongUse, args.join(' '));
    const missing = [
      ['import', path('none.opti'), '--out', path('x')],
      ['import', path('key'), '--out', path('x')],
      ['import', path('key'), '--data', path('nowhere')],
      ['verify', path('nowhere')],
      ['export', '--model', path('nowhere'), '--out', path('x.opti')],
      ['export', '--model', model, '--out', path('x.opti'), '--key-file', path('nowhere')],
    ];
    for (const args of missing) {
      const known = (error: unknown) => error instanceof InspectionError && !(error instanceof WrongUse);
      await assert.rejects(runModels(args), known, args.join(' '));
    }
    const names = await readdir(folder);
    assert.equal(
      names.some((name) => ['x', 'x.opti', 'nowhere'].includes(name)),
      false,
    );
  });
});
