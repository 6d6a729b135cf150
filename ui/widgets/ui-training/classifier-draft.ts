import type { ClassifierTrainingOptions, Verdict } from '../../shared/types';
import { isWithin, type Range, shareOf, type Typed } from './number-field';

export const CLASSIFIER_SIZES = [96, 128, 160, 192, 224, 256, 288, 320, 384, 448, 512, 640] as const;

/** What the form of a classifier holds. */
export interface ClassifierDraft {
  fineTune: boolean;
  /** Classes a person has given a verdict. */
  verdicts: { name: string; verdict: Verdict }[];
  epochs: Typed;
  inputSize: Typed;
  learningRate: Typed;
  /** Percent. */
  augmentation: Typed;
  seed: Typed;
}

export function defaultClassifier(): ClassifierDraft {
  return { fineTune: false, verdicts: [], epochs: '', inputSize: '', learningRate: '', augmentation: '', seed: '' };
}

export const CLASSIFIER_RANGES = {
  epochs: { low: 1, high: 1000, whole: true },
  learningRate: { low: 0, high: 1, above: true },
  augmentation: { low: 0, high: 100 },
  seed: { low: 0, high: 4_294_967_295, whole: true },
} as const satisfies Readonly<Record<string, Range>>;
export type ClassifierField = keyof typeof CLASSIFIER_RANGES;

/** What is wrong with a draft; nothing when it can be sent. */
export function classifierErrors(draft: ClassifierDraft): readonly (ClassifierField | 'verdicts')[] {
  const fields = (Object.keys(CLASSIFIER_RANGES) as ClassifierField[]).filter(
    (field) => !isWithin(draft[field], CLASSIFIER_RANGES[field]),
  );
  const names = draft.verdicts.map(({ name }) => name.trim()).filter((name) => name !== '');
  return [...fields, ...(new Set(names).size < names.length ? (['verdicts'] as const) : [])];
}

/** @param backbone id; the station's default when absent. Undefined when nothing differs from the defaults. */
export function classifierOptions(draft: ClassifierDraft, backbone?: string): ClassifierTrainingOptions | undefined {
  const { epochs, inputSize, learningRate, augmentation, seed } = draft;
  const verdicts = draft.verdicts.flatMap(({ name, verdict }) =>
    name.trim() === '' ? [] : [[name.trim(), verdict] as const],
  );
  const options: ClassifierTrainingOptions = {
    ...(backbone !== undefined && { backbone }),
    ...(draft.fineTune && { fineTune: true }),
    ...(epochs !== '' && { epochs }),
    ...(inputSize !== '' && { inputSize }),
    ...(learningRate !== '' && { learningRate }),
    ...(augmentation !== '' && { augmentation: shareOf(augmentation) }),
    ...(seed !== '' && { seed }),
    ...(verdicts.length > 0 && { verdicts: Object.fromEntries(verdicts) }),
  };
  return Object.keys(options).length > 0 ? options : undefined;
}
