import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCheckpoint, saveCheckpoint } from '../../../../engine/learning/trainer';

describe('A checkpoint', () => {
  let folder: string;
  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'checkpoint-')), 'made');
  });
  afterEach(() => rm(join(folder, '..'), { recursive: true }));

  const checkpoint = {
    facts: { epoch: 3, best: 0.75, name: 'größe' },
    arrays: { 'a.weight': Float32Array.of(1, -2.5, Number.NaN), empty: new Float32Array(0), b: Float32Array.of(1e-30) },
  };

  it('comes back as it was written', async () => {
    await saveCheckpoint(folder, { facts: 'older', arrays: {} });
    await saveCheckpoint(folder, checkpoint);
    assert.deepEqual(await readCheckpoint(folder), checkpoint);
  });

  it('is none where none was written', async () => assert.equal(await readCheckpoint(folder), null));

  it('is none when its file is torn or damaged', async () => {
    await saveCheckpoint(folder, checkpoint);
    const file = join(folder, 'checkpoint.bin');
    const bytes = await readFile(file);
    for (const length of [0, 3, 20, bytes.length - 1]) {
      await writeFile(file, bytes.subarray(0, length));
      assert.equal(await readCheckpoint(folder), null, `${length} bytes`);
    }
    bytes[bytes.length - 2] ^= 1;
    await writeFile(file, bytes);
    assert.equal(await readCheckpoint(folder), null);
  });
});
