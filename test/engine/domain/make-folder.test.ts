import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from '../../../engine/domain';

describe('a folder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'make-folder-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is made with those above it, and told which of them are new', async () => {
    const [outer, inner] = [join(folder, 'a'), join(folder, 'a', 'b')];
    assert.deepEqual(await makeFolder(inner), [outer, inner]);
    assert.ok(statSync(inner).isDirectory());
    assert.deepEqual(await makeFolder(inner), []);
  });

  it('is refused where a file has its name, or its place takes none', async () => {
    writeFileSync(join(folder, 'file'), '');
    await assert.rejects(makeFolder(join(folder, 'file')), { code: 'EEXIST' });
    if (process.platform === 'linux') await assert.rejects(makeFolder('/proc/none/inner'), { code: 'ENOENT' });
  });
});
