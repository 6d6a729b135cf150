import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256Of, writeDurably } from '../../../engine/domain';
import { recordSyncs } from '../../support/syncs';

describe('durable files', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'durable-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('are forced to the disk before their name, and the name after that', async () => {
    const file = join(folder, 'a.bin');
    assert.deepEqual(await recordSyncs(() => writeDurably(file, Buffer.from('content'))), [`${file}.tmp`, folder]);
    assert.equal(await readFile(file, 'utf8'), 'content');
  });

  it('replace what was there, and leave nothing behind when they cannot be written', async () => {
    const file = join(folder, 'a.bin');
    await writeDurably(file, Buffer.from('old'));
    await writeDurably(file, Buffer.from('new'));
    assert.equal(await readFile(file, 'utf8'), 'new');
    await assert.rejects(writeDurably(join(folder, 'none', 'b.bin'), Buffer.from('lost')), { code: 'ENOENT' });
    await assert.rejects(writeDurably(folder, Buffer.from('no file')));
    assert.deepEqual(await readdir(folder), ['a.bin']);
  });

  it('have the SHA-256 of FIPS 180-2, appendix B.1', () => {
    assert.equal(sha256Of(Buffer.from('abc')), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});
