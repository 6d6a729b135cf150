import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Label, type TrainingOptions, type TrainingRequest, timestamp } from '../../../engine/domain';
import { encodeJpeg, inspectPicture } from '../../../engine/imaging';
import { ImportedPictures, JobQueue, ModelRegistry, Snapshots, splitOf } from '../../../engine/learning';
import { writeModel } from '../../../engine/onnx';
import { readManifest } from '../../../engine/packages';
import { learntPictures } from '../../../engine/patchcore';
import { simulatePart } from '../../../engine/simulator';
import { openStore, type Store } from '../../../engine/store';
import { readBankManifest } from '../../support/bank-manifest';
import { jobEnded, TRAINING_LIMIT_MS } from '../../support/jobs';
import { classifierOf } from '../../support/networks';
import { temporaryFolder } from './packages';

const SMALL = { width: 320, height: 180 };
const QUICK: TrainingOptions = { input: { width: 128, height: 128, mode: 'stretch' } };

describe('A training from labels', function () {
  this.timeout(2 * TRAINING_LIMIT_MS);
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let store: Store;
  let models: ModelRegistry;
  let queue: JobQueue;
  let snapshots: Snapshots;
  let imported: ImportedPictures;
  let seed: number;

  beforeEach(async () => {
    folder = await temporaryFolder();
    store = await openStore({ dataFolder: folder.path });
    models = new ModelRegistry({ store });
    queue = new JobQueue({ store, models });
    snapshots = new Snapshots(store);
    imported = new ImportedPictures({ store, inspect: (picture) => inspectPicture(picture) });
    seed = 1;
    await queue.open();
  });
  afterEach(async () => {
    await queue.close();
    await store.close();
    await folder.remove();
  });

  async function label(count: number, as: Label, partType = 'plate'): Promise<string[]> {
    const files = Array.from({ length: count }, () => {
      const part = { product: 'plate', seed: seed++, defectRate: as === 'OK' ? 0 : 1, ...SMALL } as const;
      return { name: `${part.seed}.jpg`, picture: async () => (await simulatePart(part)).picture };
    });
    const results = await imported.add(files, { partType, label: as, actor: 'ada' });
    return results.map((result) => (result.outcome === 'accepted' ? result.id : assert.fail(result.reason)));
  }
  const train = async (options: TrainingOptions | undefined, more: Partial<TrainingRequest> = {}) => {
    const request = {
      partType: 'plate',
      source: { kind: 'labelled' },
      deploy: false,
      ...(options && { options }),
      ...more,
    } as const;
    return jobEnded(queue, (await queue.submit(request, 'ada')).id);
  };

  it('takes a picture that is labelled both OK and NG for NG, and names it', async () => {
    const good = await label(10, 'OK');
    await label(2, 'NG');
    const both = good.filter((id) => splitOf(id) === 'train')[0];
    await queue.close();
    queue = new JobQueue({
      ...{ store, models },
      snapshots: {
        take: (...given) => snapshots.take(...given),
        files: (snapshot) => {
          const files = snapshots.files(snapshot);
          const labelledAnew = files.filter(({ id }) => id === both).map((file) => ({ ...file, id: 'again' }));
          return [...files, ...labelledAnew.map((file) => ({ ...file, label: 'NG' as const }))];
        },
      },
    });
    await queue.open();
    const job = await train(QUICK);
    assert.equal(job.state, 'completed', job.error?.message);
    assert.match(job.notes?.[0] ?? '', new RegExp(`^1 pictures labelled OK are labelled NG, too.* ${both}\\.`));
    const { dataset, calibration } = await readBankManifest(models.folderOf('plate', '1'));
    assert.deepEqual(
      [dataset.count, calibration.defects],
      [good.filter((id) => splitOf(id) === 'train').length - 1, 3],
    );
  });

  it('learns what is OK but for the held-out pictures, measures with what is NG, and adds what is new', async () => {
    const good = [...(await label(14, 'OK')), ...(await label(1, 'OK'))];
    await label(4, 'NG');
    const first = await train(QUICK, { deploy: true });
    assert.equal(first.state, 'completed', first.error?.message);
    const manifest = await readBankManifest(models.folderOf('plate', '1'));
    const learnt = good.filter((id) => splitOf(id) === 'train');
    assert.deepEqual([manifest.dataset.count, manifest.dataset.defects], [learnt.length, 4]);
    assert.equal(manifest.calibration.defects, 4);
    const snapshot = await snapshots.get(first.dataset!.id);
    assert.deepEqual(first.dataset, { id: snapshot.id, hash: snapshot.hash });
    assert.deepEqual(manifest.dataset.snapshot, first.dataset);
    assert.equal(snapshot.actor, 'ada');
    const hashes = snapshot.items.filter(({ label, split }) => label === 'OK' && split === 'train');
    assert.deepEqual(
      [...(await learntPictures(models.folderOf('plate', '1')))].sort(),
      hashes.map(({ sha256 }) => sha256).sort(),
    );
    if ((await models.deployed('plate')) === null) await models.deploy('plate', '1', 'ada');

    // a file that somebody replaced is not what was labelled
    const [replaced] = await label(1, 'NG');
    const { picturePath } = await imported.get(replaced);
    const other = await simulatePart({ product: 'plate', seed: 999, defectRate: 1, ...SMALL });
    await writeFile(store.pictures.absolute(picturePath), other.picture);

    let added: string[] = [];
    while (!added.some((id) => splitOf(id) === 'train')) added = [...added, ...(await label(2, 'OK'))];
    const second = await train({ update: true });
    assert.equal(second.state, 'completed', second.error?.message);
    assert.deepEqual(second.skipped, [
      { name: replaced, reason: 'The file was changed since the data set was taken.' },
    ]);
    const grown = await readBankManifest(models.folderOf('plate', '2'));
    const isNew = added.filter((id) => splitOf(id) === 'train').length;
    assert.deepEqual([grown.parent, grown.dataset.count, grown.dataset.defects], ['1', learnt.length + isNew, 4]);
    assert.notEqual(second.dataset?.id, first.dataset?.id);

    await models.deploy('plate', '2', 'ada');
    const third = await train({ update: true });
    assert.deepEqual([third.state, third.error?.code], ['failed', 'nothing-new-to-learn']);
    assert.deepEqual(third.dataset, second.dataset, 'nothing has changed since');

    await label(2, 'NG');
    const fourth = await train({ update: true });
    assert.equal(fourth.state, 'completed', fourth.error?.message);
    const levelled = await readBankManifest(models.folderOf('plate', fourth.version!));
    assert.deepEqual([levelled.dataset.count, levelled.dataset.defects], [grown.dataset.count, 6]);
    assert.deepEqual([levelled.bank, levelled.calibration.scores], [grown.bank, grown.calibration.scores]);
    assert.equal(levelled.golden.length, grown.golden.length);

    await models.deploy('plate', fourth.version!, 'ada');
    await imported.remove(learnt[0], 'ada');
    const fifth = await train({ update: true });
    assert.equal(fifth.state, 'completed', fifth.error?.message);
    const without = await readBankManifest(models.folderOf('plate', fifth.version!));
    assert.equal(without.bank.pictures, levelled.bank.pictures - 1);
    assert.match(
      fifth.notes?.[0] ?? '',
      new RegExp(`learnt from 1 picture was forgotten.* calls it good.* ${learnt[0]}\\.`),
    );
    const told = fifth.log?.find(({ code }) => code === 'forgotten');
    assert.deepEqual(told?.parameters, { count: 1, pictures: learnt[0] });
    const { sha256 } = await imported.get(learnt[0]);
    assert.ok(!(await learntPictures(models.folderOf('plate', fifth.version!))).has(sha256));
  });

  it('teaches a classifier what people said, with the held-out pictures of the snapshot', async () => {
    const colours = { OK: [200, 200, 200], NG: [90, 60, 30] } as const;
    for (const as of ['OK', 'NG'] as const) {
      const files = Array.from({ length: 16 }, (_, index) => {
        const shade = (place: number) => colours[as][place % 3] + ((place * 7 + index * 13) % 40);
        const rgb = Uint8Array.from({ length: 64 * 64 * 3 }, (_, place) => shade(place));
        return { name: `${index}.jpg`, picture: () => encodeJpeg(rgb, 64, 64) };
      });
      await imported.add(files, { partType: 'plate', label: as, actor: 'ada' });
    }
    const backbone = join(folder.path, 'backbone.onnx');
    await writeFile(backbone, writeModel(classifierOf('residual', 'Relu', ['n', 3, 'h', 'w']).model));
    const kind = 'classifier' as const;
    const job = await train(undefined, { kind, classifier: { backbone, inputSize: 64 } });
    assert.equal(job.state, 'completed', job.error?.message);
    const { dataset, classes } = await readManifest(models.folderOf('plate.classifier', '1'), kind);
    const { counts, ...snapshot } = await snapshots.get(job.dataset!.id);
    assert.deepEqual(classes, ['defect', 'good']);
    assert.deepEqual([dataset.count, dataset.heldOut], [counts.train, counts.val]);
    assert.deepEqual(dataset.snapshot, { id: snapshot.id, hash: snapshot.hash });
  });

  it('is refused while all that is labelled OK is held out', async () => {
    let partType = '';
    for (let tries = 0; ; tries += 1) {
      partType = `plate-${tries}`;
      const [id] = await label(1, 'OK', partType);
      if (splitOf(id) === 'val') break;
    }
    await assert.rejects(train(QUICK, { partType }), {
      code: 'no-pictures-to-learn',
      parameters: { partType, heldOut: 1 },
    });
    await assert.rejects(train(QUICK, { partType: 'empty' }), { code: 'too-few-pictures' });
  });

  it('fails clearly when the labels are gone before it starts', async () => {
    const ids = await label(6, 'OK');
    const long = { kind: 'simulator', product: 'plate', count: 8 } as const;
    const before = await queue.submit({ partType: 'plate', source: long, deploy: false }, 'ada');
    const waiting = await queue.submit({ partType: 'plate', source: { kind: 'labelled' }, deploy: false }, 'ada');
    for (const id of ids) await imported.remove(id, 'ada');
    await queue.cancel(before.id, 'ada');
    const job = await jobEnded(queue, waiting.id);
    assert.deepEqual([job.state, job.error?.code], ['failed', 'nothing-labelled']);
    assert.ok(job.endedAt! <= timestamp(Date.now()));
  });
});
