import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Dataset, type DatasetPicture, writeYolo } from '../../datasets';
import { describeDetector } from '../../detector';
import { InspectionError, type JobProgress, type SkippedPicture } from '../../domain';
import { readModel } from '../../onnx';
import type { DetectorReport } from '../detector-training';
import { classesFor } from '../detector-training/classes';
import { labelled } from '../detector-training/dataset';
import { NothingToLearn } from '../detector-training/errors';
import { judgeCandidate } from '../detector-training/judge';
import { FinetuneProgress } from '../detector-training/progress';
import { type CommandValues, fillCommand } from './command';
import { ExternalModelUnusable, ExternalTrainerLeftNothing } from './errors';
import { outputOf, runProgram } from './run-program';

export interface ExternalTraining {
  /** Program and arguments, with `{data}`, `{out}` and so on. */
  readonly command: readonly string[];
  /** The ONNX file of the detector to compare with. */
  readonly base: Uint8Array;
  readonly dataset: Dataset;
  /** Old pictures: learnt with the new ones, and what was known of them must not be forgotten. */
  readonly replay?: Dataset;
  /** A folder of its own; made, and removed at the end. */
  readonly folder: string;
  /** 100 unless told. */
  readonly epochs?: number;
  /** Side of the network's input in pixels; that of `base` unless told, 640 where it has none. */
  readonly inputSize?: number;
  /** 16 unless told. */
  readonly batch?: number;
  readonly gate?: { readonly tolerance?: number };
  /** Without output and without a new epoch for so long the trainer is ended; 1800 unless told. */
  readonly patienceSeconds?: number;
  /** For measuring. */
  readonly threads: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: JobProgress) => void;
}

/** The same as of the built-in trainer, as far as an external one tells it. */
export interface ExternalResult {
  readonly model: Uint8Array;
  /** In the order of the model. */
  readonly classes: readonly string[];
  readonly report: DetectorReport;
  readonly settings: { readonly epochs: number; readonly inputSize: number; readonly batch: number };
  /** Epochs it told of. */
  readonly epoch: number;
  readonly skipped: readonly SkippedPicture[];
  readonly pictures: { readonly learnt: number; readonly heldOut: number; readonly replayed: number };
  readonly dataset: { readonly sha256: string; readonly replay: string | null };
}

const EPOCHS = 100;
const INPUT_SIZE = 640;
const BATCH = 16;
const PATIENCE_SECONDS = 1800;

/**
 * Trains a detector with another program (docs/external-trainer.md): writes the dataset as YOLO, runs the command, takes the
 * ONNX file it leaves, and lets it pass the gate of the built-in trainer, measured here on the same held-out pictures.
 *
 * @throws {InvalidInput} for a command that cannot be filled in
 * @throws {NothingToLearn} without a labelled picture
 * @throws {ExternalTrainerNotStarted | ExternalTrainerFailed | ExternalTrainerHung | ExternalTrainerLeftNothing |
 *   ExternalModelUnusable}
 * @throws whatever `signal` was aborted with
 */
export async function trainExternally(training: ExternalTraining): Promise<ExternalResult> {
  const started = performance.now();
  const { command, base, dataset, replay, folder, signal } = training;
  const before = describeDetector(readModel(base));
  const classes = classesFor(before.classes, dataset.classes, { replayed: replay !== undefined });
  const settings = {
    epochs: training.epochs ?? EPOCHS,
    inputSize: training.inputSize ?? before.input.width ?? INPUT_SIZE,
    batch: training.batch ?? BATCH,
  };
  const { learnt, replayed, pictures } = picturesFor(dataset, replay, classes);
  if (learnt === 0) throw new NothingToLearn(dataset.skipped.length);
  const progress = new FinetuneProgress(false, training.onProgress);
  progress.know({ epochs: settings.epochs });
  try {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const values = valuesFor(folder, settings);
    const filled = fillCommand(command, values);
    progress.at('read', 0);
    await writeFile(values.base, base);
    await writeYolo({ kind: 'detection', classes, pictures }, join(folder, 'dataset'), { pictures: 'link' });
    progress.at('train', 0);
    const curve = await runProgram({
      ...filled,
      folder,
      results: values.results,
      patienceSeconds: training.patienceSeconds ?? PATIENCE_SECONDS,
      onEpochs: (points) =>
        progress.at('train', Math.min(1, points.length / settings.epochs), { epoch: points.length, curve: points }),
      signal,
    });
    const model = await readFile(values.out).catch(() => Buffer.alloc(0));
    if (model.length === 0) throw new ExternalTrainerLeftNothing(await outputOf(folder));
    const found = classesOf(model, classes);
    const { figures, skipped } = await judgeCandidate({
      ...{ base, candidate: model, known: before.classes, classes, threads: training.threads, signal },
      heldOut: labelled(dataset, 'val'),
      oldHeldOut: labelled(replay, 'val'),
      tolerance: training.gate?.tolerance,
      onProgress: (share) => progress.at('evaluate', share),
      unusable: (error) => (error instanceof InspectionError ? new ExternalModelUnusable(error.message, error) : error),
    });
    progress.at('gate', 1);
    return {
      model,
      classes: found,
      report: {
        kind: 'detector',
        level: 'external',
        ...figures,
        curve,
        seconds: secondsSince(started),
        peakMemoryBytes: null,
      },
      settings,
      epoch: curve.length,
      skipped,
      pictures: { learnt, heldOut: figures.after.pictures, replayed },
      dataset: { sha256: dataset.sha256, replay: replay?.sha256 ?? null },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function valuesFor(folder: string, settings: ExternalResult['settings']): CommandValues {
  return {
    data: join(folder, 'dataset', 'data.yaml'),
    out: join(folder, 'model.onnx'),
    results: join(folder, 'results'),
    base: join(folder, 'base.onnx'),
    epochs: settings.epochs,
    imgsz: settings.inputSize,
    batch: settings.batch,
  };
}

/** Old pictures are learnt with the new ones; what is held out of them stays here. */
function picturesFor(dataset: Dataset, replay: Dataset | undefined, classes: readonly string[]) {
  const isUsed = ({ boxes, split }: DatasetPicture) => boxes !== null && split !== 'test';
  const fresh = dataset.pictures.filter(isUsed);
  const old = (replay?.pictures ?? []).filter((picture) => isUsed(picture) && picture.split === 'train');
  return {
    learnt: fresh.filter(({ split }) => split === 'train').length,
    replayed: old.length,
    pictures: [
      ...fresh,
      ...old.map((picture) => ({
        ...picture,
        id: `replay/${picture.id}`,
        boxes: (picture.boxes ?? []).filter(({ label }) => classes.includes(label)),
      })),
    ],
  };
}

/** The classes of a model that a trainer left. @throws {ExternalModelUnusable} */
function classesOf(model: Uint8Array, wanted: readonly string[]): readonly string[] {
  let classes: readonly string[];
  try {
    ({ classes } = describeDetector(readModel(model)));
  } catch (error) {
    if (error instanceof InspectionError) throw new ExternalModelUnusable(error.message, error);
    throw new ExternalModelUnusable('It is no ONNX file.', error);
  }
  if ([...classes].sort().join('\n') === [...wanted].sort().join('\n')) return classes;
  throw new ExternalModelUnusable(`It knows ${classes.join(', ')}, and the dataset has ${wanted.join(', ')}.`);
}

function secondsSince(started: number): number {
  return Math.round((performance.now() - started) / 100) / 10;
}
