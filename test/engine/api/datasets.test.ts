import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readDataset } from '../../../engine/datasets';
import {
  type DatasetStats,
  type FolderImportRun,
  type ImportedPicture,
  newId,
  type SnapshotSummary,
} from '../../../engine/domain';
import { encodeJpeg } from '../../../engine/imaging';
import type { ImportResult } from '../../../engine/learning';
import { hugePng } from '../../support/huge-png';
import { unzip } from '../../support/unzip';
import { waitFor } from '../../support/wait';
import { aPicture, type Line, openLine, type RunningApi, serveApi } from './line';

const BOX = { label: 'pit', box: { x: 2, y: 3, width: 10, height: 8 } };

describe('the API of data sets', function () {
  this.timeout(120_000);
  let line: Line;
  let api: RunningApi;
  let allowed: string;
  let shade = 0;

  before(async () => {
    allowed = await mkdtemp(join(tmpdir(), 'allowed-'));
    line = await openLine({ trainingFolders: [allowed] });
    api = await serveApi(() => [line.station]);
  });
  after(async () => {
    await api.close();
    await line.close();
    await rm(allowed, { recursive: true, force: true });
  });

  async function read<T>(response: Promise<Response>, status = 200): Promise<T> {
    const answer = await response;
    const text = await answer.text();
    assert.equal(answer.status, status, text);
    return JSON.parse(text) as T;
  }
  const get = (path: string) => fetch(api.url + path);
  const send = (path: string, body: unknown = {}, method = 'POST') =>
    fetch(api.url + path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const remove = (path: string) => fetch(api.url + path, { method: 'DELETE' });
  async function refused(response: Promise<Response>, status: number, code: string): Promise<void> {
    assert.equal((await read<{ code: string }>(response, status)).code, code);
  }

  function picture(): Promise<Buffer> {
    shade += 1;
    return encodeJpeg(new Uint8Array(64 * 48 * 3).fill(shade * 3), 64, 48);
  }
  function upload(fields: Record<string, string>, files: Record<string, Uint8Array>): Promise<Response> {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    for (const [name, bytes] of Object.entries(files)) form.append('files', new Blob([new Uint8Array(bytes)]), name);
    return fetch(`${api.url}/training/upload-frames`, { method: 'POST', body: form });
  }
  const uploaded = async (...given: Parameters<typeof upload>) =>
    (await read<{ items: ImportResult[] }>(upload(...given))).items;
  const stats = (partType: string) => read<DatasetStats>(get(`/training/dataset-stats?partType=${partType}`));

  it('takes uploaded pictures with label and boxes, and tells of each file what became of it', async () => {
    const [good, boxed] = [await picture(), await picture()];
    const items = await uploaded(
      { partType: 'frames', label: 'NG', boxes: JSON.stringify({ 'boxed.jpg': [BOX] }) },
      {
        'good.jpg': good,
        'again.jpg': good,
        'boxed.jpg': boxed,
        'cut.jpg': good.subarray(0, good.length - 30),
        'empty.jpg': Buffer.alloc(0),
        'huge.png': hugePng(10_000, 10_000),
        'large.jpg': Buffer.concat([boxed, Buffer.alloc(33 * 1024 * 1024)]),
        'text.txt': Buffer.from('hello'),
        'last.jpg': await picture(),
      },
    );
    assert.deepEqual(
      items.map((item) => [
        item.name,
        item.outcome,
        item.outcome === 'refused' ? item.error.parameters?.cause : undefined,
      ]),
      [
        ['good.jpg', 'accepted', undefined],
        ['again.jpg', 'duplicate', undefined],
        ['boxed.jpg', 'accepted', undefined],
        ['cut.jpg', 'refused', 'truncated'],
        ['empty.jpg', 'refused', 'empty'],
        ['huge.png', 'refused', 'too-many-pixels'],
        ['large.jpg', 'refused', 'too-large'],
        ['text.txt', 'refused', 'not-a-picture'],
        ['last.jpg', 'accepted', undefined],
      ],
    );
    assert.ok(items.every((item) => item.outcome !== 'refused' || item.reason.length > 20));
    const told = await stats('frames');
    assert.deepEqual(
      [told.labels, told.boxes, told.perClass, told.perSource, told.unused],
      [{ ok: 0, ng: 3 }, 1, [{ label: 'pit', boxes: 1, pictures: 1 }], { review: 0, imported: 3 }, 3],
    );
    type Listed = ImportedPicture & { picture: string };
    const listed = await read<{ items: Listed[] }>(get('/training/imported?partType=frames&label=NG'));
    assert.deepEqual(
      listed.items.map(({ name, boxes }) => [name, boxes]),
      [
        ['last.jpg', null],
        ['boxed.jpg', [BOX]],
        ['good.jpg', null],
      ],
    );
    assert.ok(!('picturePath' in listed.items[0]));
    const shown = await fetch(new URL(listed.items[2].picture, api.url));
    assert.deepEqual(Buffer.from(await shown.arrayBuffer()), good);
    const small = await fetch(`${new URL(listed.items[2].picture, api.url)}?width=32`);
    assert.deepEqual([small.status, small.headers.get('content-type')], [200, 'image/jpeg']);
    assert.notEqual(small.headers.get('etag'), shown.headers.get('etag'));
    await small.arrayBuffer();
  });

  it('refuses forms that do not say what their pictures show', async () => {
    const files = { 'a.jpg': await picture() };
    await refused(upload({ label: 'OK' }, files), 400, 'invalid-input');
    await refused(upload({ partType: 'frames', label: 'good' }, files), 400, 'invalid-input');
    await refused(upload({ partType: 'frames', label: 'OK', boxes: '{' }, files), 400, 'invalid-input');
    await refused(upload({ partType: 'a.detector', label: 'OK' }, files), 400, 'part-type-invalid');
    await refused(upload({ partType: 'frames', label: 'OK' }, {}), 400, 'invalid-form');
    await refused(send('/training/upload-frames', { partType: 'frames' }), 415, 'unsupported-media-type');
    const form = new FormData();
    form.append('partType', 'frames');
    form.append('label', 'OK');
    form.append('files', new Blob([new Uint8Array(files['a.jpg'])]), 'a.jpg');
    form.append('label', 'NG');
    const late = fetch(`${api.url}/training/upload-frames`, { method: 'POST', body: form });
    await refused(late, 400, 'invalid-form');
  });

  it('keeps what has arrived when the sender goes away, and takes the next upload', async () => {
    const whole = await picture();
    const head = (name: string) =>
      `--B\r\ncontent-disposition: form-data; name="files"; filename="${name}"\r\ncontent-type: image/jpeg\r\n\r\n`;
    const field = (name: string, value: string) =>
      `--B\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    const sending = httpRequest(`${api.url}/training/upload-frames`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=B' },
    });
    sending.on('error', () => {});
    sending.write(field('partType', 'torn') + field('label', 'OK') + head('whole.jpg'));
    sending.write(Buffer.concat([whole, Buffer.from(`\r\n${head('half.jpg')}`), whole.subarray(0, 100)]));
    await waitFor('the whole picture', async () => (await stats('torn')).labels.ok === 1);
    sending.destroy();
    assert.deepEqual(
      (await uploaded({ partType: 'torn', label: 'OK' }, { 'whole.jpg': whole, 'next.jpg': await picture() })).map(
        ({ outcome }) => outcome,
      ),
      ['duplicate', 'accepted'],
    );
  });

  it('imports folders of the station, and none but allowed ones', async () => {
    await mkdir(join(allowed, 'pictures'));
    await writeFile(join(allowed, 'pictures', 'a.jpg'), await picture());
    await writeFile(join(allowed, 'pictures', 'b.jpg'), 'no picture');
    const outside = await mkdtemp(join(tmpdir(), 'outside-'));
    await writeFile(join(outside, 'secret.jpg'), await picture());
    await symlink(join(outside, 'secret.jpg'), join(allowed, 'pictures', 'c.jpg'));
    const order = { partType: 'folders', folder: join(allowed, 'pictures'), label: 'OK' };
    const begun = await read<FolderImportRun>(send('/training/import-folder', order), 202);
    assert.equal(begun.folder, await realpath(order.folder));
    const current = () => read<FolderImportRun>(get(`/training/imports/${begun.id}`));
    await waitFor('the end of the import', async () => (await current()).state !== 'running');
    const run = await current();
    assert.deepEqual(
      [run.state, run.done, run.total, run.accepted, run.duplicates, run.refused, run.refusals.map(({ name }) => name)],
      ['completed', 3, 3, 1, 0, 2, ['b.jpg', 'c.jpg']],
    );
    assert.deepEqual((await read<{ items: FolderImportRun[] }>(get('/training/imports'))).items, [run]);
    // what is over stays as it is
    assert.deepEqual(await read(send(`/training/imports/${begun.id}/cancel`)), run);
    await refused(get('/training/imports/01ARZ3NDEKTSV4RRFFQ69G5FAV'), 404, 'not-found');
    await refused(send('/training/import-folder', { ...order, folder: outside }), 403, 'folder-not-allowed');
    await refused(send('/training/import-folder', { ...order, label: undefined }), 400, 'invalid-input');
    await refused(send('/training/import-folder', { ...order, folder: 'images' }), 400, 'invalid-input');
    for (const wrong of [
      { label: 'OK', class: 'scratch' },
      { label: 'NG', class: 'good' },
    ]) {
      await refused(send('/training/import-folder', { ...order, ...wrong }), 400, 'invalid-input');
    }
    await rm(outside, { recursive: true });
  });

  it('takes snapshots, tells and exports them', async () => {
    await refused(send('/training/snapshots', { partType: 'set' }), 409, 'nothing-labelled');
    await uploaded(
      { partType: 'set', label: 'NG', boxes: JSON.stringify({ '1.jpg': [BOX] }) },
      { '1.jpg': await picture() },
    );
    await uploaded({ partType: 'set', label: 'OK' }, { '2.jpg': await picture(), '3.jpg': await picture() });
    const taken = await read<SnapshotSummary>(send('/training/snapshots', { partType: 'set', note: 'first' }));
    assert.deepEqual([taken.counts.ok, taken.counts.ng, taken.note, taken.deletedAt], [2, 1, 'first', null]);
    assert.ok(!('items' in taken));
    assert.equal((await read<SnapshotSummary>(send('/training/snapshots', { partType: 'set' }))).id, taken.id);
    assert.deepEqual(await read(get('/training/snapshots?partType=set')), { items: [taken] });
    const told = await stats('set');
    assert.deepEqual([told.unused, told.snapshots, told.lastSnapshot], [0, 1, taken]);

    type Items = { items: { id: string }[]; nextCursor: string | null };
    const first = await read<Items>(get(`/training/snapshots/${taken.id}?limit=2`));
    const rest = await read<Items>(get(`/training/snapshots/${taken.id}?limit=2&cursor=${first.nextCursor}`));
    assert.deepEqual([first.items.length, rest.items.length, rest.nextCursor], [2, 1, null]);
    assert.ok(!('picturePath' in first.items[0]));

    for (const format of ['yolo', 'coco', 'classes']) {
      const answer = await get(`/training/snapshots/${taken.id}/export?format=${format}`);
      assert.equal(answer.headers.get('content-disposition'), `attachment; filename="set-${taken.id}-${format}.zip"`);
      const place = join(allowed, format);
      for (const [name, bytes] of unzip(Buffer.from(await answer.arrayBuffer()))) {
        const file = join(place, name);
        await mkdir(name.endsWith('/') ? file : dirname(file), { recursive: true });
        if (!name.endsWith('/')) await writeFile(file, bytes);
      }
      const { pictures, skipped } = await readDataset(place);
      assert.deepEqual([pictures.length, skipped], [3, []], format);
    }
    await refused(get(`/training/snapshots/${newId()}/export`), 404, 'not-found');
  });

  it('deletes snapshots and imported pictures so that they can be restored', async () => {
    const [item] = await uploaded({ partType: 'gone', label: 'OK' }, { 'a.jpg': await aPicture(80, 60) });
    const { id } = await read<SnapshotSummary>(send('/training/snapshots', { partType: 'gone' }));
    assert.equal(typeof (await read<SnapshotSummary>(remove(`/training/snapshots/${id}`))).deletedAt, 'string');
    assert.equal((await stats('gone')).snapshots, 0);
    const listed = await read<{ items: SnapshotSummary[] }>(get('/training/snapshots?partType=gone'));
    assert.deepEqual(
      listed.items.map((one) => one.deletedAt === null),
      [false],
    );
    assert.equal((await read<SnapshotSummary>(send(`/training/snapshots/${id}/restore`))).deletedAt, null);

    const picture = `/training/imported/${'id' in item && item.id}`;
    assert.equal(typeof (await read<ImportedPicture>(remove(picture))).deletedAt, 'string');
    assert.equal((await stats('gone')).labels.ok, 0);
    const page = await read<{ items: unknown[] }>(get('/training/imported?partType=gone&deleted=false'));
    assert.equal(page.items.length, 0);
    assert.equal((await read<ImportedPicture>(send(`${picture}/restore`))).usedForTraining, id);
    assert.equal((await stats('gone')).labels.ok, 1);
    await refused(remove(`/training/imported/${newId()}`), 404, 'not-found');
    assert.ok((await readdir(join(line.dataFolder, 'images', 'imported', 'gone'))).length === 1);
    const actions = (await line.store.audit.list({ subject: id })).map(({ action }) => action);
    assert.deepEqual(actions, ['dataset.restore', 'dataset.delete']);
  });
});
