import assert from 'node:assert/strict';
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { ModelInvalid } from '../../../engine/packages';
import { TooFewPictures, type TrainingPicture } from '../../../engine/patchcore';
import { drawGood, drawPicture } from './pictures';
import { type Trained, Workbench } from './workbench';

/** Parts with a dark mark in a corner: a variant that the first pictures do not show. */
function marked(count: number, firstSeed: number): Promise<TrainingPicture[]> {
  const blot = { x: 110, y: 70, width: 40, height: 40 };
  return Promise.all(
    Array.from({ length: count }, async (_, index) => ({
      name: `marked-${index + 1}.jpg`,
      picture: await drawPicture({ seed: firstSeed + index, defective: true, blot }),
    })),
  );
}

describe('Adding pictures to a trained model', function () {
  this.timeout(180_000);
  let bench: Workbench;
  let first: TrainingPicture[];
  let variants: TrainingPicture[];
  let parent: Trained;
  let next: Trained;
  before(async () => {
    bench = await Workbench.open();
    first = await drawGood(16, 101);
    variants = await marked(6, 201);
    parent = await bench.train(first, { roi: { x: 0, y: 0, width: 1, height: 0.95 }, coresetSize: 300 });
    next = await bench.train(variants, {
      version: '2',
      parent: '1',
      updateFrom: parent.folder,
      keepSuspects: true,
      coresetSize: 300,
      // what the parent decided holds
      input: { width: 96, height: 96, mode: 'letterbox' },
      recipe: 'measured',
    });
  });
  after(() => bench.close());

  it('makes a version that knows both, and looks at pictures as its parent does', () => {
    const { manifest } = next;
    assert.deepEqual([manifest.version, manifest.parent], ['2', '1']);
    assert.deepEqual([manifest.bank.pictures, manifest.bank.size], [22, 300]);
    assert.deepEqual(manifest.viewing, parent.manifest.viewing);
    assert.deepEqual(manifest.preprocessing, parent.manifest.preprocessing);
    assert.deepEqual(manifest.recipe, { ...parent.manifest.recipe, chosen: 'inherited' });
    assert.notEqual(manifest.dataset.sha256, parent.manifest.dataset.sha256);
    assert.deepEqual(
      next.origins.pictures.map(({ name }) => name).sort(),
      [...first, ...variants].map(({ name }) => name).sort(),
    );
    const learnt = new Set(next.origins.banks[0]?.picture.map((picture) => next.origins.pictures[picture].name));
    assert.ok(
      variants.every(({ name }) => learnt.has(name)),
      'rows of the new pictures',
    );
    assert.ok(
      first.some(({ name }) => learnt.has(name)),
      'rows of the old ones',
    );
  });

  it('takes the new variant for good from then on, and goes on finding defects', async () => {
    const [{ picture: variant }] = await marked(1, 301);
    const [before, after] = [await parent.score(variant as Buffer), await next.score(variant as Buffer)];
    assert.ok(before.score > before.thresholds.reject, 'unknown to the parent');
    assert.ok(after.score < 0.6 * before.score && after.score <= after.thresholds.reject, `${after.score}`);
    const old = await next.score(await drawPicture({ seed: 900 }));
    assert.ok(old.score <= old.thresholds.accept);
    const blot = { x: 30, y: 40, width: 30, height: 30 };
    const defect = await drawPicture({ seed: 900, defective: true, blot });
    assert.ok((await parent.score(defect)).score > parent.manifest.thresholds.reject);
    const found = await next.score(defect);
    assert.ok(found.score > 2 * old.score && found.score > found.thresholds.reject, `${found.score}`);
  });

  it('calibrates on the scores of both', () => {
    const [before, after] = [parent.manifest.calibration, next.manifest.calibration];
    assert.ok(before.scores.every((score) => after.scores.includes(score)));
    assert.equal(after.pictures, before.scores.length + 6);
    assert.ok(after.picturesNeeded < before.picturesNeeded);
  });

  it('keeps the bank size and wishes of the parent, unless others are told', async () => {
    const pictures = await drawGood(3, 441);
    const same = await bench.train(pictures, { version: '2', updateFrom: parent.folder, coresetSize: undefined });
    assert.equal(same.manifest.bank.size, parent.manifest.bank.size);
    assert.equal(same.manifest.calibration.falseRejectRate, parent.manifest.calibration.falseRejectRate);
    const told = await bench.train(pictures, { version: '2', updateFrom: parent.folder, falseRejectRate: 0.2 });
    assert.equal(told.manifest.calibration.falseRejectRate, 0.2);
  });

  it('leaves the parent as it was', async () => {
    const files = async () =>
      Promise.all(['manifest.json', 'head.onnx', 'bank.json'].map((file) => readFile(join(parent.folder, file))));
    const before = await files();
    await bench.train(await drawGood(2, 401), { version: '3', updateFrom: parent.folder });
    assert.deepEqual(await files(), before);
  });

  it('learns pictures saved anew, and counts no score of theirs: the bank knows what they show', async () => {
    const again = await Promise.all(
      first.slice(0, 4).map(async ({ name, picture }) => ({
        name: `again ${name}`,
        picture: await sharp(picture as Buffer)
          .jpeg({ quality: 80 })
          .toBuffer(),
      })),
    );
    const fresh = await drawGood(3, 431);
    const { manifest } = await bench.train([...again, ...fresh], { version: '2', updateFrom: parent.folder });
    assert.equal(manifest.bank.pictures, 16 + 4 + 3);
    const { scores } = manifest.calibration;
    assert.equal(scores.length, parent.manifest.calibration.scores.length + 3);
  });

  it('names pictures that the model knows already, and learns nothing twice', async () => {
    const pictures = [first[3], ...(await drawGood(2, 411)), first[5]];
    const { skipped, manifest } = await bench.train(pictures, { version: '2', updateFrom: parent.folder });
    assert.deepEqual(skipped, [
      { name: 'good-104.jpg', reason: 'It is the same picture as good-104.jpg, which the model knows already.' },
      { name: 'good-106.jpg', reason: 'It is the same picture as good-106.jpg, which the model knows already.' },
    ]);
    assert.equal(manifest.bank.pictures, 18);
    const run = bench.train(first.slice(0, 3), { version: '2', updateFrom: parent.folder });
    await assert.rejects(
      run,
      (error: Error) => error instanceof TooFewPictures && /got 0 \(3 more/.test(error.message),
    );
  });

  it('lists new pictures that look defective, and leaves them out', async () => {
    const hidden = { name: 'hidden.jpg', picture: await drawPicture({ seed: 31, defective: true }) };
    const added = await bench.train([...(await drawGood(5, 421)), hidden], { version: '2', updateFrom: parent.folder });
    assert.deepEqual(
      added.manifest.suspects.map(({ name, learnt }) => [name, learnt]),
      [['hidden.jpg', false]],
    );
    assert.equal(added.manifest.bank.pictures, 21);
    assert.ok(!added.origins.pictures.some(({ name }) => name === 'hidden.jpg'));
  });

  it('can be done again and again', async () => {
    const third = await bench.train(await drawGood(3, 431), { version: '3', parent: '2', updateFrom: next.folder });
    assert.equal(third.manifest.bank.pictures, 25);
    assert.equal(third.origins.pictures.length, 25);
  });

  it('begins with a single picture as well', async () => {
    const single = await bench.train(first.slice(0, 1));
    const grown = await bench.train(first.slice(1, 9), { version: '2', updateFrom: single.folder });
    const { calibration, bank } = grown.manifest;
    assert.equal(bank.pictures, 1 + 8);
    // the scores of altered copies count no more
    assert.deepEqual([calibration.method, calibration.pictures], ['cross-validated', 8]);
    await assert.rejects(bench.train(first.slice(1, 2), { version: '2', updateFrom: single.folder }), TooFewPictures);
  });

  it('refuses a parent of which a byte was changed, and leaves nothing when it is stopped', async () => {
    const altered = join(bench.folder, 'altered');
    await cp(parent.folder, altered, { recursive: true });
    const bytes = await readFile(join(altered, 'bank.json'));
    bytes[bytes.length - 5] ^= 1;
    await writeFile(join(altered, 'bank.json'), bytes);
    const before = await readdir(bench.folder);
    await assert.rejects(bench.train(variants, { version: '2', updateFrom: altered }), ModelInvalid);
    for (const stage of ['read', 'extract', 'coreset', 'package', 'verify']) {
      const cancel = new AbortController();
      const run = bench.train(variants, {
        version: '2',
        updateFrom: parent.folder,
        signal: cancel.signal,
        onProgress: (progress) => progress.stage === stage && cancel.abort(new Error(`stop at ${stage}`)),
      });
      await assert.rejects(run, new RegExp(`stop at ${stage}`));
    }
    assert.deepEqual(await readdir(bench.folder), before);
  });
});
