import type { CurvePoint } from '../../domain';
import { type AdamW, type NamedValues, readCheckpoint, saveCheckpoint, type WeightAverage } from '../trainer';
import { CheckpointOfAnother } from './errors';

/** Where a training stands after an epoch, beside its weights. */
export interface LoopState {
  readonly epoch: number;
  readonly curve: readonly CurvePoint[];
  /** The averaged weights that found most on the held-out pictures so far. */
  readonly best: {
    readonly epoch: number;
    readonly map50: number;
    readonly weights: ReadonlyMap<string, Float32Array>;
  } | null;
}

/** Where a training can go on. */
export interface Checkpoints {
  readonly folder: string;
  /** A checkpoint of another training is not gone on from. */
  readonly fingerprint: string;
  /** A checkpoint of another training is an error, instead of being written over. */
  readonly strict?: boolean;
}

/** What changes in a training: weights in use, the optimiser's memory, the average. */
export interface Moving {
  readonly values: readonly NamedValues[];
  readonly optimiser: AdamW;
  readonly average: WeightAverage;
}

interface Facts {
  readonly fingerprint: string;
  readonly epoch: number;
  readonly curve: readonly CurvePoint[];
  readonly best: { readonly epoch: number; readonly map50: number } | null;
  readonly steps: number;
  readonly updates: number;
}

export async function writeLoopState(
  { folder, fingerprint }: Checkpoints,
  { epoch, curve, best }: LoopState,
  { values, optimiser, average }: Moving,
): Promise<void> {
  const { steps, means, squares } = optimiser.state();
  const { updates, averages } = average.state();
  const facts: Facts = {
    fingerprint,
    epoch,
    curve,
    best: best && { epoch: best.epoch, map50: best.map50 },
    steps,
    updates,
  };
  await saveCheckpoint(folder, {
    facts,
    arrays: Object.fromEntries([
      ...values.map(({ name, data }) => [`value ${name}`, data]),
      ...means.map((data, index) => [`mean ${index}`, data]),
      ...squares.map((data, index) => [`square ${index}`, data]),
      ...averages.map((data, index) => [`average ${index}`, data]),
      ...[...(best?.weights ?? [])].map(([name, data]) => [`best ${name}`, data]),
    ]),
  });
}

/**
 * Puts everything back to where the last checkpoint stood; null, and nothing changed, when there is none of this training.
 *
 * @throws {CheckpointOfAnother} when it is one of another training, where that matters
 */
export async function readLoopState(
  { folder, fingerprint, strict = false }: Checkpoints,
  { values, optimiser, average }: Moving,
): Promise<LoopState | null> {
  const checkpoint = await readCheckpoint<Facts>(folder);
  if (checkpoint === null) return null;
  if (checkpoint.facts.fingerprint !== fingerprint) {
    if (strict) throw new CheckpointOfAnother(folder);
    return null;
  }
  const { facts, arrays } = checkpoint;
  const all = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => arrays[`${prefix} ${index}`]);
  const { means } = optimiser.state();
  optimiser.restore({ steps: facts.steps, means: all('mean', means.length), squares: all('square', means.length) });
  average.restore({ updates: facts.updates, averages: all('average', values.length) });
  for (const { name, data } of values) data.set(arrays[`value ${name}`]);
  const weights = new Map(values.map(({ name }) => [name, arrays[`best ${name}`]]));
  return { epoch: facts.epoch, curve: facts.curve, best: facts.best && { ...facts.best, weights } };
}
