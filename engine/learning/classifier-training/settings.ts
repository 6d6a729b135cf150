import { type ClassifierTrainingOptions, InvalidInput, type Verdict } from '../../domain';
import type { AugmentationWishes } from '../../imaging';

export interface ClassifierSettings {
  readonly fineTune: boolean;
  readonly epochs: number;
  readonly learningRate: number;
  readonly inputSize: number;
  readonly seed: number;
  readonly augmentation: number;
}

const LINEAR = { epochs: 200, learningRate: 0.02 };
const FINE_TUNED = { epochs: 20, learningRate: 0.0005 };
const INPUT_SIZE = 288;
const AUGMENTATION = 0.3;

/** What the options say, or their defaults. @throws {InvalidInput} for one out of its range */
export function settingsOf(options: ClassifierTrainingOptions): ClassifierSettings {
  const { fineTune = false, inputSize = INPUT_SIZE, seed = 1, augmentation = AUGMENTATION } = options;
  const defaults = fineTune ? FINE_TUNED : LINEAR;
  const { epochs = defaults.epochs, learningRate = defaults.learningRate } = options;
  refuse('epochs', epochs, Number.isInteger(epochs) && epochs >= 1 && epochs <= 1000, 'a whole number from 1 to 1000');
  refuse('learningRate', learningRate, learningRate > 0 && learningRate <= 1, 'a number above 0 and at most 1');
  const isSide = Number.isInteger(inputSize) && inputSize >= 64 && inputSize <= 1024 && inputSize % 32 === 0;
  refuse('inputSize', inputSize, isSide, 'a multiple of 32 from 64 to 1024');
  refuse('seed', seed, Number.isInteger(seed) && seed >= 0, 'a whole number from 0');
  refuse('augmentation', augmentation, augmentation >= 0 && augmentation <= 1, 'a number from 0 to 1');
  return { fineTune, epochs, learningRate, inputSize, seed, augmentation };
}

/** How the layer is learnt where the settings are those of a whole network. */
export function linearSettings(settings: ClassifierSettings): ClassifierSettings {
  return { ...settings, ...LINEAR, fineTune: false };
}

/** Mirror images are left out: which way round a part lies can be what tells classes apart. */
export function wishesOf(augmentation: number): AugmentationWishes {
  return { flip: false, rotation: 10 * augmentation, light: 0.4 * augmentation, shift: 0.1 * augmentation };
}

/** Classes that mean a good part, where nothing else is said. */
const GOOD = new Set(['good', 'ok']);

/**
 * What each class means for a part: as told, otherwise OK for `good` and `ok`, NG for all others.
 *
 * @throws {InvalidInput} when something is said of a class that is not there
 */
export function verdictsOf(
  classes: readonly string[],
  told: Readonly<Record<string, Verdict>> = {},
): Record<string, Verdict> {
  const unknown = Object.keys(told).find((label) => !classes.includes(label));
  if (unknown !== undefined) {
    throw new InvalidInput(`A verdict is given for ${unknown}, and the classes are ${classes.join(', ')}.`, {
      label: unknown,
    });
  }
  return Object.fromEntries(
    classes.map((label) => [label, told[label] ?? (GOOD.has(label.toLowerCase()) ? 'OK' : 'NG')]),
  );
}

function refuse(option: string, value: number, holds: boolean, range: string): void {
  if (!holds) throw new InvalidInput(`${option} must be ${range}, not ${value}.`, { option });
}
