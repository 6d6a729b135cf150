import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset, DatasetPicture } from '../datasets';
import { writeDetectorPackage } from '../detector';
import { type JobProgress, type SkippedPicture, sha256Of } from '../domain';
import { type FinetuneResult, finetuneDetector } from './detector-training';
import { openDataset } from './labelled-dataset';
import { CHECKPOINT_FOLDER, type DetectorOrder, type TrainingOutcome } from './training-messages';

/** Pictures that travel with a detector to prove that it finds what it found when it was made. */
const GOLDEN_PICTURES = 3;
/** Percent of the job when only the package is left to write. */
const TRAINED = 97;

/** Trains a detector and writes its package, whatever the gate says of it. */
export async function trainDetector(
  order: DetectorOrder,
  onProgress: (progress: JobProgress) => void,
): Promise<TrainingOutcome> {
  const started = performance.now();
  const { source, workFolder, options, threads } = order;
  onProgress({ stage: 'read', percent: 0, remainingSeconds: null });
  const dataset = await openDataset(source, 'detection', workFolder);
  const replay = order.replay && (await openDataset({ kind: 'dataset', ...order.replay }, 'detection', workFolder));
  const base = await readFile(order.base.path);
  let last: JobProgress = { stage: 'read', percent: 0, remainingSeconds: null };
  const { level, epochs, inputSize, batch, learningRate, augmentation, seed, search, gate } = options;
  const result = await finetuneDetector({
    base,
    dataset,
    ...(replay && { replay }),
    level,
    epochs,
    inputSize,
    batch,
    learningRate,
    augmentation,
    seed,
    search,
    gate,
    checkpointFolder: join(workFolder, CHECKPOINT_FOLDER),
    threads,
    onProgress: (progress) => {
      last = { ...progress, percent: (progress.percent * TRAINED) / 100 };
      onProgress(last);
    },
  });
  onProgress({ ...last, stage: 'package', percent: TRAINED, remainingSeconds: null });
  await writeDetectorPackage(
    order.outFolder,
    result.model,
    {
      name: order.name,
      version: order.version,
      partType: order.partType,
      parent: order.parent,
      base: { name: order.base.name, sha256: sha256Of(base) },
      level: result.report.level,
      ...factsOf(order, dataset, replay, result),
      metrics: {
        'seconds.train': result.report.seconds,
        'seconds.total': Math.round(performance.now() - started) / 1000,
        epoch: result.epoch,
        memoryBytes: result.memoryBytes,
      },
    },
    { golden: await goldenPictures(dataset), threads },
  );
  return {
    skipped: [...dataset.skipped.map(({ name, reason }) => ({ name, reason })), ...result.skipped],
    report: result.report,
    notes: result.notes,
  };
}

function factsOf(
  order: DetectorOrder,
  dataset: Dataset,
  replay: Dataset | null,
  { report, settings, pictures, skipped, dataset: hashes }: FinetuneResult,
) {
  const { before, after, oldClasses, gate, curve } = report;
  const { seed, epochs, inputSize, batch, learningRate, augmentation } = settings;
  const isLearnt = ({ split }: DatasetPicture) => split === 'train';
  const boxes = [...dataset.pictures, ...(replay?.pictures ?? [])].filter(isLearnt).flatMap((one) => one.boxes ?? []);
  return {
    dataset: {
      source: order.sourceText,
      count: pictures.learnt + pictures.replayed,
      skipped: dataset.skipped.length + (skipped as readonly SkippedPicture[]).length,
      sha256: hashes.replay === null ? hashes.sha256 : sha256Of(Buffer.from(`${hashes.sha256} ${hashes.replay}`)),
      heldOut: pictures.heldOut,
      boxes: boxes.length,
      replayed: pictures.replayed,
    },
    training: { seed, epochs, inputSize, batch, learningRate, augmentation },
    evaluation: { before, after, oldClasses },
    gate,
    curve,
  };
}

/** Held-out pictures with boxes first. */
async function goldenPictures({ pictures }: Dataset): Promise<Buffer[]> {
  const rank = ({ split, boxes }: DatasetPicture) => (split === 'train' ? 2 : 0) + (boxes?.length ? 0 : 1);
  const chosen = [...pictures].sort((a, b) => rank(a) - rank(b)).slice(0, GOLDEN_PICTURES);
  return Promise.all(chosen.map(({ path }) => readFile(path)));
}
