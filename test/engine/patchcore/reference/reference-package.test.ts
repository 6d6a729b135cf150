import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { packageRoot } from '../../../../engine/domain';
import { ComputePool } from '../../../../engine/inference';
import {
  type ModelManifest,
  parseManifest,
  type ReferenceManifest,
  readManifest,
  writeManifest,
} from '../../../../engine/packages';
import {
  type AnomalyResult,
  loadAnomalyModel,
  PatchcoreModel,
  type TrainingProgress,
  trainReferencePackage,
} from '../../../../engine/patchcore';
import { board, trainBoards, writeBoards } from './boards';

describe('a package of a reference model', function () {
  this.timeout(180_000);
  let folder: string;
  let own: string;
  let shared: string;
  let manifest: ReferenceManifest;
  const path = (...parts: string[]) => join(folder, ...parts);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reference-package-'));
    await writeBoards(folder);
    own = path('own');
    shared = path('shared');
    manifest = (await trainBoards(folder, own)).manifest;
    await trainReferencePackage({ ...oneForAll(), outFolder: shared });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const oneForAll = () => ({
    partType: 'board',
    version: '1',
    pictures: [1, 2, 3, 4].map((shift) => ({ name: `${shift}.png`, picture: () => board(1, { shift }) })),
    referenceFolder: path('one'),
    outFolder: path('other'),
    source: 'drawn',
    threads: 1,
  });

  /** A copy whose golden pictures scored otherwise where it was made. */
  async function madeElsewhere(name: string): Promise<string> {
    await cp(own, path(name), { recursive: true });
    const golden = manifest.reference.golden.map((pair) => ({ ...pair, score: pair.score + 0.1 }));
    await writeManifest(path(name), { ...manifest, reference: { ...manifest.reference, golden } });
    return path(name);
  }

  it('says what was learnt, from which pictures', async () => {
    assert.deepEqual(await readManifest(own), parseManifest(JSON.stringify(manifest)));
    const { dataset, calibration, map, reference, thresholds } = manifest;
    assert.deepEqual([dataset.count, dataset.defects, dataset.skipped, dataset.source], [8, 4, 0, 'drawn']);
    assert.deepEqual([calibration.method, calibration.pictures], ['compared', 8]);
    assert.match(calibration.statement, /^Measured on 8 good pictures, each compared with its golden picture\./);
    assert.deepEqual(map, {
      sigma: 0,
      zero: 0,
      region: reference.settings.region,
      full: 2 * reference.settings.region,
    });
    assert.deepEqual([reference.picture, reference.boxes?.found, reference.boxes?.boxes], [null, 4, 4]);
    assert.ok(thresholds.accept <= thresholds.reject && manifest.metrics['seconds.extract'] > 0);
  });

  it('judges each part by its golden picture, and parts of one golden picture by that in the model', async () => {
    const model = await loadAnomalyModel(own, { threads: 1 });
    const reference = await board(9);
    const good = await model.score(await board(9, { shift: 1 }), { reference });
    const bad = await model.score(await board(9, { shift: 1, defective: true }), { reference });
    assert.ok(good.score < bad.score && bad.score > model.manifest.thresholds.accept);
    await assert.rejects(model.score(reference), { code: 'reference-missing' });
    await model.dispose();
    const other = await loadAnomalyModel(shared, { threads: 1 });
    assert.ok(
      (await other.score(await board(1))).score < (await other.score(await board(1, { defective: true }))).score,
    );
    await other.dispose();
  });

  it('is refused when a picture in it was altered, and where a bank is needed', async () => {
    for (const name of ['golden/1.png', 'golden/1-reference.png', 'reference.png']) {
      const copy = path(`altered-${name.replace('/', '-')}`);
      await cp(shared, copy, { recursive: true });
      const bytes = await readFile(join(copy, name));
      bytes[bytes.length - 20] ^= 1;
      await writeFile(join(copy, name), bytes);
      await assert.rejects(loadAnomalyModel(copy, { threads: 1 }), { code: 'model-invalid' }, name);
    }
    await assert.rejects(loadAnomalyModel(await madeElsewhere('elsewhere'), { threads: 1 }), /scores .* instead of/);
    await assert.rejects(PatchcoreModel.load(own, { threads: 1 }), { code: 'model-invalid', message: /has no bank/ });
  });

  it('is there as a whole or not at all', async () => {
    const before = (await readdir(folder)).sort();
    const cancel = new AbortController();
    const onProgress = ({ pictures }: TrainingProgress) => pictures >= 2 && cancel.abort(new Error('enough'));
    await assert.rejects(trainReferencePackage({ ...oneForAll(), signal: cancel.signal, onProgress }), /enough/);
    await assert.rejects(trainReferencePackage({ ...oneForAll(), outFolder: shared }), { code: 'model-exists' });
    const rates = { falseRejectRate: 0.2, reviewRate: 0.1 };
    await assert.rejects(trainReferencePackage({ ...oneForAll(), ...rates }), { code: 'invalid-input' });
    assert.deepEqual((await readdir(folder)).sort(), before);
  });

  it('leaves out, by name, pictures without golden picture, and defects nobody annotated', async () => {
    const { manifest: made, skipped } = await trainReferencePackage({
      ...oneForAll(),
      pictures: [...oneForAll().pictures, { name: 'g1.png', picture: () => board(1, { shift: 1 }) }],
      referenceFolder: path('golden'),
      defectFolder: path('bad'),
      labelFolder: path('good'),
    });
    assert.equal(made.dataset.skipped, 8);
    assert.deepEqual(
      skipped.map(({ reason }) => reason),
      [...Array(4).fill('it has no golden picture'), ...Array(4).fill('its defects are not annotated')],
    );
  });

  describe('in the compute child', () => {
    let pool: ComputePool;
    before(async () => {
      pool = new ComputePool({
        size: 1,
        queueLimit: 16,
        queuePolicy: 'reject',
        memoryCapBytes: 256 * 1024 * 1024,
        threads: 1,
        taskModules: [join(packageRoot, 'engine', 'patchcore', 'task')],
      });
      await pool.warmUp();
    });
    after(() => pool.close());

    it('scores as here, by the golden picture of the part or by its own', async () => {
      const picture = await board(1, { shift: 1, defective: true });
      const reference = await board(1);
      assert.equal((await pool.run<ModelManifest>('patchcore/load', { folder: shared }, {})).method, 'reference');
      const model = await loadAnomalyModel(shared, { threads: 1 });
      const here = await model.score(picture);
      await model.dispose();
      const byOwn = await pool.run<AnomalyResult>('patchcore/score', { folder: shared, picture }, {});
      const byPart = await pool.run<AnomalyResult>('patchcore/score', { folder: shared, picture, reference }, {});
      const byItself = await pool.run<AnomalyResult>(
        'patchcore/score',
        { folder: shared, picture, reference: picture, map: false },
        {},
      );
      assert.deepEqual([byOwn.score, byPart.score, byItself.score], [here.score, here.score, 0]);
      assert.ok(byOwn.map && Buffer.from(byOwn.map.png).equals(here.map?.png ?? Buffer.alloc(0)));
      assert.equal(byItself.map, undefined);
      assert.deepEqual(byOwn.regions, here.regions);
    });

    it('fails without golden picture, and with one of another shape', async () => {
      const picture = await board(1);
      const run = (request: object) => pool.run('patchcore/score', { picture, ...request }, {});
      await assert.rejects(run({ folder: own }), { reason: 'reference-missing' });
      const upright = await sharp(picture).rotate(90).png().toBuffer();
      await assert.rejects(run({ folder: own, reference: upright }), { reason: 'reference-mismatch' });
      await assert.rejects(run({ folder: own, reference: Buffer.from('nonsense') }), { code: 'reference-unreadable' });
    });

    it('is refused each time when its golden pictures score otherwise', async () => {
      const altered = await madeElsewhere('other-machine');
      for (const task of ['patchcore/load', 'patchcore/score', 'patchcore/load']) {
        const run = pool.run(task, { folder: altered, picture: await board(1), reference: await board(1) }, {});
        await assert.rejects(run, { reason: 'model-invalid' });
      }
    });
  });
});
