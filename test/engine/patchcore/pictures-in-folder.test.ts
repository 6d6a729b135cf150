import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { PLAIN_RECIPE, picturesInFolder, readablePicturesInFolder, trainPatchcore } from '../../../engine/patchcore';

describe('The pictures in a folder', () => {
  let folder: string;
  const at = (name: string) => join(folder, name);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pictures-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function fill(): Promise<void> {
    const noise = { type: 'gaussian', mean: 128, sigma: 20 } as const;
    const picture = () => sharp({ create: { width: 64, height: 64, channels: 3, background: 'grey', noise } });
    for (const name of ['10.png', '9.jpg']) writeFileSync(at(name), await picture().toFormat('png').toBuffer());
    writeFileSync(at('3.webp'), await picture().webp().toBuffer());
    writeFileSync(at('4.TIF'), await picture().tiff().toBuffer());
    for (const name of ['notes.txt', '.hidden.png']) writeFileSync(at(name), 'no picture');
    mkdirSync(at('5.png'));
  }

  it('are told by name, in natural order, also those in formats that are not read', async () => {
    await fill();
    const names = async (found: ReturnType<typeof picturesInFolder>) => (await found).map(({ name }) => basename(name));
    assert.deepEqual(await names(picturesInFolder(folder)), ['3.webp', '4.TIF', '9.jpg', '10.png']);
    assert.deepEqual(await names(readablePicturesInFolder(folder)), ['9.jpg', '10.png']);
  });

  it('are refused when none is in a format that is read, with what there is instead', async () => {
    await assert.rejects(picturesInFolder(folder), {
      message: `The folder ${folder} holds no pictures (.jpg, .jpeg or .png).`,
    });
    for (const name of ['a.webp', 'b.tif', 'c.tif']) writeFileSync(at(name), '');
    await assert.rejects(
      picturesInFolder(folder),
      /\(\.jpg, \.jpeg or \.png\), but 3 in other formats \(\.webp, \.tif\)\. Save them/,
    );
  });

  it('are left out of a training, with name and reason, in formats that are not read', async () => {
    await fill();
    const { manifest, skipped } = await trainPatchcore({
      partType: 'plate',
      version: '1',
      pictures: await picturesInFolder(folder),
      outFolder: at('model'),
      source: 'test',
      input: { width: 128, height: 128, mode: 'stretch' },
      coresetSize: 50,
      recipe: PLAIN_RECIPE,
      threads: 1,
    });
    assert.equal(manifest.dataset.count, 2);
    assert.equal(manifest.dataset.skipped, 2);
    assert.deepEqual(
      skipped.map(({ name }) => basename(name)),
      ['3.webp', '4.TIF'],
    );
    assert.match(skipped[0].reason, /WebP, which is not supported/i);
    assert.match(skipped[1].reason, /TIFF, which is not supported/i);
  });
});
