import type { DetectHead } from '../../detector';
import type { CurvePoint } from '../../domain';
import { AdamW, learningRateAt, WeightAverage } from '../trainer';
import { partsFor } from './draw-window';
import { Features } from './features';
import type { LearningPart } from './learning-part';
import { type Checkpoints, type LoopState, readLoopState, writeLoopState } from './loop-state';
import type { FinetuneSettings } from './options';
import { framesOf, type SampleGroup, type Turn, turnsOf } from './samples';
import { accumulate, type Chunk } from './training-step';

export interface LoopOptions {
  readonly settings: FinetuneSettings;
  readonly fresh: SampleGroup;
  readonly replay: SampleGroup | null;
  /** Memory that features of the frozen part may take; 0: none are kept. */
  readonly featureBytes: number;
  /** mAP50 with these weights on held-out pictures; null when none are held out. */
  readonly measure: ((weights: ReadonlyMap<string, Float32Array>) => Promise<number>) | null;
  /** How often the held-out pictures are looked at, 10 times unless told; after the last epoch in any case. */
  readonly measurements?: number;
  /** Null: none. */
  readonly checkpoints: Checkpoints | null;
  readonly signal?: AbortSignal;
  readonly onResumed?: (epoch: number) => void;
  /** @param share of the loop that is done, 0..1 */
  readonly onStep?: (share: number, epoch: number, curve: readonly CurvePoint[]) => void;
}

export interface LoopResult {
  /** Averaged weights of the epoch that found most on the held-out pictures; of the last one without any. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly epoch: number;
  readonly curve: readonly CurvePoint[];
}

const WEIGHT_DECAY = 5e-4;
/** Largest norm of a step's gradient. */
const CLIP = 10;
/** The learning rate falls to this share of its peak. */
const FLOOR = 0.02;
/** Share of the steps in which the learning rate rises. */
const WARM_UP = 0.05;
/** Steps an average goes back, at most. */
const AVERAGE_LIMIT = 5000;
const MEASUREMENTS = 10;
/** Share of the epochs at the end without mosaics: the network shall end with what it will see. */
const UNMIXED = 0.15;

/**
 * Trains the part: AdamW with decoupled weight decay, warm-up and cosine, an average of the weights. The same seed and pictures
 * give the same weights, whether it went through or was interrupted and resumed.
 *
 * @throws whatever `signal` was aborted with
 */
export async function trainPart(part: LearningPart, head: DetectHead, options: LoopOptions): Promise<LoopResult> {
  const { settings, fresh, replay, measure, checkpoints, signal, onStep } = options;
  const { epochs, seed, inputSize: side } = settings;
  const optimiser = new AdamW(part.session.parameters, { weightDecay: WEIGHT_DECAY, clipNorm: CLIP });
  const { values } = part.session;
  const steps = epochs * batchesOf(turnsOf(fresh, replay, seed, 1), settings.batch, part.pictures).length;
  const average = new WeightAverage(values, averageOver(steps));
  const moving = { values, optimiser, average };
  const rates = {
    warmUp: Math.ceil(WARM_UP * steps),
    peak: settings.learningRate,
    floor: FLOOR * settings.learningRate,
  };
  const features = new Features(
    part,
    { side, strength: settings.augmentation, parts: partsFor(framesOf(fresh), side), seed },
    part.hasTrunk ? options.featureBytes : 0,
  );
  const resumed = checkpoints && (await readLoopState(checkpoints, moving));
  if (resumed) options.onResumed?.(resumed.epoch);
  let state: LoopState = resumed ?? { epoch: 0, curve: [], best: null };
  for (let epoch = state.epoch + 1; epoch <= epochs; epoch += 1) {
    const batches = batchesOf(turnsOf(fresh, replay, seed, epoch), settings.batch, part.pictures);
    const isLast = epoch > epochs * (1 - UNMIXED);
    let loss = 0;
    for (const [index, turns] of batches.entries()) {
      signal?.throwIfAborted();
      const step = (epoch - 1) * batches.length + index;
      loss += await accumulate(
        part,
        head,
        chunksOf(turns, part.pictures, (some) => features.of(some, epoch, isLast)),
      );
      optimiser.step(learningRateAt({ step, steps, ...rates }));
      average.update();
      onStep?.((step + 1) / steps, epoch - 1, state.curve);
    }
    state = await ended(
      epoch,
      loss / batches.length,
      state,
      average,
      isMeasured(epoch, epochs, options.measurements) ? measure : null,
    );
    onStep?.(epoch / epochs, epoch, state.curve);
    if (checkpoints) await writeLoopState(checkpoints, state, moving);
  }
  const best = state.best ?? { epoch: epochs, weights: copied(average.weights) };
  return { weights: best.weights, epoch: best.epoch, curve: state.curve };
}

/** What is known after an epoch. */
async function ended(
  epoch: number,
  loss: number,
  before: LoopState,
  average: WeightAverage,
  measure: LoopOptions['measure'],
): Promise<LoopState> {
  if (measure === null) return { ...before, epoch, curve: [...before.curve, { epoch, loss }] };
  const weights = copied(average.weights);
  const map50 = await measure(weights);
  const isBest = before.best === null || map50 >= before.best.map50;
  return {
    epoch,
    curve: [...before.curve, { epoch, loss, map50 }],
    best: isBest ? { epoch, map50, weights } : before.best,
  };
}

function isMeasured(epoch: number, epochs: number, measurements = MEASUREMENTS): boolean {
  const every = Math.max(1, Math.round(epochs / measurements));
  return epoch === epochs || epoch % every === 0;
}

/** Batches of turns; where only whole ones pass, the last is filled up from the beginning. */
function batchesOf(turns: readonly Turn[], batch: number, pictures: number): Turn[][] {
  const filled = [...turns];
  for (let place = 0; filled.length % pictures !== 0; place += 1) filled.push(turns[place % turns.length]);
  const size = Math.max(1, Math.round(batch / pictures)) * pictures;
  return Array.from({ length: Math.ceil(filled.length / size) }, (_, index) =>
    filled.slice(index * size, (index + 1) * size),
  );
}

async function* chunksOf(
  turns: readonly Turn[],
  size: number,
  load: (turns: readonly Turn[]) => Promise<Chunk>,
): AsyncGenerator<Chunk> {
  for (let start = 0; start < turns.length; start += size) yield load(turns.slice(start, start + size));
}

function copied(weights: ReadonlyMap<string, Float32Array>): Map<string, Float32Array> {
  return new Map([...weights].map(([name, data]) => [name, data.slice()]));
}

/** An average over the last twentieth of the steps, less in the beginning. */
function averageOver(steps: number): { readonly decay: number; readonly ramp: number } {
  return { decay: 1 - Math.max(1 / AVERAGE_LIMIT, Math.min(0.5, 20 / steps)), ramp: Math.max(1, steps / 10) };
}
