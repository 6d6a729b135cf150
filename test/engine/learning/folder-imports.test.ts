import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { type FolderImportRun, sha256Of } from '../../../engine/domain';
import { encodeJpeg, inspectPicture } from '../../../engine/imaging';
import { FolderImports, ImportedPictures } from '../../../engine/learning';
import { openStore, type Store } from '../../../engine/store';
import { waitFor } from '../../support/wait';
import { temporaryFolder } from './packages';

describe('Imports of folders', function () {
  this.timeout(120_000);
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let store: Store;
  let imports: FolderImports;
  /** Lets so many more pictures in; each waits before it is decoded. */
  let allowed: number;
  let waiting: (() => void)[];

  beforeEach(async () => {
    folder = await temporaryFolder();
    store = await openStore({ dataFolder: join(folder.path, 'data') });
    allowed = Number.POSITIVE_INFINITY;
    waiting = [];
    const inspect = async (picture: Buffer) => {
      allowed -= 1;
      if (allowed < 0) await new Promise<void>((resolve) => waiting.push(resolve));
      return inspectPicture(picture);
    };
    imports = new FolderImports(new ImportedPictures({ store, inspect }));
  });
  afterEach(async () => {
    for (const go of waiting) go();
    await imports.close();
    await store.close();
    await folder.remove();
  });

  const orderOf = (path: string) => ({ partType: 'plate', path, label: 'OK' as const, actor: 'ada' });
  const ended = async ({ id }: FolderImportRun) => {
    await waitFor('the end of the import', () => imports.get(id).state !== 'running');
    return imports.get(id);
  };
  const labelled = async () => (await store.labels.labelled('plate')).length;

  async function pictures(place: string, count: number): Promise<string> {
    const path = join(folder.path, place);
    await mkdir(path, { recursive: true });
    for (let index = 0; index < count; index += 1) {
      const shade = Uint8Array.from(
        { length: 32 * 24 * 3 },
        (_, at) => (at * 7 + index * 31 + place.length * 11) % 256,
      );
      await writeFile(join(path, `${index}.jpg`), await encodeJpeg(shade, 32, 24));
    }
    return path;
  }

  it('go on beside other work, one at a time, and say how far they have come and what came of it', async () => {
    const path = await pictures('good', 3);
    await writeFile(join(path, '9.jpg'), 'no picture');
    allowed = 1;
    const run = await imports.start(orderOf(path));
    assert.deepEqual([run.state, run.done, run.total, run.endedAt], ['running', 0, null, null]);
    await waitFor('the second picture', () => waiting.length === 1);
    const { done, total, accepted } = imports.get(run.id);
    assert.deepEqual([done, total, accepted], [1, 4, 1]);
    await assert.rejects(imports.start(orderOf(path)), { code: 'import-running' });
    allowed = Number.POSITIVE_INFINITY;
    waiting[0]();
    const over = await ended(run);
    assert.deepEqual(
      [over.state, over.done, over.accepted, over.duplicates, over.refused, over.refusals.map(({ name }) => name)],
      ['completed', 4, 3, 0, 1, ['9.jpg']],
    );
    assert.equal(over.refusals[0].error.code, 'picture-unreadable');
    const again = await ended(await imports.start(orderOf(path)));
    assert.deepEqual([again.accepted, again.duplicates, again.refused], [0, 3, 1]);
    assert.deepEqual(imports.list(), [again, over]);
    const other = await ended(await imports.start({ ...orderOf(path), label: 'NG' }));
    assert.deepEqual([again.contradicting, other.duplicates, other.contradicting], [0, 3, 3]);
  });

  it('keep what they have imported when they are cancelled, and go on from there', async () => {
    const path = await pictures('good', 4);
    allowed = 1;
    const run = await imports.start(orderOf(path));
    await waitFor('the second picture', () => waiting.length === 1);
    const cancelling = imports.cancel(run.id);
    waiting[0]();
    const over = await cancelling;
    assert.deepEqual([over.state, over.accepted, over.done, over.total], ['cancelled', 2, 2, 4]);
    assert.notEqual(over.endedAt, null);
    assert.equal(await labelled(), 2);
    allowed = Number.POSITIVE_INFINITY;
    const rest = await ended(await imports.start(orderOf(path)));
    assert.deepEqual([rest.state, rest.accepted, rest.duplicates], ['completed', 2, 2]);
  });

  it('leave nothing half when their process is killed, and go on from there', async () => {
    const path = await pictures('good', 30);
    await store.close();
    const dataFolder = join(folder.path, 'data');
    for (const pictures of [2, 9]) {
      const child = fork(join(__dirname, `importing-child${extname(__filename)}`), [dataFolder, path]);
      let seen = 0;
      child.on('message', (message) => {
        seen += 1;
        if (message === 'done' || seen === pictures) child.kill('SIGKILL');
      });
      await once(child, 'exit');
    }
    store = await openStore({ dataFolder });
    imports = new FolderImports(new ImportedPictures({ store, inspect: (picture) => inspectPicture(picture) }));
    const before = await store.labels.labelled('plate');
    assert.ok(before.length >= 8, `${before.length}`);
    for (const { picturePath, sha256 } of before) {
      assert.equal(sha256Of(await store.pictures.read(picturePath)), sha256);
    }
    const run = await ended(await imports.start(orderOf(path)));
    assert.deepEqual([run.duplicates, run.accepted, run.refused], [before.length, 30 - before.length, 0]);
    assert.equal(await labelled(), 30);
  });

  it('end with the station', async () => {
    allowed = 0;
    const run = await imports.start(orderOf(await pictures('good', 2)));
    await waitFor('the first picture', () => waiting.length === 1);
    const closing = imports.close();
    waiting[0]();
    await closing;
    assert.deepEqual([imports.get(run.id).state, await labelled()], ['cancelled', 1]);
  });

  it('do not begin when the station was closed while their folder was looked at', async () => {
    const starting = imports.start(orderOf(await pictures('good', 2)));
    const refused = assert.rejects(starting, { code: 'station-closed' });
    await imports.close();
    await refused;
    assert.deepEqual([imports.list(), await labelled()], [[], 0]);
  });

  it('are refused at once for what the folder shows, and fail for what only its pictures show', async () => {
    await assert.rejects(imports.start(orderOf(join(folder.path, 'none'))), { code: 'invalid-input' });
    await assert.rejects(imports.start({ ...orderOf(folder.path), partType: 'a.detector' }), {
      code: 'part-type-invalid',
    });
    assert.deepEqual(imports.list(), []);
    await pictures('classes/hole', 2);
    const run = await ended(await imports.start(orderOf(join(folder.path, 'classes'))));
    assert.deepEqual([run.state, run.total, run.error?.code], ['failed', null, 'invalid-input']);
    const { label: _label, ...own } = orderOf(join(folder.path, 'classes'));
    const told = await ended(await imports.start(own));
    assert.deepEqual([told.state, told.label, told.accepted], ['completed', null, 2]);
    assert.deepEqual(await store.labels.classes('plate'), ['hole']);
  });
});
