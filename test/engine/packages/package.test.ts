import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  listVersions,
  ModelExists,
  ModelInvalid,
  nextVersion,
  readManifest,
  verifyFiles,
  writePackage,
} from '../../../engine/packages';
import { recordSyncs } from '../../support/syncs';
import {
  sampleFiles as files,
  sampleManifest as manifest,
  sampleReference,
  sampleReferenceFiles,
  writeFirstFormat,
} from './sample';

describe('Model packages', function () {
  this.timeout(180_000);
  let models: string;
  let folder: string;

  beforeEach(async () => {
    models = await mkdtemp(join(tmpdir(), 'packages-'));
    folder = join(models, 'cable', '1');
  });
  afterEach(() => rm(models, { recursive: true, force: true }));

  it('holds what was written, with size and SHA-256 of every file', async () => {
    const sealed = await writePackage(folder, manifest, files);
    assert.deepEqual(await verifyFiles(folder), sealed);
    // Second source: Web Crypto.
    assert.deepEqual(sealed.files['golden/1.png'], {
      bytes: 9,
      sha256: await sha256sum('a picture'),
    });
    assert.deepEqual((await readdir(join(models, 'cable'))).sort(), ['1']);
  });

  it('holds a model that compares with golden pictures, and misses any of its files', async () => {
    const sealed = await writePackage(folder, sampleReference, sampleReferenceFiles);
    const read = await verifyFiles(folder);
    assert.deepEqual(read, sealed);
    assert.ok(read.method === 'reference' && read.reference.settings.side === 512);
    for (const [index, path] of Object.keys(sampleReferenceFiles).entries()) {
      const others = Object.fromEntries(Object.entries(sampleReferenceFiles).filter(([other]) => other !== path));
      const place = join(models, 'board', String(index));
      await writePackage(place, sampleReference, others);
      await assert.rejects(verifyFiles(place), { code: 'model-invalid', message: new RegExp(`${path} is not listed`) });
    }
    const own = { ...sampleReference, reference: { ...sampleReference.reference, picture: null } };
    const { 'reference.png': _, ...withoutShared } = sampleReferenceFiles;
    await writePackage(join(models, 'own', '1'), own, withoutShared);
    await verifyFiles(join(models, 'own', '1'));
    await writeFile(join(folder, 'golden', '1-reference.png'), 'its golden picturE');
    await assert.rejects(verifyFiles(folder), /golden\/1-reference\.png was changed/);
  });

  it('needs every head, the mask and the backbone that its manifest names', async () => {
    const named = {
      ...manifest,
      viewing: { ...manifest.viewing, mask: 'mask.png' },
      backbone: { ...manifest.backbone, file: 'backbone.onnx' },
    };
    const all: Record<string, Buffer> = { ...files, 'mask.png': Buffer.from('m'), 'backbone.onnx': Buffer.from('b') };
    await writePackage(folder, named, all);
    await verifyFiles(folder);
    for (const path of Object.keys(all)) {
      const place = join(models, 'without', path.replace('/', '-'));
      await writePackage(place, named, Object.fromEntries(Object.entries(all).filter(([other]) => other !== path)));
      await assert.rejects(verifyFiles(place), { code: 'model-invalid', message: new RegExp(`${path} is not listed`) });
    }
  });

  it('is of one method, with what belongs to it', async () => {
    const { reference: _, ...without } = sampleReference;
    const other = { ...manifest, method: 'guess' } as unknown as typeof manifest;
    await assert.rejects(writePackage(folder, without as typeof sampleReference, sampleReferenceFiles), /reference: /);
    await assert.rejects(writePackage(folder, other, files), /method: /);
    assert.deepEqual(await listVersions(models, 'cable'), []);
  });

  it('forces every file and every folder it makes or changes to the disk', async () => {
    const forced = await recordSyncs(() => writePackage(folder, manifest, files));
    const partial = forced.map((path) => path.replace(/\.[0-9a-f]{12}\.partial/, 'PARTIAL').replace(/\.tmp$/, ''));
    for (const path of [
      'cable/PARTIAL/head.onnx',
      'cable/PARTIAL/golden/1.png',
      'cable/PARTIAL/golden',
      'cable/PARTIAL/manifest.json',
      'cable/PARTIAL',
      'cable',
      '',
    ]) {
      assert.ok(partial.includes(join(models, path)), `${path} of ${partial}`);
    }
  });

  it('refuses thresholds in the wrong order, and a reject level that good parts exceed', async () => {
    const crossed = { ...manifest, thresholds: { accept: 3, reject: 2 } };
    await assert.rejects(writePackage(folder, crossed, files), /thresholds: accept is above reject/);
    const low = { ...manifest, thresholds: { accept: 0.6, reject: 0.7 } };
    await assert.rejects(writePackage(folder, low, files), /calibration.median: is not below the reject level/);
    assert.deepEqual(await listVersions(models, 'cable'), []);
  });

  it('never overwrites a version, nor anything else', async () => {
    await writePackage(folder, manifest, files);
    const before = await readFile(join(folder, 'manifest.json'), 'utf8');
    await assert.rejects(writePackage(folder, { ...manifest, partType: 'other' }, files), ModelExists);
    assert.equal(await readFile(join(folder, 'manifest.json'), 'utf8'), before);
    await writeFile(join(models, 'note.txt'), 'mine');
    await assert.rejects(writePackage(models, manifest, files), ModelExists);
    assert.equal(await readFile(join(models, 'note.txt'), 'utf8'), 'mine');
  });

  it('lets one of two writers of the same version win and leaves nothing of the other', async () => {
    const results = await Promise.allSettled([
      writePackage(folder, manifest, files),
      writePackage(folder, manifest, files),
    ]);
    assert.deepEqual(results.map((result) => result.status).sort(), ['fulfilled', 'rejected']);
    assert.deepEqual(await readdir(join(models, 'cable')), ['1']);
    await verifyFiles(folder);
  });

  it('takes an empty folder that is there already', async () => {
    await mkdir(folder, { recursive: true });
    await writePackage(folder, manifest, files);
    await verifyFiles(folder);
  });

  it('leaves nothing behind when the check before the rename fails', async () => {
    const failing = writePackage(folder, manifest, files, async (partial) => {
      await verifyFiles(partial);
      throw new Error('golden score is off');
    });
    await assert.rejects(failing, /golden score is off/);
    assert.deepEqual(await readdir(join(models, 'cable')), []);
  });

  it('refuses paths that leave the package', async () => {
    await assert.rejects(writePackage(folder, manifest, { '../outside': Buffer.from('x') }), RangeError);
    await writePackage(folder, manifest, files);
    const path = join(folder, 'manifest.json');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('"head.onnx"', '"../1/head.onnx"'));
    await assert.rejects(verifyFiles(folder), ModelInvalid);
  });

  it('refuses a package with one bit changed in any file', async () => {
    await writePackage(folder, manifest, files);
    for (const file of Object.keys(files)) {
      const path = join(folder, file);
      const bytes = await readFile(path);
      const changed = Buffer.from(bytes);
      changed[changed.length - 1] ^= 1;
      await writeFile(path, changed);
      await assert.rejects(verifyFiles(folder), (error: ModelInvalid) => {
        assert.ok(error instanceof ModelInvalid);
        assert.equal(error.reason, 'model-invalid');
        assert.match(error.message, new RegExp(`${file} was changed`));
        return true;
      });
      await writeFile(path, bytes);
    }
    await verifyFiles(folder);
  });

  it('refuses a package with a byte of its manifest or seal changed, wherever', async () => {
    await writePackage(folder, manifest, files);
    for (const file of ['manifest.json', 'manifest.sha256']) {
      const path = join(folder, file);
      const bytes = await readFile(path);
      for (let at = 0; at < bytes.length; at += file === 'manifest.json' ? 5 : 1) {
        const changed = Buffer.from(bytes);
        changed[at] ^= 1;
        await writeFile(path, changed);
        await assert.rejects(readManifest(folder), ModelInvalid, `byte ${at} of ${file}`);
      }
      await writeFile(path, bytes);
    }
    await verifyFiles(folder);
  });

  it('reads a package of format 1, which was written without a seal, and no newer one without', async () => {
    await writeFirstFormat(folder);
    assert.equal((await verifyFiles(folder)).name, 'cable');
    const newer = join(models, 'cable', '2');
    await writePackage(newer, manifest, files);
    await rm(join(newer, 'manifest.sha256'));
    await assert.rejects(verifyFiles(newer), /manifest\.sha256 is missing/);
  });

  it('seals its manifest as sha256sum writes it', async () => {
    await writePackage(folder, manifest, files);
    const hash = await sha256sum(await readFile(join(folder, 'manifest.json'), 'utf8'));
    assert.equal(await readFile(join(folder, 'manifest.sha256'), 'utf8'), `${hash}  manifest.json\n`);
  });

  it('refuses missing files, wrong kinds, newer formats and damaged manifests, and says which', async () => {
    await writePackage(folder, manifest, files);
    const path = join(folder, 'manifest.json');
    const text = await readFile(path, 'utf8');
    const cases: [string, RegExp][] = [
      [text.replace('"patchcore"', '"yolo"'), /kind/],
      [text.replace('"format": 2', '"format": 999'), /newer version of this package \(format 999;/],
      [text.slice(0, text.length / 2), /damaged/],
      [text.replace('"accept": 1', '"accept": "1"'), /thresholds\.accept/],
    ];
    for (const [damaged, expected] of cases) {
      await writeFile(path, damaged);
      await assert.rejects(
        readManifest(folder),
        (error: Error) => error instanceof ModelInvalid && expected.test(error.message),
      );
    }
    await writeFile(path, text);
    await rm(join(folder, 'head.onnx'));
    await assert.rejects(verifyFiles(folder), /head\.onnx is missing/);
    await assert.rejects(readManifest(join(models, 'nothing')), /there is no manifest\.json/);
  });

  it('numbers versions on and lists them in the order of their numbers', async () => {
    assert.equal(await nextVersion(models, 'cable'), '1');
    assert.deepEqual(await listVersions(models, 'cable'), []);
    for (const version of ['1', '2', '10'])
      await writePackage(join(models, 'cable', version), { ...manifest, version }, files);
    await mkdir(join(models, 'cable', '11'));
    await mkdir(join(models, 'cable', '.half.partial'));
    assert.deepEqual(await listVersions(models, 'cable'), ['1', '2', '10']);
    assert.equal(await nextVersion(models, 'cable'), '12');
  });
});

async function sha256sum(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', Buffer.from(text));
  return Buffer.from(digest).toString('hex');
}
