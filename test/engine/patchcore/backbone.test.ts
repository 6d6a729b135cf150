import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CatalogueEntry, catalogue, catalogueEntry, embeddedPath, isEmbedded } from '../../../engine/catalogue';
import { seededRandom, sha256Of } from '../../../engine/domain';
import { loadRuntime } from '../../../engine/inference';
import { OnnxInvalid, tapBackbone, writeModel } from '../../../engine/onnx';
import { BackboneNotFound, resolveBackbone } from '../../../engine/patchcore';
import { RESNET_18, resnetClassifier } from '../../support/wide-resnet';

const NORMALISATION = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] } as const;
const SIDE = 64;

async function features(bytes: Uint8Array, data: Float32Array): Promise<Float32Array> {
  const { InferenceSession, Tensor } = loadRuntime();
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  try {
    const { stride16 } = await session.run({ x: new Tensor('float32', data, [1, 3, SIDE, SIDE]) });
    return stride16.data as Float32Array;
  } finally {
    await session.release();
  }
}

describe('Finding a backbone', () => {
  const file = Buffer.from(writeModel(resnetClassifier({ ...RESNET_18, channels: 4 }).model));
  const entry: CatalogueEntry = {
    id: 'small-net',
    title: 'A small network',
    licence: 'MIT',
    url: 'https://models.invalid/net.onnx',
    bytes: file.length,
    sha256: sha256Of(file),
    input: {
      width: 224,
      height: 224,
      normalisation: { mean: [...NORMALISATION.mean], deviation: [...NORMALISATION.deviation] },
    },
  };
  const entries = [...catalogue(), entry];
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'opti-backbone-'));
    await mkdir(join(folder, 'empty'));
    await mkdir(join(folder, 'pulled'));
    await writeFile(join(folder, 'pulled', 'net.onnx'), file);
    await writeFile(join(folder, 'mine.onnx'), file);
  });
  after(() => rm(folder, { recursive: true }));
  const folders = () => [join(folder, 'empty'), join(folder, 'pulled')];

  it('takes the embedded one byte for byte unless asked for another', async () => {
    const starter = catalogueEntry('starter');
    assert.ok(isEmbedded(starter));
    const { id, bytes, embedded } = await resolveBackbone();
    assert.deepEqual([id, embedded], ['starter', true]);
    assert.equal(Buffer.compare(bytes, await readFile(embeddedPath(starter))), 0);
    const same = await resolveBackbone(embeddedPath(starter));
    assert.deepEqual([same.id, same.embedded], ['starter', true]);
  });

  it('takes a pulled one from the folder that has it, and normalises pictures as it was trained with', async () => {
    const backbone = await resolveBackbone('small-net', { folders: folders(), entries });
    assert.deepEqual([backbone.id, backbone.embedded, backbone.sha256], ['small-net', false, entry.sha256]);

    const random = seededRandom(2);
    const picture = Float32Array.from({ length: 3 * SIDE * SIDE }, () => random());
    const fed = picture.map((value, place) => {
      const channel = Math.floor(place / SIDE ** 2);
      return (value - NORMALISATION.mean[channel]) / NORMALISATION.deviation[channel];
    });
    // Second source: ONNX Runtime on the network as it is, with the picture normalised here.
    const expected = await features(tapBackbone(file).bytes, fed);
    for (const bytes of [backbone.bytes, tapBackbone(backbone.bytes, [8, 16], ['after']).bytes]) {
      const actual = await features(bytes, picture);
      assert.equal(actual.length, expected.length);
      assert.ok(
        actual.every((value, place) => Math.abs(value - expected[place]) < 1e-4 * (1 + Math.abs(expected[place]))),
      );
    }
    assert.deepEqual(tapBackbone(backbone.bytes, [16], ['before']).outputs, ['stride16_before']);
  });

  it('knows a file of the catalogue wherever it lies', async () => {
    const { id, bytes } = await resolveBackbone(join(folder, 'mine.onnx'), { entries });
    assert.equal(id, 'small-net');
    assert.notEqual(bytes.length, file.length);
  });

  it('takes any other file as it is, or with the normalisation the caller gives', async () => {
    const path = join(folder, 'mine.onnx');
    const plain = await resolveBackbone(path);
    assert.equal(plain.id, 'mine');
    assert.equal(Buffer.compare(plain.bytes, file), 0);
    const told = await resolveBackbone(path, { normalisation: NORMALISATION });
    assert.equal(told.bytes.length < file.length, true);
    assert.equal(told.sha256, plain.sha256);
  });

  it('tells how to get one that is not here', async () => {
    const absent = resolveBackbone('small-net', { folders: [join(folder, 'empty')], entries });
    await assert.rejects(absent, (error) => {
      assert.ok(error instanceof BackboneNotFound);
      assert.match(error.message, /it is not here yet; run "opti-quality models pull small-net"/);
      return true;
    });
    await assert.rejects(resolveBackbone(join(folder, 'none.onnx')), /there is no such file/);
  });

  it('refuses a pulled file that was changed, and a file that is no network', async () => {
    const other = join(folder, 'other');
    await mkdir(other);
    await writeFile(join(other, 'net.onnx'), Buffer.alloc(file.length));
    await assert.rejects(resolveBackbone('small-net', { folders: [other], entries }), /its file was changed; run/);
    await assert.rejects(resolveBackbone(join(other, 'net.onnx')), OnnxInvalid);
  });
});
