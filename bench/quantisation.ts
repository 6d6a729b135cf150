/**
 * What 8-bit numbers cost and save on this machine: `npm run bench:quantisation`.
 *
 * Backbones with 32-bit and 8-bit numbers (milliseconds with 1 and 2 threads, size); whole models trained without and with 8-bit
 * numbers, with each storage of the bank, and with each 8-bit backbone whatever the held-out pictures say (AUROC, size,
 * milliseconds), on simulated plates and, where the shared data is there, on solar cells.
 *
 * Environment: MODELS (starter,mobilenet,resnet-18,wide-resnet) whose backbones are timed; TRAINED (starter,mobilenet) of which
 * models are trained; PICTURES (60) good pictures at most; RUNS (20) of a backbone.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Preprocessing, toTensor } from '../engine/imaging';
import { Session } from '../engine/inference';
import { tapBackbone, writeModel } from '../engine/onnx';
import type { BankManifest } from '../engine/packages';
import { PatchcoreModel, picturesInFolder, type TrainingPicture, trainPatchcore } from '../engine/patchcore';
import { resolveBackbone } from '../engine/patchcore/backbone';
import { quantisedBackbones } from '../engine/patchcore/quantise-backbone';
import { simulatePart } from '../engine/simulator';
import { auroc } from '../engine/statistics';
import { sharedFolder } from '../test/support/shared-data';
import { RESNET_18, resnetClassifier, WIDE_RESNET_50_2 } from '../test/support/wide-resnet';
import { median } from './statistics';
import { heading, row, Stopwatch } from './table';

const MODELS = (process.env.MODELS ?? 'starter,mobilenet,resnet-18,wide-resnet').split(',').filter(Boolean);
const TRAINED = (process.env.TRAINED ?? 'starter,mobilenet').split(',').filter(Boolean);
const PICTURES = Number(process.env.PICTURES ?? 60);
const RUNS = Number(process.env.RUNS ?? 20);
const CALIBRATION_PICTURES = 16;

const mobileNet = join(sharedFolder, 'models', 'mobilenet_v1_imagenet_features.onnx');
const cells = join(sharedFolder, 'data', 'elpv-poly');

interface Dataset {
  readonly name: string;
  readonly train: readonly TrainingPicture[];
  readonly good: readonly TrainingPicture[];
  readonly defective: readonly TrainingPicture[];
}

async function main(): Promise<void> {
  process.stdout.write(`${cpus()[0]?.model}, Node ${process.version}\n`);
  const folder = await mkdtemp(join(tmpdir(), 'bench-quantisation-'));
  try {
    for (const name of MODELS) await benchBackbone(name);
    for (const dataset of await datasets()) {
      for (const name of TRAINED) await benchTrainings(name, dataset, folder);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function benchBackbone(name: string): Promise<void> {
  const file = await fileOf(name);
  if (file === null) return;
  const side = sideOf(name);
  const { bytes, outputs } = tapBackbone(file, [8, 16]);
  const views = await Promise.all(plates(CALIBRATION_PICTURES, 1, 0).map((one) => viewOf(one, side)));
  const ways = [{ name: '32 bits', bytes }].concat(
    (await quantisedBackbones(bytes, views, 2)).map((one) => ({
      name: `8 bits from stride ${one.fromStride}`,
      bytes: one.bytes,
    })),
  );
  heading(`${name} at ${side}: ms a picture, lowest / median`);
  for (const threads of [1, 2]) {
    const sessions = await Promise.all(ways.map((way) => Session.open(way.bytes, threads)));
    const runs = ways.map((way, place): [string, () => Promise<unknown>] => [
      way.name,
      () =>
        sessions[place].run(
          { [sessions[place].inputs[0]]: { data: views[0].data, dims: [1, 3, side, side] } },
          outputs,
        ),
    ]);
    const watch = await Stopwatch.compare(Object.fromEntries(runs), RUNS);
    for (const way of ways) {
      const [lowest, middle] = [watch.lowest(way.name), watch.median(way.name)];
      const gain = watch.lowest('32 bits') / lowest;
      const size = `${(way.bytes.length / 1e6).toFixed(2)} MB`;
      row(
        `${way.name}, ${threads} threads`,
        `${lowest.toFixed(2)} / ${middle.toFixed(2)}, ${gain.toFixed(2)} x, ${size}`,
      );
    }
    for (const session of sessions) await session.close();
  }
}

async function benchTrainings(name: string, dataset: Dataset, folder: string): Promise<void> {
  const file = await fileOf(name);
  if (file === null) return;
  const side = sideOf(name);
  heading(`${name} at ${side}, ${dataset.name}, ${dataset.train.length} good pictures`);
  const backbone = name === 'mobilenet' ? mobileNet : name;
  const ways: Record<string, object> = {
    '32 bits': {},
    'bank of 16 bits': { storage: 'float16' },
    'bank of 8 bits': { storage: 'int8' },
    '8 bits where faster': { quantise: true },
    '8 bits where sound': { quantise: true, quantiseAtAnySpeed: true },
  };
  const views = await Promise.all(dataset.train.slice(0, CALIBRATION_PICTURES).map((one) => viewOf(one, side)));
  for (const { bytes, fromStride } of await quantisedBackbones(tapBackbone(file, [8, 16]).bytes, views, 2)) {
    const path = join(folder, `${name} ${dataset.name} ${fromStride}.onnx`);
    await writeFile(path, bytes);
    ways[`8 bits from stride ${fromStride}, untested`] = { backbone: path };
  }
  for (const [way, options] of Object.entries(ways)) {
    const outFolder = join(folder, `${name} ${dataset.name} ${way}`);
    const { manifest } = await trainPatchcore({
      partType: 'part',
      pictures: dataset.train,
      outFolder,
      version: '1',
      source: dataset.name,
      backbone,
      input: { width: side, height: side, mode: 'stretch' },
      threads: 2,
      recipe: {},
      ...options,
    });
    row(way, await resultOf(outFolder, manifest, dataset));
  }
}

async function resultOf(folder: string, manifest: BankManifest, { good, defective }: Dataset): Promise<string> {
  const model = await PatchcoreModel.load(folder, { threads: 2 });
  const times: { extract: number; search: number }[] = [];
  const scoresOf = async (pictures: readonly TrainingPicture[]) => {
    const scores: number[] = [];
    for (const { picture } of pictures) {
      const result = await model.score(await bytesOf(picture), { map: false });
      times.push(result.milliseconds);
      scores.push(result.score);
    }
    return scores;
  };
  const area = auroc(await scoresOf(good), await scoresOf(defective));
  await model.dispose();
  const middle = (stage: 'extract' | 'search') => median(times.map((time) => time[stage])).toFixed(1);
  const { quantisation, bank, files } = manifest;
  const heads = bank.heads.reduce((sum, file) => sum + (file === null ? 0 : files[file].bytes), 0);
  const parts = [
    `AUROC ${(100 * area).toFixed(1)}`,
    `extract ${middle('extract')} ms, search ${middle('search')} ms`,
    `bank ${bank.storage}, head ${(heads / 1e6).toFixed(2)} MB`,
  ];
  if (quantisation) {
    const { accepted, reason, fromStride, milliseconds, wrongDecisions, changedDecisions } = quantisation;
    parts.push(
      `${accepted ? 'taken' : `refused (${reason})`} from stride ${fromStride}`,
      `held-out AUROC ${(100 * quantisation.auroc.float).toFixed(1)} -> ${(100 * quantisation.auroc.int8).toFixed(1)}`,
      `wrong ${wrongDecisions.float} -> ${wrongDecisions.int8} of ${changedDecisions.total}`,
      `${milliseconds.float} -> ${milliseconds.int8} ms`,
    );
  }
  return parts.join('; ');
}

async function datasets(): Promise<Dataset[]> {
  const plate = {
    name: 'simulated plates',
    train: plates(PICTURES, 1, 0),
    good: plates(40, 5000, 0),
    defective: plates(40, 7000, 1),
  };
  if (!existsSync(cells)) return [plate];
  const [train, good, defective] = await Promise.all(
    ['train/good', 'test/good', 'test/defective'].map((kind) => picturesInFolder(join(cells, kind))),
  );
  return [plate, { name: 'solar cells', train: train.slice(0, PICTURES), good, defective }];
}

function plates(count: number, seed: number, defectRate: number): TrainingPicture[] {
  return Array.from({ length: count }, (_, index) => ({
    name: String(seed + index),
    picture: async () => (await simulatePart({ product: 'plate', seed: seed + index, defectRate })).picture,
  }));
}

async function fileOf(name: string): Promise<Uint8Array | null> {
  if (name === 'mobilenet') return existsSync(mobileNet) ? readFile(mobileNet) : null;
  if (name === 'resnet-18') return writeModel(resnetClassifier(RESNET_18).model);
  if (name === 'wide-resnet') return writeModel(resnetClassifier(WIDE_RESNET_50_2).model);
  return (await resolveBackbone(name)).bytes;
}

function sideOf(name: string): number {
  return name === 'starter' ? 288 : 224;
}

async function viewOf({ picture }: TrainingPicture, side: number) {
  const preprocessing: Preprocessing = {
    width: side,
    height: side,
    mode: 'stretch',
    kernel: 'linear',
    fastShrinkOnLoad: false,
  };
  const { data } = await toTensor(await bytesOf(picture), preprocessing);
  return { data, width: side, height: side };
}

async function bytesOf(picture: TrainingPicture['picture']): Promise<Buffer> {
  return typeof picture === 'function' ? picture() : picture;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
