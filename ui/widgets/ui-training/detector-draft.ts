import type { DetectorTrainingOptions } from '../../shared/types';
import { isWithin, type Range, shareOf, type Typed } from './number-field';

export const LEVELS = ['head', 'neck', 'full'] as const;
export type Level = (typeof LEVELS)[number];
export const BASES = ['deployed', 'starter', 'file'] as const;

/** The sides offered; any multiple of 32 would do. */
export const INPUT_SIZES = [128, 192, 256, 320, 384, 448, 512, 640, 800, 960, 1280] as const;

/** What the form of a detector holds: numbers as they were typed, percentages as percent. */
export interface DetectorDraft {
  level: Level;
  epochs: Typed;
  base: (typeof BASES)[number];
  baseFile: string;
  replay: string;
  inputSize: Typed;
  useSearch: boolean;
  searchMinutes: Typed;
  trainer: 'built-in' | 'external';
  batch: Typed;
  learningRate: Typed;
  /** Percent. */
  augmentation: Typed;
  seed: Typed;
  /** Percentage points of mAP50. */
  tolerance: Typed;
}

export function defaultDetector(): DetectorDraft {
  return {
    level: 'neck',
    epochs: '',
    base: 'deployed',
    baseFile: '',
    replay: '',
    inputSize: '',
    useSearch: false,
    searchMinutes: 10,
    trainer: 'built-in',
    batch: '',
    learningRate: '',
    augmentation: '',
    seed: '',
    tolerance: '',
  };
}

export const DETECTOR_RANGES = {
  epochs: { low: 1, high: 1000, whole: true },
  searchMinutes: { low: 1, high: 1440 },
  batch: { low: 1, high: 64, whole: true },
  learningRate: { low: 0, high: 0.1, above: true },
  augmentation: { low: 0, high: 100 },
  seed: { low: 0, high: 4_294_967_295, whole: true },
  tolerance: { low: 0, high: 100 },
} as const satisfies Readonly<Record<string, Range>>;
export type DetectorField = keyof typeof DETECTOR_RANGES;

/** What is wrong with a draft; nothing when it can be sent. */
export function detectorErrors(draft: DetectorDraft): readonly (DetectorField | 'baseFile')[] {
  const fields = (Object.keys(DETECTOR_RANGES) as DetectorField[]).filter((field) => {
    if (field === 'searchMinutes' && (!draft.useSearch || draft.trainer === 'external')) return false;
    if (field === 'searchMinutes' && draft.searchMinutes === '') return true;
    return !isWithin(draft[field], DETECTOR_RANGES[field]);
  });
  return [...fields, ...(draft.base === 'file' && draft.baseFile.trim() === '' ? (['baseFile'] as const) : [])];
}

/** @param deployed whether a detector of the part type is in production: else the starter is the default already */
export function detectorOptions(draft: DetectorDraft, deployed: boolean): DetectorTrainingOptions {
  const { level, epochs, inputSize, batch, learningRate, augmentation, seed, tolerance, searchMinutes } = draft;
  const external = draft.trainer === 'external';
  const search = draft.useSearch && !external;
  return {
    level,
    ...(epochs !== '' && { epochs }),
    ...(inputSize !== '' && { inputSize }),
    ...(batch !== '' && { batch }),
    ...(learningRate !== '' && !search && { learningRate }),
    ...(augmentation !== '' && !search && { augmentation: shareOf(augmentation) }),
    ...(seed !== '' && { seed }),
    ...(draft.base === 'file' && { base: draft.baseFile.trim() }),
    ...(draft.base === 'starter' && deployed && { base: 'starter' }),
    ...(draft.replay.trim() !== '' && { replay: draft.replay.trim() }),
    ...(search && searchMinutes !== '' && { search: { minutes: searchMinutes } }),
    ...(external && { trainer: 'external' as const }),
    ...(tolerance !== '' && { gate: { tolerance: shareOf(tolerance) } }),
  };
}
