import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fixedSplit, readDataset, writeDataset } from '../../../engine/datasets';
import {
  type Inspection,
  InspectionError,
  type Label,
  type LabelledBox,
  newId,
  timestamp,
} from '../../../engine/domain';
import { encodeJpeg, inspectPicture } from '../../../engine/imaging';
import {
  contentOf,
  datasetStats,
  ImportedPictures,
  type IncomingPicture,
  importFolder,
  Snapshots,
  writableSnapshot,
} from '../../../engine/learning';
import { ReviewQueue } from '../../../engine/review';
import { openStore, type Store, type StoreOptions, StoreUnavailable } from '../../../engine/store';
import { hugePng } from '../../support/huge-png';
import { temporaryFolder } from './packages';

const DAY_MS = 86_400_000;
const SCRATCH: LabelledBox = { label: 'scratch', box: { x: 1, y: 2, width: 10, height: 5 } };

describe('Data sets of labelled pictures', function () {
  this.timeout(120_000);
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let store: Store;
  let reviews: ReviewQueue;
  let snapshots: Snapshots;
  let imported: ImportedPictures;
  let now: number;
  let shade: number;

  const clock = { now: () => now };
  const ada = { partType: 'plate', label: 'OK', actor: 'ada' } as const;

  async function open(options: Partial<StoreOptions> = {}): Promise<void> {
    store = await openStore({ dataFolder: folder.path, clock, ...options });
    reviews = new ReviewQueue(store, clock);
    snapshots = new Snapshots(store, clock);
    imported = new ImportedPictures({ store, clock, inspect: (picture) => inspectPicture(picture) });
  }

  beforeEach(async () => {
    now = Date.parse('2026-03-04T05:06:07.000Z');
    shade = 0;
    folder = await temporaryFolder();
    await open();
  });
  afterEach(async () => {
    await store.close();
    await folder.remove();
  });

  /** A small picture unlike all before. */
  function picture(): Promise<Buffer> {
    shade += 1;
    return encodeJpeg(
      Uint8Array.from({ length: 32 * 24 * 3 }, (_, at) => (at * (shade % 13) + shade * 7) % 256),
      32,
      24,
    );
  }

  async function inspected(bytes?: Buffer): Promise<string> {
    const file = bytes ?? (await picture());
    const id = newId();
    const at = timestamp(now);
    const image = await inspectPicture(file);
    const inspection: Inspection = {
      id,
      station: 'line-1',
      partType: 'plate',
      trigger: { source: 'api' },
      capturedAt: at,
      deadlineAt: at,
      image,
      findings: [],
      decision: { verdict: 'REVIEW', confidence: 0, reasons: [], by: 'model', at },
    };
    const saved = await store.pictures.save(id, at, file, image.format);
    const picturePath = await store.pictures.moveToVerdict(saved, 'REVIEW');
    await store.inspections.settle(inspection, { picturePath, settledAt: at, delivered: true });
    await reviews.add(inspection);
    return id;
  }

  async function labelled(label: Label, boxes?: readonly LabelledBox[], bytes?: Buffer): Promise<string> {
    const id = await inspected(bytes);
    await reviews.label(id, { label, boxes, reviewer: 'Ada' }, 'ada');
    return id;
  }

  const given = (name: string, bytes: Buffer, more: Partial<IncomingPicture> = {}): IncomingPicture => ({
    name,
    picture: async () => bytes,
    ...more,
  });

  it('hold what is labelled, mark it as used once, and are given again while nothing changes', async () => {
    const ids = [await labelled('OK'), await labelled('NG', [SCRATCH]), await labelled('OK', [])];
    await inspected();
    const first = await snapshots.take('plate', 'bob', ' nightly ');
    assert.deepEqual(
      first.items.map(({ id, label, boxes, split }) => ({ id, label, boxes, split })),
      ids.map((id, at) => ({
        id,
        label: at === 1 ? 'NG' : 'OK',
        boxes: [null, [SCRATCH], []][at],
        split: fixedSplit(id),
      })),
    );
    const { counts, hash, note, actor } = first;
    assert.deepEqual([counts.ok, counts.ng, counts.boxes, counts.perClass], [2, 1, 1, { scratch: 1 }]);
    assert.equal(counts.train + counts.val, 3);
    assert.deepEqual([note, actor, hash.length], ['nightly', 'bob', 64]);
    assert.equal((await snapshots.take('plate', 'eve')).id, first.id);

    const later = await labelled('NG');
    const second = await snapshots.take('plate', 'eve');
    assert.notEqual(second.hash, hash);
    for (const id of ids) assert.equal((await reviews.get(id)).usedForTraining, first.id);
    assert.equal((await reviews.get(later)).usedForTraining, second.id);
    assert.deepEqual(await snapshots.get(first.id), first);
    assert.deepEqual(
      (await snapshots.list({ partType: 'plate' })).map(({ id }) => id),
      [second.id, first.id],
    );
    assert.deepEqual(
      (await store.audit.list({ action: 'dataset.snapshot' })).map((entry) => entry.actor),
      ['eve', 'bob'],
    );
  });

  it('stay as they are when a label that they took is rejected and made anew', async () => {
    const id = await labelled('OK');
    await labelled('NG');
    const first = await snapshots.take('plate', 'ada');
    await assert.rejects(reviews.undo({ id }, 'ada'), { code: 'used-already' });
    const withdrawn = async () => (await store.labels.withdrawn('plate')).map(({ id }) => id);
    assert.deepEqual(await withdrawn(), []);
    await reviews.reject(id, { reviewer: 'Bob' }, 'bob');
    assert.deepEqual(await withdrawn(), [id]);
    assert.equal((await snapshots.take('plate', 'ada')).items.length, 1);
    await reviews.label(id, { label: 'NG', reviewer: 'Ada' }, 'ada');
    assert.deepEqual(await withdrawn(), []);
    const third = await snapshots.take('plate', 'ada');
    assert.deepEqual(
      [first, third].map(({ items }) => items.find((item) => item.id === id)?.label),
      ['OK', 'NG'],
    );
    assert.equal((await reviews.get(id)).usedForTraining, first.id);
    assert.deepEqual((await snapshots.get(first.id)).items, first.items);
  });

  it('let a label that was made anew be undone until one takes it', async () => {
    const id = await labelled('OK');
    await labelled('NG');
    await snapshots.take('plate', 'ada');
    await reviews.reject(id, { reviewer: 'Bob' }, 'bob');
    await reviews.label(id, { label: 'NG', reviewer: 'Ada' }, 'ada');
    await reviews.undo({ id }, 'ada');
    await snapshots.take('plate', 'ada');
    await reviews.label(id, { label: 'NG', reviewer: 'Ada' }, 'ada');
    await reviews.undo({ id }, 'ada');
    await reviews.label(id, { label: 'NG', reviewer: 'Ada' }, 'ada');
    const last = await snapshots.take('plate', 'ada');
    await assert.rejects(reviews.undo({ id }, 'ada'), { code: 'used-already', message: new RegExp(last.id) });
  });

  it('are of one moment, however many labels come while they are made', async () => {
    for (const more of [1, 10]) {
      let made = 0;
      await labelled('OK');
      const order = { id: newId(), partType: 'plate', actor: 'ada', note: null, at: timestamp(now) };
      const { items } = await store.snapshots.take(order, async (labels) => {
        made += 1;
        // the last time nobody else can write
        if (made <= Math.min(more, 3)) await labelled('NG');
        return contentOf(labels);
      });
      assert.equal(made, Math.min(more, 3) + 1);
      assert.deepEqual(
        items.map(({ id }) => id),
        (await store.labels.labelled('plate')).map(({ id }) => id),
      );
      assert.equal(await store.labels.unused('plate'), 0);
    }
  });

  it('keep their pictures when old ones are removed for space', async () => {
    const id = await labelled('OK');
    const [item] = (await snapshots.take('plate', 'ada')).items;
    await reviews.reject(id, { reviewer: 'Bob' }, 'bob');
    const nothing = { days: 0, bytes: 0 };
    await store.applyRetention({ OK: nothing, NG: nothing, REVIEW: nothing }, now + 100 * DAY_MS);
    assert.ok((await store.pictures.read(item.picturePath)).length > 0);
  });

  it('take only approved labels where a second person is asked for', async () => {
    await store.close();
    await open({ secondPerson: true });
    const [approved] = [await labelled('OK'), await labelled('OK')];
    await assert.rejects(snapshots.take('plate', 'ada'), { code: 'nothing-labelled', httpStatus: 409 });
    await reviews.approve(approved, { reviewer: 'Bob' }, 'bob');
    const { items } = await snapshots.take('plate', 'ada');
    assert.deepEqual(
      items.map(({ id }) => id),
      [approved],
    );
    assert.equal((await datasetStats(store, 'plate')).labels.ok, 1);
  });

  it('learn or hold out the same picture under two ids as one', async () => {
    const bytes = await picture();
    const ids: string[] = [];
    for (let count = 0; count < 20; count += 1) ids.push(await labelled('OK', undefined, bytes));
    const { items } = await snapshots.take('plate', 'ada');
    assert.equal(items.length, 20);
    assert.deepEqual([...new Set(items.map(({ split }) => split))], [fixedSplit(ids[0])]);
  });

  it('are deleted for 30 days, and then for good', async () => {
    await labelled('OK');
    const { id } = await snapshots.take('plate', 'ada');
    await snapshots.remove(id, 'bob');
    assert.equal((await snapshots.get(id)).deletedAt, timestamp(now));
    now += 29 * DAY_MS;
    assert.equal(await snapshots.purge(), 0);
    assert.equal((await snapshots.restore(id, 'bob')).deletedAt, null);
    await snapshots.remove(id, 'bob');
    assert.notEqual((await snapshots.take('plate', 'ada')).id, id, 'a deleted one is not given again');
    now += 31 * DAY_MS;
    assert.equal(await snapshots.purge(), 1);
    await assert.rejects(snapshots.get(id), { code: 'not-found', httpStatus: 404 });
    await assert.rejects(snapshots.restore(id, 'bob'), { code: 'not-found' });
    await assert.rejects(snapshots.remove(newId(), 'bob'), { code: 'not-found' });
  });

  it('are written in every format with the splits they have', async () => {
    for (let count = 0; count < 12; count += 1) await labelled(count % 2 ? 'OK' : 'NG', count % 2 ? [] : [SCRATCH]);
    await labelled('NG');
    const snapshot = await snapshots.take('plate', 'ada');
    for (const format of ['yolo', 'coco', 'classes'] as const) {
      const place = join(folder.path, format);
      await writeDataset(writableSnapshot(snapshots, snapshot, format), format, place);
      const { pictures, classes, skipped } = await readDataset(place);
      assert.deepEqual(skipped, []);
      // an unnamed defect without a place is no background for a detector
      assert.equal(pictures.length, format === 'classes' ? 13 : 12, format);
      assert.deepEqual(classes, format === 'classes' ? ['defect', 'good', 'scratch'] : ['scratch']);
      for (const { id, split, sha256 } of pictures) {
        const item = snapshot.items.find((one) => id.includes(one.id));
        assert.deepEqual([item?.split, item?.sha256], [split, sha256]);
      }
    }
    const known = writableSnapshot(snapshots, snapshot, 'yolo', ['hole', 'scratch']);
    assert.deepEqual(known.classes, ['hole', 'scratch']);
  });

  describe('with imported pictures', () => {
    it('count them as labels wherever labels are read', async () => {
      const reviewed = await labelled('NG', [SCRATCH]);
      const bytes = [await picture(), await picture()];
      const told: string[] = [];
      imported.events.on('changed', ({ partType }) => told.push(partType));
      const results = await imported.add(
        [given('a.jpg', bytes[0]), given('b.jpg', bytes[1], { label: 'NG', boxes: [{ ...SCRATCH, label: 'hole' }] })],
        ada,
      );
      assert.deepEqual(
        results.map(({ name, outcome }) => [name, outcome]),
        [
          ['a.jpg', 'accepted'],
          ['b.jpg', 'accepted'],
        ],
      );
      assert.deepEqual(told, ['plate']);
      assert.deepEqual((await store.labels.counts()).get('plate'), { ok: 1, ng: 2, boxed: 2 });
      assert.deepEqual(await store.labels.classes('plate'), ['hole', 'scratch']);
      assert.equal((await store.labels.labelledPictures('plate', 'NG')).length, 2);
      assert.equal(await store.labels.unused('plate'), 3);

      const stats = await datasetStats(store, 'plate');
      assert.deepEqual(stats, {
        partType: 'plate',
        labels: { ok: 1, ng: 2 },
        perClass: [
          { label: 'hole', boxes: 1, pictures: 1 },
          { label: 'scratch', boxes: 1, pictures: 1 },
        ],
        perMonth: [{ month: '2026-03', ok: 1, ng: 2 }],
        perSource: { review: 1, imported: 2 },
        boxes: 2,
        split: stats.split,
        unused: 3,
        snapshots: 0,
        lastSnapshot: null,
      });
      assert.equal(stats.split.train + stats.split.val, 3);

      const snapshot = await snapshots.take('plate', 'ada');
      const after = await datasetStats(store, 'plate');
      assert.deepEqual([after.unused, after.snapshots, after.lastSnapshot?.id], [0, 1, snapshot.id]);
      assert.deepEqual([snapshot.counts.train, snapshot.counts.val], [after.split.train, after.split.val]);
      assert.deepEqual(
        snapshots.files(snapshot).map(({ id, source, path }) => [id, source, existsSync(path)]),
        [
          [reviewed, 'inspection', true],
          ...results.map((result) => ['id' in result ? result.id : '', 'imported', true]),
        ],
      );
    });

    it('tell of each file why it cannot be taken, and take the others', async () => {
      const good = await picture();
      const twin = await picture();
      await labelled('NG', undefined, twin);
      const outside = [{ label: 'hole', box: { x: 30, y: 2, width: 10, height: 5 } }];
      const results = await imported.add(
        [
          given('cut.jpg', good.subarray(0, good.length - 40)),
          given('empty.jpg', Buffer.alloc(0)),
          given('huge.png', hugePng(10_000, 10_000)),
          given('notes.txt', Buffer.from('not a picture')),
          given('moving.gif', Buffer.from('GIF89a, and so on')),
          given('../../twin.jpg', twin),
          given('box.jpg', await picture(), { boxes: outside }),
          given('gone.jpg', Buffer.alloc(0), { picture: () => Promise.reject(new Error('EACCES: permission denied')) }),
          given('good.jpg', good),
          given('again.jpg', good),
        ],
        ada,
      );
      assert.deepEqual(
        results.map((result) => [
          result.name,
          result.outcome === 'refused' ? (result.error.parameters?.cause ?? result.error.code) : result.outcome,
        ]),
        [
          ['cut.jpg', 'truncated'],
          ['empty.jpg', 'empty'],
          ['huge.png', 'too-many-pixels'],
          ['notes.txt', 'not-a-picture'],
          ['moving.gif', 'unsupported-format'],
          ['twin.jpg', 'duplicate'],
          ['box.jpg', 'invalid-input'],
          ['gone.jpg', 'picture-not-read'],
          ['good.jpg', 'accepted'],
          ['again.jpg', 'duplicate'],
        ],
      );
      assert.match(results[5].outcome === 'duplicate' ? results[5].reason : '', /labelled NG/);
      assert.equal(readdirSync(join(folder.path, 'images', 'imported', 'plate')).length, 1);
      await assert.rejects(imported.add([], { ...ada, partType: '../x' }), { code: 'part-type-invalid' });
    });

    it('lose nothing and leave nothing behind when the disk is full', async () => {
      const full = new StoreUnavailable('disk-full', 'The disk is full.');
      const before = await imported.add([given('a.jpg', await picture())], ada);
      const { pictures, imported: table } = store;
      const failing = (write: 'file' | 'row') =>
        new ImportedPictures({
          store: {
            labels: store.labels,
            pictures: Object.assign(Object.create(pictures), {
              ...(write === 'file' && { saveImported: () => Promise.reject(full) }),
            }),
            imported: Object.assign(Object.create(table), {
              ...(write === 'row' && { add: () => Promise.reject(full) }),
            }),
          },
          inspect: (bytes) => inspectPicture(bytes),
        });
      for (const write of ['file', 'row'] as const) {
        const [result] = await failing(write).add([given('b.jpg', await picture())], ada);
        assert.ok(result.outcome === 'refused' && result.error.code === 'store-disk-full', write);
      }
      assert.equal(readdirSync(join(folder.path, 'images', 'imported', 'plate')).length, 1);
      assert.deepEqual(
        (await imported.list()).items.map(({ id }) => id),
        before.map((result) => 'id' in result && result.id),
      );
    });

    it('teach a classifier what they show where no box says it', async () => {
      const names = ['hole', 'Knot', 'good'];
      for (const name of names) {
        await mkdir(join(folder.path, 'wood', name), { recursive: true });
        for (const file of ['1.jpg', '2.jpg']) {
          await writeFile(join(folder.path, 'wood', name, file), await picture());
        }
      }
      const { partType, actor } = ada;
      await importFolder(imported, { partType, path: join(folder.path, 'wood'), actor });
      const ng = { partType, label: 'NG', class: 'dent', actor } as const;
      await imported.add(
        [given('boxed.jpg', await picture(), { boxes: [SCRATCH] }), given('dent.jpg', await picture())],
        ng,
      );
      const [contradicting] = await imported.add([given('bad.jpg', await picture(), { class: 'Good' })], ng);
      assert.match(contradicting.outcome === 'refused' ? contradicting.reason : '', /Class Good is that of good parts/);

      for (const wrong of [
        { label: 'OK' as const, class: 'dent' },
        { label: 'NG' as const, class: 'ok' },
      ]) {
        const path = join(folder.path, 'wood', 'hole');
        await assert.rejects(importFolder(imported, { partType, path, actor, ...wrong }), {
          code: 'invalid-input',
          parameters: { shown: wrong.class },
        });
      }

      const { items } = await imported.list();
      const counts = (list: readonly (string | null | undefined)[]) =>
        Object.fromEntries([...new Set(list)].sort().map((one) => [`${one}`, list.filter((x) => x === one).length]));
      assert.deepEqual(counts(items.map((item) => item.class)), { Knot: 2, dent: 1, hole: 2, null: 3 });
      const snapshot = await snapshots.take('plate', 'ada');
      const written = writableSnapshot(snapshots, snapshot, 'classes');
      assert.deepEqual(counts(written.pictures.map((one) => one.class)), {
        Knot: 2,
        dent: 1,
        good: 2,
        hole: 2,
        scratch: 1,
      });
      assert.deepEqual(await store.labels.classes('plate'), ['Knot', 'dent', 'hole', 'scratch']);
      assert.deepEqual((await datasetStats(store, 'plate')).perClass, [
        { label: 'scratch', boxes: 1, pictures: 1 },
        { label: 'Knot', boxes: 0, pictures: 2 },
        { label: 'dent', boxes: 0, pictures: 1 },
        { label: 'hole', boxes: 0, pictures: 2 },
      ]);
      const unnamed = snapshot.items.map(({ class: _class, ...item }) => item);
      assert.notEqual((await contentOf(unnamed)).hash, snapshot.hash);
    });

    it('are deleted for 30 days, stay while a snapshot holds them, and go for good with their files', async () => {
      const [kept, gone] = (
        await imported.add([given('a.jpg', await picture()), given('b.jpg', await picture())], ada)
      ).map((result) => ('id' in result ? result.id : ''));
      await imported.remove(gone, 'bob');
      assert.equal((await store.labels.labelled('plate')).length, 1);
      assert.equal((await imported.restore(gone, 'bob')).deletedAt, null);
      await imported.remove(gone, 'bob');
      now += 1000;
      const snapshot = await snapshots.take('plate', 'ada');
      now += 1000;
      await imported.remove(kept, 'bob');
      // no snapshot had taken the other one
      const [{ id: withdrawn, sha256 }, ...others] = await store.labels.withdrawn('plate');
      assert.deepEqual([withdrawn, sha256, others], [kept, snapshot.items[0].sha256, []]);
      assert.deepEqual((await imported.list({ deleted: true })).items.map(({ id }) => id).sort(), [kept, gone].sort());

      now += 31 * DAY_MS;
      assert.equal(await imported.purge(), 1);
      await assert.rejects(imported.get(gone), { code: 'not-found' });
      assert.ok(existsSync(snapshots.files(snapshot)[0].path));
      await snapshots.remove(snapshot.id, 'bob');
      now += 31 * DAY_MS;
      assert.deepEqual([await snapshots.purge(), await imported.purge()], [1, 1]);
      assert.deepEqual(readdirSync(join(folder.path, 'images', 'imported', 'plate')), []);
    });

    it('are not restored beside themselves', async () => {
      const bytes = await picture();
      const [first] = await imported.add([given('a.jpg', bytes)], ada);
      assert.ok(first.outcome === 'accepted');
      await imported.remove(first.id, 'ada');
      const [second] = await imported.add([given('a.jpg', bytes)], ada);
      assert.ok(second.outcome === 'accepted');
      await assert.rejects(imported.restore(first.id, 'ada'), {
        code: 'picture-there',
        httpStatus: 409,
        parameters: { id: first.id, twin: second.id },
      });
    });

    it('forget files that a crash left without a row', async () => {
      const path = await store.pictures.saveImported(newId(), 'plate', await picture(), 'jpeg');
      await writeFile(`${store.pictures.absolute(path)}.tmp`, 'half');
      now = Date.now();
      await imported.purge();
      assert.equal(readdirSync(join(folder.path, 'images', 'imported', 'plate')).length, 2, 'it may be being written');
      now += DAY_MS;
      await imported.purge();
      assert.deepEqual(readdirSync(join(folder.path, 'images', 'imported', 'plate')), []);
    });

    it('get a class afterwards when they are imported once more with one', async () => {
      const { partType, actor } = ada;
      const files = [given('a.jpg', await picture()), given('b.jpg', await picture(), { boxes: [SCRATCH] })];
      await imported.add(files, { partType, label: 'NG', actor });
      await snapshots.take('plate', 'ada');
      const again = async (shown: string) =>
        (
          await imported.add(
            files.map((file) => ({ ...file, boxes: null })),
            { partType, label: 'NG', class: shown, actor },
          )
        ).map((result) => [result.outcome, 'class' in result ? result.class : null]);
      assert.deepEqual(await again('bent'), [
        ['duplicate', 'bent'],
        ['duplicate', null],
      ]);
      assert.deepEqual(await again('dent'), [
        ['duplicate', null],
        ['duplicate', null],
      ]);
      const { items } = await snapshots.take('plate', 'ada');
      assert.deepEqual(items.map((item) => item.class).sort(), ['bent', undefined]);
      assert.equal((await store.audit.list({ action: 'dataset.class' })).length, 1);
    });

    it('tell which of two files of the same name was refused', async () => {
      const place = join(folder.path, 'twins');
      for (const name of ['good', 'hole']) {
        await mkdir(join(place, name), { recursive: true });
        await writeFile(join(place, name, 'a.jpg'), name === 'hole' ? 'no picture' : await picture());
      }
      const results = await importFolder(imported, { partType: 'plate', path: place, actor: 'ada' });
      assert.deepEqual(results.map(({ name, outcome }) => [name, outcome]).sort(), [
        [join('good', 'a.jpg'), 'accepted'],
        [join('hole', 'a.jpg'), 'refused'],
      ]);
      assert.equal((await imported.list()).items[0].name, 'a.jpg');
    });

    it('come from a folder with a label, file by file', async () => {
      const place = join(folder.path, 'pictures');
      await mkdir(join(place, 'below'), { recursive: true });
      await writeFile(join(place, '1.jpg'), await picture());
      await writeFile(join(place, '2.jpg'), 'no picture');
      await writeFile(join(place, '.hidden'), 'nothing');
      const results = await importFolder(imported, { partType: 'plate', path: place, label: 'NG', actor: 'ada' });
      assert.deepEqual(
        results.map(({ name, outcome }) => [name, outcome]),
        [
          ['1.jpg', 'accepted'],
          ['2.jpg', 'refused'],
        ],
      );
      const [picture1] = (await imported.list()).items;
      assert.deepEqual(
        [picture1.name, picture1.label, picture1.actor, picture1.width, picture1.at],
        ['1.jpg', 'NG', 'ada', 32, timestamp(now)],
      );
      const elsewhere = {
        partType: 'plate',
        path: place,
        label: 'NG',
        actor: 'ada',
        within: [join(place, 'below')],
      } as const;
      assert.deepEqual(
        (await importFolder(imported, elsewhere)).map(({ outcome }) => outcome),
        ['refused', 'refused'],
      );
      for (const wrong of [{ path: join(place, 'none') }, { path: join(place, 'below') }, { label: undefined }]) {
        const order = { partType: 'plate', path: place, label: 'OK' as Label | undefined, actor: 'ada', ...wrong };
        await assert.rejects(importFolder(imported, order), (error) => {
          assert.ok(error instanceof InspectionError && error.code === 'invalid-input', String(error));
          return true;
        });
      }
    });

    it('come from no folder of the station itself, whatever its label', async () => {
      await labelled('NG');
      const link = join(folder.path, 'link');
      await symlink(join(folder.path, 'images'), link);
      const own = ['', 'images', 'images/2026', 'models', 'link'].map((name) => join(folder.path, name));
      for (const path of own) {
        const order = { partType: 'plate', path, label: 'OK', actor: 'ada', dataFolder: folder.path } as const;
        await assert.rejects(importFolder(imported, order), {
          code: 'invalid-input',
          message: /of the station itself/,
        });
      }
      const mine = join(folder.path, 'mine');
      await mkdir(mine);
      await writeFile(join(mine, '1.jpg'), await picture());
      const taken = { partType: 'plate', path: mine, label: 'OK', actor: 'ada', dataFolder: folder.path } as const;
      assert.deepEqual(
        (await importFolder(imported, taken)).map(({ outcome }) => outcome),
        ['accepted'],
      );
    });

    it('come from data sets with their boxes, where a picture with boxes is NG', async () => {
      for (let count = 0; count < 4; count += 1) await labelled(count % 2 ? 'OK' : 'NG', count % 2 ? [] : [SCRATCH]);
      const snapshot = await snapshots.take('plate', 'ada');
      for (const format of ['yolo', 'coco', 'classes'] as const) {
        const place = join(folder.path, format);
        const partType = `plate-${format}`;
        await writeDataset(writableSnapshot(snapshots, snapshot, format), format, place);
        const against = { partType, path: place, label: 'OK', actor: 'ada' } as const;
        await assert.rejects(importFolder(imported, against), {
          code: 'invalid-input',
          message: /say otherwise than OK/,
        });
        const results = await importFolder(imported, { partType, path: place, actor: 'ada' });
        assert.deepEqual([...new Set(results.map(({ outcome }) => outcome))], ['accepted']);
        const { items } = await imported.list({ partType });
        assert.deepEqual(items.map(({ label }) => label).sort(), ['NG', 'NG', 'OK', 'OK']);
        const boxed = items.filter(({ boxes }) => boxes?.length === 1);
        assert.equal(boxed.length, format === 'classes' ? 0 : 2);
        for (const { boxes, label } of boxed) {
          assert.equal(label, 'NG');
          assert.equal(boxes?.[0].label, 'scratch');
          assert.ok(Math.abs((boxes?.[0].box.width ?? 0) - SCRATCH.box.width) < 0.001);
        }
      }
    });
  });
});
