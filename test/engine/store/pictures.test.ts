import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { newId } from '../../../engine/domain';
import { PICTURE, temporaryFolder, temporaryStore, undoAll } from './support';

const CAPTURED = '2026-03-04T23:59:59.999Z';

describe('the picture store', function () {
  this.timeout(120_000);
  afterEach(undoAll);

  it('files a picture by date and verdict', async () => {
    const { pictures } = await temporaryStore();
    const id = newId();
    const open = await pictures.save(id, CAPTURED, PICTURE, 'jpeg');
    assert.equal(open, `images/2026/03/04/open/${id}.jpg`);
    const path = await pictures.moveToVerdict(open, 'REVIEW');
    assert.equal(path, `images/2026/03/04/REVIEW/${id}.jpg`);
    assert.deepEqual(await pictures.read(path), PICTURE);
    await assert.rejects(pictures.read(open), { code: 'not-found' });
    assert.match(await pictures.save(newId(), CAPTURED, PICTURE, 'png'), /\.png$/);
  });

  it('takes the day in UTC', async () => {
    const { pictures } = await temporaryStore();
    const path = await pictures.save(newId(), '2026-03-05T01:30:00.000+02:00', PICTURE, 'jpeg');
    assert.match(path, /^images\/2026\/03\/04\//);
  });

  it('leaves no temporary file behind', async () => {
    const { pictures, dataFolder } = await temporaryStore();
    const path = await pictures.save(newId(), CAPTURED, PICTURE, 'jpeg');
    assert.equal((await readdir(dirname(join(dataFolder, path)))).length, 1);
  });

  it('moves a picture that was moved before without complaint', async () => {
    const { pictures } = await temporaryStore();
    const open = await pictures.save(newId(), CAPTURED, PICTURE, 'jpeg');
    const path = await pictures.moveToVerdict(open, 'NG');
    assert.equal(await pictures.moveToVerdict(open, 'NG'), path);
    assert.equal(await pictures.moveToVerdict(path, 'NG'), path);
    await assert.rejects(pictures.moveToVerdict(open, 'OK'), { code: 'not-found' });
  });

  it('finds a picture in whichever folder it lies', async () => {
    const { pictures } = await temporaryStore();
    const id = newId();
    assert.equal(await pictures.locate(id, CAPTURED), null);
    const open = await pictures.save(id, CAPTURED, PICTURE, 'png');
    assert.equal(await pictures.locate(id, CAPTURED), open);
    const moved = await pictures.moveToVerdict(open, 'OK');
    assert.equal(await pictures.locate(id, CAPTURED), moved);
  });

  it('opens nothing outside of its own paths', async () => {
    const { pictures, dataFolder } = await temporaryStore({ dataFolder: join(await temporaryFolder(), 'data') });
    await writeFile(join(dataFolder, '..', 'secret.jpg'), 'secret');
    const id = newId();
    const paths = [
      '../secret.jpg',
      'images/../../secret.jpg',
      `images/2026/03/04/OK/../../../../../../secret.jpg`,
      'images\\2026\\03\\04\\OK\\x.jpg',
      '/etc/passwd',
      join(dataFolder, 'inspection.sqlite'),
      'inspection.sqlite',
      `images/2026/03/04/OK/${id}.jpg/../../../../../../inspection.sqlite`,
      `images/2026/03/04/OK/${id}.jpg\0.png`,
      `images/2026/03/04/other/${id}.jpg`,
      `images/2026/03/04/OK/${id}.jpg\n`,
      '',
    ];
    for (const path of paths) {
      await assert.rejects(async () => pictures.read(path), { code: 'not-found' }, path);
      await assert.rejects(async () => pictures.remove(path), { code: 'not-found' }, path);
      await assert.rejects(async () => pictures.moveToVerdict(path, 'OK'), { code: 'not-found' }, path);
    }
    for (const badId of ['../../x', '..', id.toLowerCase(), `${id}/..`, '']) {
      await assert.rejects(async () => pictures.save(badId, CAPTURED, PICTURE, 'jpeg'), { code: 'not-found' });
      await assert.rejects(async () => pictures.readMap(badId), { code: 'not-found' });
      await assert.rejects(async () => pictures.saveMap(badId, PICTURE), { code: 'not-found' });
    }
    await assert.rejects(async () => pictures.readMap(id, -1), { code: 'not-found' });
    await assert.rejects(async () => pictures.readMap(id, '../x' as never), { code: 'not-found' });
  });

  it('keeps several heat maps of an inspection apart', async () => {
    const { pictures, dataFolder } = await temporaryStore();
    const id = newId();
    assert.equal(await pictures.readMap(id), null);
    await pictures.saveMap(id, Buffer.from('first'));
    await pictures.saveMap(id, Buffer.from('second'), 1);
    assert.equal(String(await pictures.readMap(id)), 'first');
    assert.equal(String(await pictures.readMap(id, 1)), 'second');
    assert.ok(existsSync(join(dataFolder, 'maps')));
    await pictures.removeMaps(id);
    assert.equal(await pictures.readMap(id), null);
    assert.equal(await pictures.readMap(id, 1), null);
  });

  it('sweeps away what a crash left, and nothing else', async () => {
    const { pictures, dataFolder } = await temporaryStore();
    const [known, unknown, settled] = [newId(), newId(), newId()];
    const kept = await pictures.save(known, CAPTURED, PICTURE, 'jpeg');
    const orphan = await pictures.save(unknown, CAPTURED, PICTURE, 'jpeg');
    const path = await pictures.moveToVerdict(await pictures.save(settled, CAPTURED, PICTURE, 'jpeg'), 'OK');
    const half = join(dataFolder, dirname(kept), `${newId()}.jpg.tmp`);
    await writeFile(half, 'half');
    await mkdir(join(dataFolder, 'images', 'note'));
    await writeFile(join(dataFolder, 'images', 'note.txt'), 'of somebody');
    await pictures.sweep(async (id) => id === known);
    assert.deepEqual(
      [kept, orphan, path].map((file) => existsSync(join(dataFolder, file))),
      [true, false, true],
    );
    assert.equal(existsSync(half), false);
    assert.ok(existsSync(join(dataFolder, 'images', 'note.txt')));
  });
});
