import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import type { ComparisonState } from '../../../../engine/domain';
import { Comparisons, ModelRegistry } from '../../../../engine/learning';
import { compareVersions } from '../../../../engine/learning/comparison/compare-versions';
import type { GatePicture } from '../../../../engine/learning/gate';
import { openStore, type Store } from '../../../../engine/store';
import { writeColourClassifier } from '../../../support/colour-classifier';
import { TRAINING_LIMIT_MS } from '../../../support/jobs';
import { waitFor } from '../../../support/wait';
import { settlePart } from '../history';

const NAME = 'plate.classifier';

describe('Comparing versions', function () {
  this.timeout(3 * TRAINING_LIMIT_MS);
  let folder: string;
  let dataFolder: string;
  let store: Store;
  let models: ModelRegistry;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'comparing-'));
    dataFolder = join(folder, 'data');
    store = await openStore({ dataFolder });
    models = new ModelRegistry({ store });
    await writeColourClassifier(models.folderOf(NAME, '1'), 'plate', '1');
    await writeColourClassifier(models.folderOf(NAME, '2'), 'plate', '2', { bad: 'NG', good: 'OK', odd: 'OK' });
  });
  after(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  const plain = (r: number, g: number, b: number) =>
    sharp({ create: { width: 64, height: 64, channels: 3, background: { r, g, b } } })
      .png()
      .toBuffer();

  it('gives figures, scores and changed decisions that can be checked by hand', async () => {
    const write = async (id: string, bytes: Buffer, label: GatePicture['label']): Promise<GatePicture> => {
      const picture = join(folder, `${id}.png`);
      await sharp(bytes).toFile(picture);
      return { id, picture, label, boxes: null, split: 'val', source: 'imported' };
    };
    const pictures = [
      await write('red', await plain(255, 0, 0), 'NG'),
      await write('green', await plain(0, 255, 0), 'OK'),
      await write('blue', await plain(0, 0, 255), 'OK'),
      await write('bluish', await plain(0, 127, 128), 'NG'),
    ];
    const place = (version: string) => ({ name: NAME, version, folder: models.folderOf(NAME, version) });
    const order = { task: 'compare', name: NAME, kind: 'classifier', threads: 1 } as const;
    const steps: number[] = [];
    const comparison = await compareVersions(
      { ...order, versions: [place('1'), place('2')], pictures },
      ({ percent }) => steps.push(percent),
    );
    assert.equal(steps.at(-1), 100);
    assert.deepEqual(comparison.pictures, { ok: 2, ng: 2, skipped: 0 });
    const [first, second] = comparison.versions;
    assert.deepEqual(first.figures, { accuracy: 3 / 4, escapes: 0, falseRejects: 0.5 });
    assert.deepEqual(second.figures, { accuracy: 3 / 4, escapes: 0.5, falseRejects: 0 });
    // softmax of 8, 0, 0: the other two classes have e^-8 / (1 + 2 e^-8) each
    const other = Math.exp(-8) / (1 + 2 * Math.exp(-8));
    const close = (actual: readonly number[], expected: readonly number[]) =>
      assert.deepEqual(
        actual.map((value) => value.toFixed(4)),
        expected.map((value) => value.toFixed(4)),
      );
    close(first.ok, [2 * other, 1 - other]);
    close(second.ok, [other, other]);
    // green and blue both at a half: logits 0, 3.984, 4.016
    const [green, blue] = [Math.exp((8 * 127) / 255), Math.exp((8 * 128) / 255)];
    close(first.ng, [1 - green / (1 + green + blue), 1 - other]);
    const { items, ...counts } = comparison.changed;
    assert.deepEqual(counts, { pictures: 4, changed: 2, newlyPassed: 2, newlyStopped: 0, skipped: 0 });
    assert.deepEqual(
      items.map(({ id, label, before, after, picture }) => [id, label, before, after, picture]),
      [
        ['bluish', 'NG', 'REVIEW', 'OK', 'imported'],
        ['blue', 'OK', 'REVIEW', 'OK', 'imported'],
      ],
    );
  });

  it('keeps what it found, and tells what went wrong', async () => {
    const id = await settlePart(store, await plain(0, 0, 255), { verdict: 'OK', label: 'OK', partType: 'plate' });
    const comparisons = new Comparisons({ store, models });
    const ended = async (versions: readonly string[]): Promise<ComparisonState> => {
      const isOver = async () => (await comparisons.state(NAME, versions)).state !== 'running';
      await waitFor('the end', isOver, TRAINING_LIMIT_MS);
      return comparisons.state(NAME, versions);
    };
    const twice = await Promise.all([comparisons.start(NAME, ['1', '2']), comparisons.start(NAME, ['1', '2'])]);
    assert.deepEqual(
      twice.map(({ state }) => state),
      ['running', 'running'],
    );
    const { state, comparison } = await ended(['1', '2']);
    assert.equal(state, 'ready');
    assert.deepEqual(
      comparison?.changed.items.map((item) => item.id),
      [id],
    );
    assert.deepEqual((await comparisons.state(NAME, ['2', '1'])).state, 'none');

    await writeColourClassifier(models.folderOf(NAME, '3'), 'plate', '3');
    await rm(join(models.folderOf(NAME, '3'), 'model.onnx'));
    await comparisons.start(NAME, ['1', '3']);
    const failed = await ended(['1', '3']);
    assert.deepEqual([failed.state, failed.error?.code], ['failed', 'model-invalid']);

    await comparisons.start(NAME, ['2', '1']);
    await comparisons.close();
    assert.equal((await new Comparisons({ store, models }).state(NAME, ['1', '2'])).state, 'ready');
    assert.equal((await comparisons.state(NAME, ['2', '1'])).state, 'none');
  });
});
