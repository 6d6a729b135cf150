import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BackboneUnknown,
  catalogue,
  catalogueEntry,
  defaultBackboneFolder,
  embeddedPath,
  fileNameOf,
  findPulled,
  isEmbedded,
  pull,
  readCatalogue,
} from '../../../engine/catalogue';
import { packageRoot, sha256Of } from '../../../engine/domain';

describe('The catalogue of backbones', () => {
  const text = readFileSync(join(packageRoot, 'models', 'catalogue.json'), 'utf8');

  it('lists the embedded backbone as it is in the package', async () => {
    const starter = catalogueEntry('starter');
    assert.ok(isEmbedded(starter));
    const bytes = readFileSync(embeddedPath(starter));
    assert.deepEqual([bytes.length, sha256Of(bytes)], [starter.bytes, starter.sha256]);
    assert.equal(await findPulled('starter', []), embeddedPath(starter));
    assert.deepEqual(await pull('starter', { folder: '/nowhere' }), { path: embeddedPath(starter), fetched: false });
  });

  it('pins every download by size and SHA-256, under a name of its own', () => {
    const downloads = catalogue().flatMap((entry) => (isEmbedded(entry) ? [] : [entry]));
    assert.deepEqual(
      downloads.map(({ id, bytes }) => [id, bytes]),
      [
        ['resnet18', 46_748_544],
        ['wide-resnet50-2', 275_420_879],
      ],
    );
    assert.equal(new Set(downloads.map(fileNameOf)).size, downloads.length);
    for (const { url, input } of downloads) {
      assert.equal(new URL(url).protocol, 'https:');
      assert.deepEqual(input.normalisation?.mean, [0.485, 0.456, 0.406]);
    }
  });

  it('is refused when an entry is incomplete, twice there, or from nowhere', () => {
    const broken = (change: (backbone: Record<string, unknown>) => void) => {
      const copy = JSON.parse(text) as { backbones: Record<string, unknown>[] };
      change(copy.backbones[1]);
      return () => readCatalogue(JSON.stringify(copy));
    };
    assert.throws(broken((backbone) => delete backbone.sha256));
    assert.throws(broken((backbone) => (backbone.url = 'ftp://example.org/a.onnx')));
    assert.throws(
      broken((backbone) => (backbone.id = 'starter')),
      /an id is there twice/,
    );
    assert.throws(broken((backbone) => (backbone.id = '../../etc')));
  });

  it('names what there is when asked for something else', async () => {
    await assert.rejects(findPulled('resnet-18', []), (error) => {
      assert.ok(error instanceof BackboneUnknown);
      assert.match(error.message, /There is: starter, resnet18, wide-resnet50-2\./);
      return true;
    });
  });

  it('keeps pulled files where the environment says, or at home', () => {
    assert.equal(defaultBackboneFolder({ OPTI_QUALITY_BACKBONES: '/srv/backbones' }), '/srv/backbones');
    assert.ok(defaultBackboneFolder({}).endsWith(join('.opti-quality', 'backbones')));
  });
});
