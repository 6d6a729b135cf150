import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modelNameOf } from '../../../engine/domain';
import {
  archiveOf,
  goldenScores,
  importVersion,
  parseManifest,
  readManifest,
  verifyFiles,
  writePackage,
} from '../../../engine/packages';
import { sampleDetectorFiles as files, sampleClassifier, sampleDetector } from './class-samples';
import { sampleFiles, sampleManifest } from './sample';

describe('Packages of detectors and classifiers', () => {
  let models: string;

  beforeEach(async () => {
    models = await mkdtemp(join(tmpdir(), 'packages-'));
  });
  afterEach(() => rm(models, { recursive: true, force: true }));

  for (const sample of [sampleDetector, sampleClassifier]) {
    describe(`a ${sample.kind}`, () => {
      it('reads as it was written, and is told from the other kinds', async () => {
        const folder = join(models, sample.name, '1');
        const sealed = await writePackage(folder, sample, files);
        assert.deepEqual(await verifyFiles(folder), sealed);
        assert.deepEqual(await readManifest(folder, sample.kind), sealed);
        assert.equal(goldenScores(sealed), 1);
        assert.equal(sample.name, modelNameOf(sample.partType, sample.kind));
        await assert.rejects(readManifest(folder, 'patchcore'), {
          code: 'model-invalid',
          message: new RegExp(`of kind ${sample.kind}, and one of kind patchcore is needed`),
        });
      });

      it('misses its network and its golden pictures', async () => {
        for (const path of Object.keys(files)) {
          const others = Object.fromEntries(Object.entries(files).filter(([other]) => other !== path));
          const folder = join(models, path.replaceAll('/', '-'), '1');
          await writePackage(folder, sample, others);
          await assert.rejects(verifyFiles(folder), { message: new RegExp(`${path} is not listed`) });
        }
      });

      it('travels to another station as the next version of its model', async () => {
        const folder = join(models, 'here', '1');
        const { files: entries } = await writePackage(folder, sample, files);
        const target = join(models, 'there');
        for (const version of ['1', '2']) {
          const archive = await archiveOf(folder, null);
          const manifest = await importVersion(archive.content(), target, {});
          assert.deepEqual([manifest.kind, manifest.name, manifest.version], [sample.kind, sample.name, version]);
          assert.deepEqual(manifest.files, entries);
          assert.deepEqual(await verifyFiles(join(target, sample.name, version)), manifest);
        }
      });
    });
  }

  it('are refused when they contradict themselves', () => {
    const text = (manifest: object) => JSON.stringify({ ...manifest, files: {} });
    const refused: readonly (readonly [object, RegExp])[] = [
      [{ ...sampleDetector, thresholds: { confidence: 0.2, perClass: { dent: 0.5 } } }, /thresholds\.perClass/],
      [{ ...sampleDetector, classes: ['stain', 'stain'] }, /classes: has a name twice/],
      [{ ...sampleDetector, classes: [] }, /classes/],
      [{ ...sampleDetector, iou: 1.5 }, /iou/],
      [{ ...sampleClassifier, verdicts: { good: 'OK' } }, /verdicts: says nothing of a class/],
      [{ ...sampleClassifier, temperature: 0 }, /temperature/],
      [{ ...sampleClassifier, format: 2 }, /format/],
      [{ ...sampleDetector, kind: 'oracle' }, /kind/],
      [{ ...sampleDetector, format: 4 }, /made by a newer version/],
    ];
    for (const [manifest, problem] of refused) assert.throws(() => parseManifest(text(manifest)), problem);
  });

  it('are not taken in under a name of another kind', async () => {
    for (const [kind, manifest] of [
      ['detector', { ...sampleDetector, name: 'plate' }],
      ['detector', { ...sampleDetector, name: 'plate.classifier' }],
      ['patchcore', { ...sampleManifest, name: 'plate.detector' }],
    ] as const) {
      const folder = join(models, kind, manifest.name);
      await writePackage(folder, manifest, kind === 'detector' ? files : sampleFiles);
      const archive = await archiveOf(folder, null);
      await assert.rejects(importVersion(archive.content(), join(models, 'there'), {}), {
        code: 'archive-invalid',
        message: new RegExp(`of kind ${kind} cannot have the name ${manifest.name}`),
      });
    }
  });

  it('do not stand in for an anomaly model, nor the other way round', async () => {
    const folder = join(models, 'cable', '1');
    await writePackage(folder, sampleManifest, sampleFiles);
    await assert.rejects(readManifest(folder, 'detector'), /it is a model of kind patchcore/);
    await assert.rejects(verifyFiles(folder, 'classifier'), /it is a model of kind patchcore/);
  });
});
