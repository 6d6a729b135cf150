import { type Candidate, openPart } from './candidate';
import { TrainingMemoryExceeded } from './errors';
import { featureBytesOf } from './features';
import type { LearningPart } from './learning-part';
import type { FinetuneSettings, TrainedLevel } from './options';
import { type LoopOptions, type LoopResult, trainPart } from './training-loop';

export interface CandidateTraining
  extends Pick<
    LoopOptions,
    'fresh' | 'replay' | 'measure' | 'measurements' | 'checkpoints' | 'signal' | 'onStep' | 'onResumed'
  > {
  readonly settings: FinetuneSettings;
  readonly threads: number;
  /** Features of the frozen part that are kept, at most. */
  readonly cacheBytes: number;
  readonly memoryLimitBytes: number;
  /** Called before the first step. */
  readonly onOpened?: (opened: {
    readonly level: TrainedLevel;
    readonly batch: number;
    readonly memoryBytes: number;
  }) => void;
}

export interface TrainedCandidate extends LoopResult {
  /** As they were in the end. */
  readonly settings: FinetuneSettings;
  readonly memoryBytes: number;
  /** What went otherwise than wished. */
  readonly notes: readonly string[];
}

/** What the runtime, the libraries and the measuring of a candidate take beside the training itself. */
const RUNTIME_BYTES = 300 * 2 ** 20;
/** AdamW's two moments, the average and the best weights so far. */
const COPIES_OF_WEIGHTS = 4;

/**
 * Trains a candidate at the level wished, or at the one possible, within the memory allowed.
 *
 * @throws {TrainingMemoryExceeded} when even a batch of one picture needs more
 * @throws {UntrainableOperator} when not even the head can be trained
 */
export async function trainCandidate(candidate: Candidate, training: CandidateTraining): Promise<TrainedCandidate> {
  const { part, settings, notes, memoryBytes } = await openWithin(candidate, training);
  const { level, batch } = settings;
  training.onOpened?.({ level, batch, memoryBytes });
  try {
    const featureBytes = level === 'head' ? training.cacheBytes : 0;
    const result = await trainPart(part, candidate.head, { ...training, settings, featureBytes });
    return { ...result, settings, memoryBytes, notes };
  } finally {
    await part.close();
  }
}

/** Halves what passes at once until it fits. */
async function openWithin(
  candidate: Candidate,
  { settings: wished, threads, fresh, replay, cacheBytes, memoryLimitBytes }: CandidateTraining,
) {
  const notes: string[] = [];
  const groups = replay === null ? [fresh] : [fresh, replay];
  const pixels = groups.reduce((sum, { store }) => sum + store.keptBytes, 0);
  const shown = groups.reduce((sum, { pictures }) => sum + pictures.length, 0);
  for (let batch = wished.batch; ; batch = Math.floor(batch / 2)) {
    const { part, level, fellBack } = await openPart(candidate, { ...wished, batch }, threads);
    const features = level === 'head' ? Math.min(cacheBytes, featureBytesOf(part, shown, wished.epochs)) : 0;
    const memoryBytes = needed(part) + pixels + features;
    if (memoryBytes > memoryLimitBytes) {
      await part.close();
      if (part.pictures === 1) throw new TrainingMemoryExceeded(memoryBytes, memoryLimitBytes);
      continue;
    }
    if (fellBack !== null) notes.push(`Only the head was trained. ${fellBack.message}`);
    if (batch < wished.batch)
      notes.push(`${batch} pictures a step instead of ${wished.batch}, to stay within the memory.`);
    return { part, settings: { ...wished, level, batch }, notes, memoryBytes };
  }
}

function needed({ session }: LearningPart): number {
  const weights = session.parameters.reduce((sum, { data }) => sum + data.byteLength, 0);
  return session.memoryBytes + COPIES_OF_WEIGHTS * weights + RUNTIME_BYTES;
}
