import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReferenceLibrary, ReferenceMissing } from '../../../../engine/patchcore';

describe('the folder of golden pictures', () => {
  let folder: string;
  let library: ReferenceLibrary;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'golden-'));
    await mkdir(join(folder, 'pictures', 'folder.png'), { recursive: true });
    library = new ReferenceLibrary(join(folder, 'pictures'));
    const files = ['A-1.jpg', 'A-1.png', 'A-2.JPEG', 'ä 3.jpg', 'A-4.txt', 'a.b.c.png'];
    for (const name of files) await writeFile(join(folder, 'pictures', name), name);
    await writeFile(join(folder, 'secret.png'), 'secret');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('gives the picture named like the serial number, PNG first', async () => {
    for (const [serial, name] of [
      ['A-1', 'A-1.png'],
      ['A-2', 'A-2.JPEG'],
      ['ä 3', 'ä 3.jpg'],
      ['a.b.c', 'a.b.c.png'],
    ]) {
      assert.equal((await library.get(serial)).toString(), name);
    }
  });

  for (const serial of [
    undefined,
    '',
    'A-4',
    'B-1',
    'a-1',
    'A',
    'folder',
    '.',
    '..',
    '../secret',
    '..\\secret',
    'x/../../secret',
    '/etc/passwd',
    'C:secret',
    'A-1\0',
    ' A-1',
    'x'.repeat(5000),
  ]) {
    it(`has none for ${JSON.stringify(serial)?.slice(0, 40)}`, async () => {
      await assert.rejects(library.get(serial), (error: unknown) => {
        assert.ok(error instanceof ReferenceMissing);
        assert.equal(error.reason, 'reference-missing');
        return true;
      });
    });
  }

  it('names a folder that does not exist', async () => {
    const gone = new ReferenceLibrary(join(folder, 'gone'));
    await assert.rejects(gone.get('A-1'), (error: Error) => error.message.includes(join(folder, 'gone')));
  });
});
