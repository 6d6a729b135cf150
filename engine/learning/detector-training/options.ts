import { InvalidInput } from '../../domain';

/** What is trained: the class outputs, the layers that join the strides as well, or all layers. */
export type TrainedLevel = 'head' | 'neck' | 'full';

/** How a detector is fine-tuned; every value is set. */
export interface FinetuneSettings {
  readonly level: TrainedLevel;
  readonly epochs: number;
  /** Side of the windows learnt from, in pixels: a multiple of 32. */
  readonly inputSize: number;
  /** Windows a step. */
  readonly batch: number;
  /** The highest. */
  readonly learningRate: number;
  /** 0..1 */
  readonly augmentation: number;
  readonly seed: number;
}

export type FinetuneWishes = { readonly [Key in keyof FinetuneSettings]?: FinetuneSettings[Key] };

export const LEVELS: readonly TrainedLevel[] = ['head', 'neck', 'full'];
const DEFAULT_WINDOW = 320;
const DEFAULT_BATCH = 4;
/** By level, unless wished otherwise. */
export const LEARNING_RATES: Readonly<Record<TrainedLevel, number>> = { head: 4e-3, neck: 2e-3, full: 2e-3 };
/** Windows learnt from, by default, however few pictures there are. */
const WINDOWS: Readonly<Record<TrainedLevel, number>> = { head: 2400, neck: 6000, full: 9600 };
const EPOCHS = [20, 300] as const;

/**
 * Fills in what is not wished. Without a wish for the epochs there are as many as show the network a fixed number of
 * windows, so that thirty pictures are seen more often than three hundred.
 *
 * @param pictures to learn from, replayed ones included
 * @param served   side of the detector's input, in pixels
 * @throws {InvalidInput} for values out of range
 */
export function settingsFor(wishes: FinetuneWishes, pictures: number, served: number): FinetuneSettings {
  const { level = 'neck' } = wishes;
  const balanced = Math.round(WINDOWS[level] / Math.max(1, pictures));
  const settings = {
    level,
    epochs: wishes.epochs ?? Math.min(Math.max(balanced, EPOCHS[0]), EPOCHS[1]),
    inputSize: wishes.inputSize ?? Math.min(DEFAULT_WINDOW, served),
    batch: wishes.batch ?? DEFAULT_BATCH,
    learningRate: wishes.learningRate ?? LEARNING_RATES[level],
    augmentation: wishes.augmentation ?? 0.5,
    seed: wishes.seed ?? 1,
  };
  if (!LEVELS.includes(level)) throw new InvalidInput(`The level is head, neck or full, not ${JSON.stringify(level)}.`);
  requireWhole('number of epochs', settings.epochs, 1, 1000);
  requireWhole('batch', settings.batch, 1, 64);
  requireWhole('seed', settings.seed, 0, 2 ** 32);
  requireWhole('input size', settings.inputSize, 64, 1280);
  if (settings.inputSize % 32 !== 0)
    throw new InvalidInput(`The input size while training is a multiple of 32, not ${settings.inputSize}.`);
  requireRange('learning rate', settings.learningRate, 0.1);
  if (settings.learningRate === 0) throw new InvalidInput('With a learning rate of 0 nothing is learnt.');
  requireRange('augmentation', settings.augmentation, 1);
  return settings;
}

function requireWhole(what: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new InvalidInput(`The ${what} is a whole number from ${least} to ${most}, not ${value}.`);
}

function requireRange(what: string, value: number, most: number): void {
  if (!(value >= 0 && value <= most))
    throw new InvalidInput(`The ${what} is a number from 0 to ${most}, not ${value}.`);
}
