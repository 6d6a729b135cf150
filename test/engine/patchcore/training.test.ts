import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { packageRoot, sha256Of } from '../../../engine/domain';
import { PictureUnreadable } from '../../../engine/imaging';
import { ComputePool } from '../../../engine/inference';
import { readModel, writeModel } from '../../../engine/onnx';
import { ModelExists, ModelInvalid, type ModelManifest, verifyFiles, writeManifest } from '../../../engine/packages';
import {
  type AnomalyResult,
  BackboneNotFound,
  PatchcoreModel,
  type PatchcoreTraining,
  TooFewPictures,
  type TrainingPicture,
  type TrainingProgress,
  type TrainingResult,
  trainPatchcore,
} from '../../../engine/patchcore';
import type { BankOrigins } from '../../../engine/patchcore/package-files';
import { blotOf, drawGood, drawPicture } from './pictures';

describe('Training and scoring', () => {
  let folder: string;
  let good: { name: string; picture: Buffer }[];
  /** A model most tests only read. */
  let modelFolder: string;
  let manifest: TrainingResult['manifest'];
  const reports: TrainingProgress[] = [];

  const training = (outFolder: string, pictures: readonly TrainingPicture[]): PatchcoreTraining => ({
    partType: 'weave',
    pictures,
    outFolder,
    version: '1',
    source: 'drawn',
    coresetSize: 300,
    input: { width: 128, height: 96, mode: 'stretch' },
    threads: 1,
  });

  before(async function () {
    this.timeout(180_000);
    folder = await mkdtemp(join(tmpdir(), 'patchcore-'));
    good = await drawGood(24, 101);
    modelFolder = join(folder, 'weave', '1');
    const onProgress = (progress: TrainingProgress) => reports.push(progress);
    ({ manifest } = await trainPatchcore({ ...training(modelFolder, good), onProgress }));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('learns all pictures, and calibrates on their scores from banks that do not know them', () => {
    const { bank, calibration, dataset, thresholds, suspects } = manifest;
    assert.deepEqual([bank.pictures, calibration.pictures, dataset.count, suspects], [24, 24, 24, []]);
    assert.deepEqual([calibration.method, calibration.folds], ['cross-validated', 5]);
    // of pictures that hardly differ the highest score counts
    assert.equal(calibration.scores.length, calibration.independent);
    assert.ok(calibration.independent >= 20 && calibration.independent <= 24);
    assert.deepEqual(
      calibration.scores,
      [...calibration.scores].sort((a, b) => a - b),
    );
    assert.equal(bank.size, 300);
    assert.equal(bank.candidates, 24 * 16 * 12);
    assert.ok(calibration.median < thresholds.accept && thresholds.accept <= thresholds.reject);
    // 24 pictures cannot promise 1 %: the reject level lies beyond all of them, and it says how many more it takes
    assert.ok(thresholds.reject > calibration.scores.at(-1)!);
    const needed = 99 - calibration.independent;
    assert.deepEqual([calibration.reject.method, calibration.picturesNeeded], ['extrapolated', needed]);
  });

  it('tells in the manifest which recipe was chosen, by what it was chosen, and what plain PatchCore achieved', () => {
    const { moment, conditioning, scoring, chosen, trials } = manifest.recipe;
    assert.equal(chosen, 'measured');
    const own = trials.filter(
      (trial) =>
        trial.moment === moment &&
        trial.conditioning === conditioning &&
        JSON.stringify(trial.scoring) === JSON.stringify(scoring),
    );
    const plain = trials.filter((trial) => trial.conditioning === 'none' && trial.scoring.method === 'max');
    assert.equal(plain.length, 1);
    assert.ok(own.length >= 1);
    for (const { auroc } of [...own, ...plain]) assert.ok(auroc > 0.5 && auroc <= 1, `${auroc}`);
  });

  it('keeps where each row of the bank came from: another picture of the same bytes has the same rows', async () => {
    const origins = JSON.parse(await readFile(join(modelFolder, 'bank.json'), 'utf8')) as BankOrigins;
    assert.deepEqual(
      origins.pictures.map(({ name, sha256 }) => ({ name, sha256 })),
      good.map(({ name, picture }) => ({ name, sha256: sha256Of(picture) })),
    );
    assert.ok(origins.pictures.every(({ signature }) => Buffer.from(String(signature), 'base64').length === 768));
    const [bank] = origins.banks;
    assert.equal(bank?.picture.length, 300);
    assert.ok(bank.picture.every((picture) => picture >= 0 && picture < 24));
    assert.ok(new Set(bank.picture).size > 12, 'of most pictures');
    assert.ok(bank.patch.every((patch) => patch >= 0 && patch < 16 * 12));
    // a patch that is in the bank is at no distance from it
    const model = await PatchcoreModel.load(modelFolder, { threads: 1 });
    for (const row of [0, 100, 299]) {
      const [{ distances }] = (await model.measure(good[bank.picture[row]].picture)).views;
      assert.ok(distances[bank.patch[row]] < 0.02 * manifest.thresholds.reject, `${distances[bank.patch[row]]}`);
    }
    await model.dispose();
  });

  it('tells how far it is: stages in order, percent never falling, every picture counted', () => {
    const stages = [...new Set(reports.map((report) => report.stage))];
    assert.deepEqual(stages, ['read', 'condition', 'extract', 'coreset', 'calibrate', 'package', 'verify']);
    const percents = reports.map((report) => report.percent);
    assert.deepEqual(
      percents,
      [...percents].sort((a, b) => a - b),
    );
    assert.equal(percents.at(-1), 100);
    assert.equal(reports.at(-1)?.pictures, 24);
    assert.equal(reports.at(-1)?.remainingSeconds, 0);
  });

  it('scores a defective part above the reject level, and says where', async () => {
    const model = await PatchcoreModel.load(modelFolder, { threads: 1 });
    const result = await model.score(await drawPicture({ seed: 500, defective: true }));
    assert.ok(result.score > result.thresholds.reject, `${result.score}`);
    assert.ok(result.normalizedScore > 1);
    assert.deepEqual(result.image, { width: 160, height: 120 });
    assert.deepEqual(result.model, { name: 'weave', version: '1' });
    const [{ box, peak, area }] = result.regions;
    const blot = blotOf({ seed: 500 });
    const [x, y] = [blot.x + blot.width / 2, blot.y + blot.height / 2];
    assert.ok(x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height, JSON.stringify({ box, blot }));
    assert.ok(peak >= manifest.map.region && area > 0 && area <= box.width * box.height);
    assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= 160 && box.y + box.height <= 120);

    const png = sharp(result.map!.png);
    const { channels, depth } = await png.metadata();
    assert.deepEqual([channels, depth], [1, 'uchar']);
    const { data, info } = await png.extractChannel(0).raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height], [result.map!.width, result.map!.height]);
    assert.equal(info.width / info.height, 4 / 3);
    const greyAt = (column: number, row: number) =>
      data[Math.floor(row * info.height) * info.width + Math.floor(column * info.width)];
    assert.ok(greyAt(x / 160, y / 120) > 127, 'above the level of regions at the blot');
    const mean = (greys: ArrayLike<number>) => Array.from(greys).reduce((sum, grey) => sum + grey, 0) / greys.length;
    assert.ok(mean(data) < 90, 'dark elsewhere');
    const isFar = (place: number) => {
      const [column, row] = [place % info.width, Math.floor(place / info.width)];
      return Math.hypot((column * 160) / info.width - x, (row * 120) / info.height - y) > 64;
    };
    assert.ok(mean(data.filter((_, place) => isFar(place))) < 30, 'all but black far from it');
    const { decode, extract, search, map, total } = result.milliseconds;
    assert.ok([decode, extract, search, map].every((part) => part >= 0 && part <= total));
    await model.dispose();
  });

  it('scores a good part it has never seen below a defective one, the same each time', async () => {
    const model = await PatchcoreModel.load(modelFolder, { threads: 1 });
    const [goodPart, defective] = [await drawPicture({ seed: 900 }), await drawPicture({ seed: 900, defective: true })];
    const first = await model.score(goodPart, { map: false });
    assert.equal(first.map, undefined);
    assert.equal((await model.score(goodPart)).score, first.score);
    assert.ok((await model.score(defective)).score > first.score);
    await model.dispose();
  });

  it('names the fault of a picture it cannot read and goes on with the next', async () => {
    const model = await PatchcoreModel.load(modelFolder, { threads: 1 });
    const picture = await drawPicture({ seed: 1 });
    await assert.rejects(model.score(Buffer.alloc(0)), PictureUnreadable);
    await assert.rejects(model.score(picture.subarray(0, picture.length / 2)), PictureUnreadable);
    assert.ok((await model.score(picture)).score >= 0);
    await model.dispose();
  });

  it('chooses the same bank and thresholds with the same seed, others with another', async function () {
    this.timeout(180_000);
    const again = await trainPatchcore(training(join(folder, 'again'), good));
    assert.equal(again.manifest.files['head.onnx'].sha256, manifest.files['head.onnx'].sha256);
    assert.deepEqual(again.manifest.calibration.scores, manifest.calibration.scores);
    assert.equal(again.manifest.dataset.sha256, manifest.dataset.sha256);
    const { moment, conditioning, scoring, dimension, spacing } = manifest.recipe;
    const recipe = { moment, conditioning, scoring, dimension, spacing };
    const other = await trainPatchcore({ ...training(join(folder, 'other'), good), recipe, seed: 2 });
    assert.notEqual(other.manifest.files['head.onnx'].sha256, manifest.files['head.onnx'].sha256);
  });

  it('leaves unreadable pictures out and names them with the reason', async function () {
    this.timeout(180_000);
    const bad: TrainingPicture[] = [
      { name: 'empty.jpg', picture: Buffer.alloc(0) },
      { name: 'cut.jpg', picture: good[3].picture.subarray(0, good[3].picture.length / 2) },
      { name: 'notes.jpg', picture: Buffer.from('not a picture at all, whatever its name says') },
      { name: 'gone.jpg', picture: () => Promise.reject(new Error('the disk is gone')) },
    ];
    const pictures = [bad[0], ...good.slice(0, 5), bad[1], bad[2], ...good.slice(5, 9), bad[3]];
    const progress: TrainingProgress[] = [];
    const result = await trainPatchcore({
      ...training(join(folder, 'some-bad'), pictures),
      onProgress: (report) => progress.push(report),
    });
    assert.deepEqual(
      result.skipped.map(({ name }) => name),
      ['empty.jpg', 'cut.jpg', 'notes.jpg', 'gone.jpg'],
    );
    assert.match(result.skipped[1].reason, /ends before its last row/);
    assert.match(result.skipped[3].reason, /the disk is gone/);
    assert.deepEqual([result.manifest.dataset.count, result.manifest.dataset.skipped], [9, 4]);
    assert.equal(progress.at(-1)?.skipped, 4);
  });

  it('takes a picture that is there several times once, and names the others', async function () {
    this.timeout(180_000);
    const pictures = [good[0], ...good.slice(0, 9), { name: 'copy of 4.jpg', picture: Buffer.from(good[4].picture) }];
    const { manifest, skipped } = await trainPatchcore(training(join(folder, 'twice'), pictures));
    assert.deepEqual(skipped, [
      { name: 'good-101.jpg', reason: 'It is the same picture as good-101.jpg.' },
      { name: 'copy of 4.jpg', reason: 'It is the same picture as good-105.jpg.' },
    ]);
    assert.deepEqual([manifest.dataset.count, manifest.dataset.skipped], [9, 2]);
  });

  it('says how many pictures are needed when there is none, and leaves nothing behind', async () => {
    const outFolder = join(folder, 'few', '1');
    const unreadable = [1, 2].map((number) => ({ name: `empty-${number}.jpg`, picture: Buffer.alloc(0) }));
    await assert.rejects(trainPatchcore(training(outFolder, unreadable)), (error: TooFewPictures) => {
      assert.ok(error instanceof TooFewPictures);
      assert.match(
        error.message,
        /at least 1 different readable picture .* got 0 \(2 more could not be read or were there twice\)\. Add 1/,
      );
      return true;
    });
    await assert.rejects(trainPatchcore(training(outFolder, [])), TooFewPictures);
    assert.equal((await readdir(folder)).includes('few'), false);
  });

  it('takes pictures that look all the same for one', async () => {
    const { data, info } = await sharp(good[0].picture).raw().toBuffer({ resolveWithObject: true });
    const shots = await Promise.all(
      [0, 3, 6, 9].map(async (compressionLevel) => ({
        name: `${compressionLevel}.png`,
        picture: await sharp(data, { raw: info })
          .png({ compressionLevel, adaptiveFiltering: compressionLevel > 5 })
          .toBuffer(),
      })),
    );
    const run = trainPatchcore(training(join(folder, 'stuck'), shots));
    await assert.rejects(run, (error: Error) => error instanceof TooFewPictures && /got 1 /.test(error.message));
  });

  it('reads pictures one after the other, each when its turn comes, and keeps none', async function () {
    this.timeout(180_000);
    let [open, most] = [0, 0];
    const reads = new Map<string, number>();
    const lazy = good.slice(0, 12).map(({ name, picture }) => ({
      name,
      picture: async () => {
        open += 1;
        most = Math.max(most, open);
        reads.set(name, (reads.get(name) ?? 0) + 1);
        await new Promise((resolve) => setTimeout(resolve, 2));
        open -= 1;
        return picture;
      },
    }));
    const result = await trainPatchcore({ ...training(join(folder, 'lazy'), lazy), recipe: {}, keepSuspects: true });
    assert.equal(result.manifest.dataset.count, 12);
    assert.ok(most <= 2, `${most} at a time`);
    // once to be learnt, and, unless the sample still has it, once for that
    assert.equal(reads.size, 12);
    assert.ok([...reads.values()].every((count) => count <= 2));
  });

  it('stops when told, at any stage, and leaves nothing behind', async function () {
    this.timeout(180_000);
    const parent = join(folder, 'cancelled');
    for (const stage of ['read', 'condition', 'extract', 'coreset', 'calibrate', 'package', 'verify'] as const) {
      const cancel = new AbortController();
      const run = trainPatchcore({
        ...training(join(parent, '1'), good.slice(0, 12)),
        input: { width: 64, height: 64, mode: 'stretch' },
        signal: cancel.signal,
        onProgress: (progress) => progress.stage === stage && cancel.abort(new Error(`stop at ${stage}`)),
      });
      await assert.rejects(run, new RegExp(`stop at ${stage}`));
      const left = await readdir(parent).catch(() => []);
      assert.deepEqual(left, [], stage);
    }
  });

  it('refuses an occupied folder before it begins', async () => {
    const progress: TrainingProgress[] = [];
    const run = trainPatchcore({ ...training(modelFolder, good), onProgress: (report) => progress.push(report) });
    await assert.rejects(run, ModelExists);
    assert.deepEqual(progress, []);
  });

  it('refuses a backbone that does not exist or is no network', async () => {
    const run = (backbone: string) => trainPatchcore({ ...training(join(folder, 'nope'), good), backbone });
    await assert.rejects(run(join(folder, 'missing.onnx')), BackboneNotFound);
    for (const name of ['constructor', 'toString']) await assert.rejects(run(name), BackboneNotFound);
    await assert.rejects(run(join(packageRoot, 'package.json')), /ONNX model cannot be used/);
  });

  it('copies a backbone of its own into the package, which then needs nothing else', async function () {
    this.timeout(180_000);
    const starter = readModel(readFileSync(join(packageRoot, 'models', 'starter-backbone', 'model.onnx')));
    const own = join(folder, 'own.onnx');
    await writeFile(own, writeModel({ ...starter, producerName: 'someone else' }));
    const outFolder = join(folder, 'own', '1');
    const trained = await trainPatchcore({ ...training(outFolder, good.slice(0, 9)), backbone: own });
    assert.deepEqual([trained.manifest.backbone.id, trained.manifest.backbone.file], ['own', 'backbone.onnx']);
    await rm(own);
    const moved = join(folder, 'moved');
    await cp(outFolder, moved, { recursive: true });
    const model = await PatchcoreModel.load(moved, { threads: 1 });
    assert.ok((await model.score(good[20].picture)).score > 0);
    await model.dispose();
  });

  it('refuses a model whose golden pictures score otherwise, even when all hashes fit', async () => {
    const tampered = join(folder, 'tampered');
    await cp(modelFolder, tampered, { recursive: true });
    const [first, ...others] = manifest.golden;
    await writeManifest(tampered, { ...manifest, golden: [{ ...first, score: first.score * 1.02 }, ...others] });
    await verifyFiles(tampered);
    await assert.rejects(PatchcoreModel.load(tampered, { threads: 1 }), (error: Error) => {
      return error instanceof ModelInvalid && /golden\/1\.jpg scores/.test(error.message);
    });
  });

  it('refuses a model with one byte changed', async () => {
    const tampered = join(folder, 'one-byte');
    await cp(modelFolder, tampered, { recursive: true });
    const path = join(tampered, 'head.onnx');
    const bytes = await readFile(path);
    bytes[Math.floor(bytes.length / 2)] ^= 1;
    await writeFile(path, bytes);
    await assert.rejects(PatchcoreModel.load(tampered, { threads: 1 }), ModelInvalid);
  });

  describe('in the compute child', () => {
    let pool: ComputePool;
    before(async function () {
      this.timeout(180_000);
      const taskModules = [join(packageRoot, 'engine', 'patchcore', 'task')];
      pool = new ComputePool({
        size: 1,
        queueLimit: 16,
        queuePolicy: 'reject',
        memoryCapBytes: 256 * 1024 * 1024,
        threads: 1,
        taskModules,
      });
      await pool.warmUp();
    });
    after(() => pool.close());

    it('loads and scores as here', async function () {
      this.timeout(180_000);
      const picture = await drawPicture({ seed: 700, defective: true });
      const loaded = await pool.run<ModelManifest>('patchcore/load', { folder: modelFolder }, {});
      assert.equal(loaded.partType, 'weave');
      const inChild = await pool.run<AnomalyResult>('patchcore/score', { folder: modelFolder, picture, map: true }, {});
      const model = await PatchcoreModel.load(modelFolder, { threads: 1 });
      const here = await model.score(picture);
      assert.equal(inChild.score, here.score);
      assert.deepEqual(inChild.regions, here.regions);
      assert.ok(Buffer.from(inChild.map!.png).equals(here.map!.png));
      await model.dispose();
    });

    it('refuses an altered model each time it is asked, and a missing one', async function () {
      this.timeout(180_000);
      const picture = await drawPicture({ seed: 1 });
      for (const altered of ['tampered', 'one-byte', 'tampered', 'not-there']) {
        const run = pool.run('patchcore/score', { folder: join(folder, altered), picture }, {});
        await assert.rejects(run, (error: { reason?: string }) => error.reason === 'model-invalid', altered);
      }
    });

    it('names an unreadable picture', async () => {
      const run = pool.run('patchcore/score', { folder: modelFolder, picture: Buffer.from('nonsense') }, {});
      await assert.rejects(run, (error: { reason?: string }) => error.reason === 'picture-unreadable');
    });
  });
});
