import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset, DatasetPicture } from '../datasets';
import { type DetectorFacts, readDetectorFile, writeDetectorPackage } from '../detector';
import { type JobProgress, sha256Of } from '../domain';
import { type FinetuneResult, finetuneDetector } from './detector-training';
import { type ExternalResult, trainExternally } from './external-trainer';
import { openDataset } from './labelled-dataset';
import { CHECKPOINT_FOLDER, type DetectorOrder, type TrainingOutcome } from './training-messages';

/** Pictures that travel with a detector to prove that it finds what it found when it was made. */
const GOLDEN_PICTURES = 3;
/** Percent of the job when only the package is left to write. */
const TRAINED = 97;

type Tell = (progress: JobProgress) => void;

interface Material {
  readonly base: Uint8Array;
  readonly dataset: Dataset;
  /** Old pictures. */
  readonly replay: Dataset | null;
}

/**
 * Trains a detector, here or by another program, and writes its package, whatever the gate says of it.
 *
 * @throws {DetectorNotFound} when the network it starts from is gone
 */
export async function trainDetector(order: DetectorOrder, onProgress: Tell): Promise<TrainingOutcome> {
  const started = performance.now();
  onProgress({ stage: 'read', percent: 0, remainingSeconds: null });
  const { source, replay, workFolder } = order;
  const material: Material = {
    base: (await readDetectorFile(order.base.path)).bytes,
    dataset: await openDataset(source, 'detection', workFolder),
    replay: replay && (await openDataset({ kind: 'dataset', ...replay }, 'detection', workFolder)),
  };
  let last: JobProgress | undefined;
  const onTraining: Tell = (progress) => {
    last = { ...progress, percent: Math.round(progress.percent * TRAINED) / 100 };
    onProgress(last);
  };
  const trained = await (order.command === null
    ? trainHere(order, material, onTraining)
    : trainElsewhere(order, order.command, material, onTraining));
  onProgress({ ...last, stage: 'package', percent: TRAINED, remainingSeconds: null });
  const { result } = trained;
  const metrics = {
    'seconds.train': result.report.seconds,
    'seconds.total': Math.round(performance.now() - started) / 1000,
    ...trained.metrics,
  };
  const facts = { ...factsOf(order, material, result), training: trained.training, metrics };
  const golden = await goldenPictures(material.dataset);
  await writeDetectorPackage(order.outFolder, result.model, facts, { golden, threads: order.threads });
  const unread = material.dataset.skipped.map(({ name, reason }) => ({ name, reason }));
  return { skipped: [...unread, ...result.skipped], report: result.report, notes: trained.notes };
}

interface Trained extends Pick<DetectorFacts, 'training' | 'metrics'> {
  readonly result: FinetuneResult | ExternalResult;
  readonly notes: readonly string[];
}

async function trainHere(order: DetectorOrder, material: Material, onProgress: Tell): Promise<Trained> {
  const { base: _base, replay: _replay, trainer: _trainer, ...wishes } = order.options;
  const { base, dataset, replay } = material;
  const result = await finetuneDetector({
    ...wishes,
    base,
    dataset,
    ...(replay && { replay }),
    checkpointFolder: join(order.workFolder, CHECKPOINT_FOLDER),
    threads: order.threads,
    onProgress,
  });
  const { level: _level, ...training } = result.settings;
  const metrics = { epoch: result.epoch, memoryBytes: result.memoryBytes };
  return { result, training, metrics, notes: result.notes };
}

async function trainElsewhere(
  order: DetectorOrder,
  command: readonly string[],
  material: Material,
  onProgress: Tell,
): Promise<Trained> {
  const { epochs, inputSize, batch, gate } = order.options;
  const { base, dataset, replay } = material;
  const result = await trainExternally({
    command,
    base,
    dataset,
    ...(replay && { replay }),
    folder: join(order.workFolder, 'external'),
    epochs,
    inputSize,
    batch,
    gate,
    threads: order.threads,
    onProgress,
  });
  return { result, training: null, metrics: { epoch: result.epoch }, notes: [] };
}

function factsOf(
  { name, version, partType, parent, base, sourceText, dataset: snapshot }: DetectorOrder,
  { base: bytes, dataset, replay }: Material,
  { report, pictures, skipped, dataset: hashes }: Trained['result'],
): Omit<DetectorFacts, 'training' | 'metrics'> {
  const { level, before, after, oldClasses, gate, curve } = report;
  const learnt = [...dataset.pictures, ...(replay?.pictures ?? [])].filter(({ split }) => split === 'train');
  return {
    name,
    version,
    partType,
    parent,
    base: { name: base.name, sha256: sha256Of(bytes) },
    level,
    dataset: {
      source: sourceText,
      count: pictures.learnt + pictures.replayed,
      skipped: dataset.skipped.length + skipped.length,
      sha256: hashes.replay === null ? hashes.sha256 : sha256Of(Buffer.from(`${hashes.sha256} ${hashes.replay}`)),
      heldOut: pictures.heldOut,
      boxes: learnt.reduce((sum, { boxes }) => sum + (boxes?.length ?? 0), 0),
      replayed: pictures.replayed,
      ...(snapshot && { snapshot }),
    },
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
