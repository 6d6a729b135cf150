import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { MANIFEST_FORMAT, type ReferenceManifest, referenceSection } from '../../../../engine/packages';
import {
  packReference,
  ReferenceMissing,
  ReferenceModel,
  type ReferencePackage,
  trainReference,
} from '../../../../engine/patchcore';
import { partScene, planeOf, pngOf, withBlot } from './scenes';

describe('a reference model', function () {
  this.timeout(180_000);
  let folder: string;
  let golden: Buffer;
  let good: Buffer;
  let bad: Buffer;
  let manifest: ReferenceManifest;
  let packed: ReferencePackage;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reference-model-'));
    const scene = partScene(6);
    const shifted = (by: number) => planeOf(scene, 200, 160, (x, y) => [x + by, y - by / 2]);
    golden = await pngOf(planeOf(scene, 200, 160));
    good = await pngOf(shifted(2.5));
    bad = await pngOf(withBlot(shifted(1), 90, 70, 14, 14, 1));
    const pairs = await Promise.all(
      [1, 1.5, 2, 3].map(async (by) => ({ name: `${by}`, picture: await pngOf(shifted(by)), reference: golden })),
    );
    const result = await trainReference({ partType: 'plate', pairs, threads: 1 });
    packed = packReference(result, golden);
    const { calibration, dataset } = result;
    const { thresholds } = calibration;
    manifest = {
      format: MANIFEST_FORMAT,
      kind: 'patchcore',
      method: 'reference',
      name: 'plate',
      version: '1',
      partType: 'plate',
      createdAt: '2026-01-01T00:00:00.000Z',
      parent: null,
      dataset: { source: 'drawn', ...dataset },
      map: { sigma: 0, zero: 0, region: 0.2, full: 0.4 },
      thresholds,
      calibration,
      metrics: {},
      files: {},
      reference: packed.section,
    };
    for (const [path, content] of Object.entries(packed.files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content);
    }
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const use = async <T>(facts: ReferenceManifest, task: (model: ReferenceModel) => Promise<T>): Promise<T> => {
    const model = await ReferenceModel.open(folder, facts, 1);
    try {
      return await task(model);
    } finally {
      await model.dispose();
    }
  };

  it('is packed as pictures and a section that is plain JSON', () => {
    assert.deepEqual(referenceSection.parse(JSON.parse(JSON.stringify(packed.section))), packed.section);
    assert.equal(packed.section.golden.length, 3);
    const named = packed.section.golden.flatMap(({ picture, reference }) => [picture, reference]);
    assert.deepEqual([...named, 'reference.png'].sort(), Object.keys(packed.files).sort());
  });

  it('scores by its own golden picture, or by that of the part', async () => {
    await use(manifest, async (model) => {
      await model.verify();
      const passed = await model.score(good);
      const failed = await model.score(bad);
      assert.ok(passed.score < failed.score);
      assert.ok(failed.normalizedScore > 1, `normalised ${failed.normalizedScore}`);
      assert.deepEqual(failed.model, { name: 'plate', version: '1' });
      assert.ok(failed.map && failed.regions.length > 0 && failed.milliseconds.total > 0);
      const itself = await model.score(bad, { reference: bad, map: false });
      assert.deepEqual([itself.score, itself.map], [0, undefined]);
    });
  });

  it('needs a golden picture from somewhere', async () => {
    const without = { ...manifest, reference: { ...manifest.reference, picture: null } };
    await use(without, async (model) => {
      await assert.rejects(model.score(good), ReferenceMissing);
      assert.ok((await model.score(good, { reference: golden })).score >= 0);
    });
  });

  it('is refused when a golden pair scores otherwise, or a file is gone', async () => {
    const [first, ...others] = manifest.reference.golden;
    const section = { ...manifest.reference, golden: [{ ...first, score: first.score + 0.05 }, ...others] };
    await use({ ...manifest, reference: section }, (model) =>
      assert.rejects(model.verify(), { code: 'model-invalid', message: /golden\/1\.png scores/ }),
    );
    const gone = { ...manifest, reference: { ...manifest.reference, picture: 'gone.png' } };
    await assert.rejects(ReferenceModel.open(folder, gone, 1), { code: 'model-invalid' });
  });
});
