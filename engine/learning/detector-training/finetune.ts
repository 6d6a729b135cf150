import { totalmem } from 'node:os';
import { describeDetector } from '../../detector';
import { type JobProgress, type SkippedPicture, sha256Of } from '../../domain';
import { readModel } from '../../onnx';
import { type Candidate, candidateOf, fileOf } from './candidate';
import { classesFor } from './classes';
import type { DetectionDataset } from './dataset';
import { readFound, writeFound } from './found';
import { measure } from './hold-out';
import { type DetectorReport, judgeCandidate } from './judge';
import { type Material, readMaterial } from './material';
import { type FinetuneSettings, type FinetuneWishes, settingsFor } from './options';
import { FinetuneProgress } from './progress';
import { type Choice, type SearchOptions, searchSettings } from './search';
import { trainCandidate } from './train-candidate';

export interface Finetuning extends FinetuneWishes {
  /** The ONNX file of the detector to start from. */
  readonly base: Uint8Array;
  readonly dataset: DetectionDataset;
  /** Old pictures: as many of them as new ones are shown in each epoch, and what was known of them must not be forgotten. */
  readonly replay?: DetectionDataset;
  /** All classes of the new detector, in their order; `classesFor` says what they are by default. */
  readonly classes?: readonly string[];
  /** Look for level, learning rate and strength of augmentation first. */
  readonly search?: { readonly minutes: number };
  readonly gate?: { readonly tolerance?: number };
  /** Where an interrupted training goes on; made when it is not there, left for the caller to remove. */
  readonly checkpointFolder?: string;
  /** A checkpoint of another training there is an error, instead of being written over. */
  readonly strictResume?: boolean;
  /** Memory the training may take; by default six tenths of the machine's. */
  readonly memoryLimitBytes?: number;
  readonly threads: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: JobProgress) => void;
}

export interface FinetuneResult {
  /** The candidate's ONNX file, made whatever the gate says. */
  readonly model: Uint8Array;
  readonly classes: readonly string[];
  readonly report: DetectorReport;
  readonly settings: FinetuneSettings;
  /** The epoch whose weights were taken. */
  readonly epoch: number;
  readonly skipped: readonly SkippedPicture[];
  /** What went otherwise than wished. */
  readonly notes: readonly string[];
  /** As estimated before the start. */
  readonly memoryBytes: number;
  readonly pictures: { readonly learnt: number; readonly heldOut: number; readonly replayed: number };
  /** Hex SHA-256 of the data set, and of that of the old pictures. */
  readonly dataset: { readonly sha256: string; readonly replay: string | null };
}

const MEMORY_SHARE = 0.6;
/** Decoded pictures, and kept features, at most; and their share of the memory allowed. */
const CACHE_BYTES = 384 * 2 ** 20;
const CACHE_SHARE = 0.15;
const MEASUREMENTS = [3, 10] as const;
/** So many windows are learnt from for each held-out picture that is looked at. */
const WINDOWS_A_MEASURED_PICTURE = 8;

/**
 * Fine-tunes a detector on labelled pictures. Pictures of the split `train` are learnt, those of `val` are held out: they
 * choose the epoch whose weights are taken and tell whether the candidate is better than the model before.
 *
 * @throws {InvalidInput} for settings out of range
 * @throws {DetectorUnsupported} when the model is no detector, or its head is not known
 * @throws {NothingToLearn} without a labelled picture
 * @throws {CheckpointOfAnother} when the checkpoint is of another training, and that is an error
 * @throws {TrainingMemoryExceeded} when it would need more memory than it may take
 * @throws {UntrainableOperator} when not even the head can be trained
 * @throws whatever `signal` was aborted with
 */
export async function finetuneDetector(wishes: Finetuning): Promise<FinetuneResult> {
  const started = performance.now();
  const { base, dataset, replay, threads, signal, checkpointFolder } = wishes;
  const memoryLimitBytes = wishes.memoryLimitBytes ?? MEMORY_SHARE * totalmem();
  const cacheBytes = Math.min(CACHE_BYTES, CACHE_SHARE * memoryLimitBytes);
  const progress = new FinetuneProgress(wishes.search !== undefined, wishes.onProgress);
  const known = describeDetector(readModel(base)).classes;
  const classes = classesFor(known, dataset.classes, { replayed: replay !== undefined, wished: wishes.classes });
  const candidate = candidateOf(base, classes, wishes.seed ?? 1);
  const material = await readMaterial({
    ...{ dataset, replay, classes, size: candidate.size, cacheBytes, signal },
    onProgress: (share) => progress.at('read', share),
  });
  const { fresh, heldOut, oldHeldOut } = material;
  const shown = fresh.pictures.length * (material.replay ? 2 : 1);
  const limits = { threads, cacheBytes, memoryLimitBytes, signal };
  const forgotten = known.filter((label) => !classes.includes(label));
  const notes =
    forgotten.length === 0
      ? []
      : [
          `No longer known: ${forgotten.join(', ')}. The data set shows none of them; old pictures to replay keep them.`,
        ];
  const found = await searched(candidate, material, wishes, {
    ...{ ...limits, classes },
    onProgress: (share) => progress.at('search', share),
  });
  notes.push(...found.notes);
  const served = Math.max(candidate.size.width, candidate.size.height);
  const settings = settingsFor({ ...wishes, ...found.choice }, shown, served);
  progress.know({ epochs: settings.epochs });

  const trained = await trainCandidate(candidate, {
    ...limits,
    ...{ settings, fresh, replay: material.replay },
    checkpoints: checkpointFolder
      ? {
          folder: checkpointFolder,
          fingerprint: fingerprintOf(base, dataset, replay, classes, settings),
          strict: wishes.strictResume,
        }
      : null,
    measurements: measurementsFor(shown * settings.epochs, heldOut.length),
    measure:
      heldOut.length === 0
        ? null
        : async (weights) =>
            (await measure(fileOf(candidate, weights), heldOut, classes, { threads, resamples: 0, signal })).map50,
    onOpened: ({ memoryBytes }) => progress.know({ memoryBytes }),
    onResumed: (epoch) => notes.push(`Went on after epoch ${epoch} of an interrupted training.`),
    onStep: (share, epoch, curve) => progress.at('train', share, { epoch, curve }),
  });
  const model = fileOf(candidate, trained.weights);

  const { figures, skipped: unread } = await judgeCandidate({
    ...{ base, candidate: model, known, classes, heldOut, oldHeldOut, threads, signal },
    tolerance: wishes.gate?.tolerance,
    onProgress: (share) => progress.at('evaluate', share),
  });
  progress.at('gate', 1);
  return {
    model,
    classes,
    report: {
      kind: 'detector',
      level: trained.settings.level,
      ...figures,
      curve: trained.curve,
      seconds: Math.round((performance.now() - started) / 100) / 10,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    },
    settings: trained.settings,
    epoch: trained.epoch,
    skipped: [...material.skipped, ...unread.filter(({ name }) => !material.skipped.some((one) => one.name === name))],
    notes: [...trained.notes, ...notes],
    memoryBytes: trained.memoryBytes,
    pictures: {
      learnt: fresh.pictures.length,
      heldOut: figures.after.pictures,
      replayed: material.replay?.pictures.length ?? 0,
    },
    dataset: { sha256: dataset.sha256, replay: replay?.sha256 ?? null },
  };
}

/** How often held-out pictures are looked at on the way: where they are many, less often, or it would take most of the time. */
function measurementsFor(windows: number, heldOut: number): number {
  const affordable = Math.floor(windows / (WINDOWS_A_MEASURED_PICTURE * Math.max(1, heldOut)));
  return Math.min(Math.max(affordable, MEASUREMENTS[0]), MEASUREMENTS[1]);
}

/** The settings a search finds, when one is wished; an interrupted training that goes on does not search again. */
async function searched(
  candidate: Candidate,
  material: Material,
  wishes: Finetuning,
  options: Omit<SearchOptions, 'minutes'>,
): Promise<{ readonly choice: Choice | null; readonly notes: readonly string[] }> {
  const { search, checkpointFolder, base, dataset } = wishes;
  if (search === undefined) return { choice: null, notes: [] };
  const key = sha256Of(Buffer.from(JSON.stringify([sha256Of(base), dataset.sha256, search])));
  const known = checkpointFolder && (await readFound(checkpointFolder, key));
  const choice = known || (await searchSettings(candidate, material, wishes, { ...options, ...search })).choice;
  if (choice === null) return { choice, notes: ['There were too few pictures, or too little time, to search.'] };
  if (checkpointFolder) await writeFound(checkpointFolder, key, choice);
  const { level, learningRate, augmentation } = choice;
  return {
    choice,
    notes: [`The search chose level ${level}, learning rate ${learningRate}, augmentation ${augmentation}.`],
  };
}

/** What a checkpoint must have been made with to be gone on from. */
function fingerprintOf(
  base: Uint8Array,
  dataset: DetectionDataset,
  replay: DetectionDataset | undefined,
  classes: readonly string[],
  settings: FinetuneSettings,
): string {
  const parts = [sha256Of(base), dataset.sha256, replay?.sha256 ?? null, classes, settings];
  return sha256Of(Buffer.from(JSON.stringify(parts)));
}
