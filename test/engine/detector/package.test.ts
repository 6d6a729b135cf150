import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DetectorModel,
  DetectorUnsupported,
  readDetectorPackage,
  writeDetectorPackage,
} from '../../../engine/detector';
import { tasks } from '../../../engine/detector/task';
import { sha256Of } from '../../../engine/domain';
import { SessionCache, type TaskContext } from '../../../engine/inference';
import { writeModel } from '../../../engine/onnx';
import { MANIFEST_FILE, ModelExists, ModelInvalid, readManifest, writeManifest } from '../../../engine/packages';
import { IMPORTED_DETECTOR } from '../../support/detector-facts';
import { colourDetector } from '../../support/detector-networks';
import { GREEN, painted, RED } from '../../support/pictures-of-marks';

const bytes = writeModel(colourDetector().model);

describe('the package of a detector', () => {
  let folder: string;
  let picture: Buffer;
  let empty: Buffer;

  before(async () => {
    picture = await painted(64, 64, [
      [RED, 0, 0, 8, 8],
      [GREEN, 40, 40, 8, 8],
    ]);
    empty = await painted(64, 64, []);
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'detector-package-'));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  const write = (facts = {}) =>
    writeDetectorPackage(join(folder, '1'), bytes, { ...IMPORTED_DETECTOR, ...facts }, { golden: [picture, empty] });

  it('says what the network tells, and what it finds in its golden pictures', async () => {
    const manifest = await write();
    assert.deepEqual([manifest.classes, manifest.input], [['red', 'green', 'blue'], { width: 64, height: 64 }]);
    assert.deepEqual([manifest.thresholds, manifest.iou], [{ confidence: 0.25, perClass: {} }, 0.7]);
    assert.deepEqual(
      manifest.golden.map(({ detections }) => detections.map(({ label }) => label).sort()),
      [['green', 'red'], []],
    );
    assert.deepEqual(await readDetectorPackage(join(folder, '1')), { manifest, bytes: Buffer.from(bytes) });
  });

  it('is loaded with its thresholds, which a caller may change', async () => {
    await write({ thresholds: { confidence: 0.5, perClass: { red: 0.99 } }, iou: 0.6 });
    const model = await DetectorModel.open({ folder: join(folder, '1') });
    try {
      assert.deepEqual(model.model, { name: 'plate.detector', version: '1' });
      const labels = async (options = {}) =>
        (await model.detect(picture, options)).detections.map(({ label }) => label);
      assert.deepEqual(await labels(), ['green']);
      assert.deepEqual((await labels({ confidence: 0.5 })).sort(), ['green', 'red']);
      assert.deepEqual((await labels({ perClass: { red: 0.9 } })).sort(), ['green', 'red']);
    } finally {
      await model.dispose();
    }
  });

  it('is never written over another, nor with a network that is no detector', async () => {
    await write();
    await assert.rejects(write(), ModelExists);
    const broken = writeModel(colourDetector({ metadata: { task: 'pose' } }).model);
    await assert.rejects(
      writeDetectorPackage(join(folder, '2'), broken, IMPORTED_DETECTOR, { golden: [] }),
      DetectorUnsupported,
    );
    await assert.rejects(readManifest(join(folder, '2')), ModelInvalid);
  });

  it('is refused when a byte of the network was changed', async () => {
    await write();
    const path = join(folder, '1', 'model.onnx');
    const network = await readFile(path);
    network[network.length >> 1] ^= 1;
    await writeFile(path, network);
    await assert.rejects(DetectorModel.open({ folder: join(folder, '1') }), /model.onnx was changed/);
  });

  it('is refused when it no longer finds what it found, or finds more', async () => {
    const { golden, ...manifest } = await write();
    const [first, second] = golden;
    const [{ label, confidence, box }] = first.detections;
    const moved = { label, confidence, box: { ...box, x: box.x + 1.5 } };
    for (const [changed, sentence] of [
      [[first, { ...second, detections: [moved] }], /golden\/2.png it no longer finds/],
      [[{ ...first, detections: first.detections.slice(1) }, second], /golden\/1.png it finds .* which is new/],
      [[{ ...first, detections: [moved, first.detections[1]] }, second], /golden\/1.png it no longer finds/],
    ] as const) {
      await writeManifest(join(folder, '1'), { ...manifest, golden: changed });
      await assert.rejects(DetectorModel.open({ folder: join(folder, '1') }), sentence);
    }
    // half a pixel and a thousandth are what other processors may make of it
    const near = { label, confidence: confidence - 0.001, box: { ...box, x: box.x + 0.5 } };
    await writeManifest(join(folder, '1'), {
      ...manifest,
      golden: [{ ...first, detections: [near, first.detections[1]] }, second],
    });
    await (await DetectorModel.open({ folder: join(folder, '1') })).dispose();
  });

  it('is refused when its network knows other classes', async () => {
    const manifest = await write();
    await writeManifest(join(folder, '1'), { ...manifest, classes: ['red', 'blue', 'green'] });
    await assert.rejects(DetectorModel.open({ folder: join(folder, '1') }), /knows the classes red, green, blue/);
  });

  describe('in the compute child', () => {
    const context = (): TaskContext & { sessions: SessionCache } => ({
      sessions: new SessionCache(1 << 30),
      signal: new AbortController().signal,
      threads: 1,
    });

    it('is loaded once, from a folder or a file, and anew when another stands at its place', async () => {
      await write();
      const file = join(folder, 'colours.onnx');
      await writeFile(file, bytes);
      const child = context();
      const loaded = await tasks['detector/load']({ folder: join(folder, '1') }, child);
      assert.deepEqual(loaded.model, { name: 'plate.detector', version: '1' });
      for (const source of [{ folder: join(folder, '1') }, { file }]) {
        const { detections } = await tasks['detector/detect']({ ...source, picture: Uint8Array.from(picture) }, child);
        assert.deepEqual(detections.map(({ label }) => label).sort(), ['green', 'red']);
      }
      assert.equal(child.sessions.keys.length, 2);
      await writeFile(file, writeModel(colourDetector({ classes: ['a', 'b'] }).model));
      const { model, detections } = await tasks['detector/detect'](
        { file, picture, options: { perClass: { b: 1 } } },
        child,
      );
      assert.equal(model.version, sha256Of(await readFile(file)).slice(0, 12));
      assert.deepEqual(
        detections.map(({ label }) => label),
        ['a'],
      );
      assert.equal(child.sessions.keys.length, 3);
      await child.sessions.clear();
    });

    it('is named when there is none', async () => {
      const child = context();
      const missing = join(folder, 'none');
      await assert.rejects(tasks['detector/load']({ folder: missing }, child), new RegExp(`no ${MANIFEST_FILE}`));
      await assert.rejects(tasks['detector/load']({ file: missing }, child), /there is no such file/);
    });
  });
});
