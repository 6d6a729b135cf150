import type { TrainingRequest } from '../../shared/types';
import { isWithin, type Range, shareOf, type Typed } from './number-field';

/** What becomes of a version: the gate decides, a person, or nobody. */
export const FINISHES = ['gate', 'manual', 'never'] as const;

/** What the form holds of the end of a training, and of its place in the queue. */
export interface FinishDraft {
  policy: (typeof FINISHES)[number];
  /** Percentage points. */
  maxWorse: Typed;
  priority: Typed;
}

export function defaultFinish(): FinishDraft {
  return { policy: 'gate', maxWorse: '', priority: '' };
}

export const FINISH_RANGES = {
  maxWorse: { low: 0, high: 100 },
  priority: { low: -10, high: 10, whole: true },
} as const satisfies Readonly<Record<string, Range>>;
export type FinishField = keyof typeof FINISH_RANGES;

/** What is wrong with a draft; nothing when it can be sent. */
export function finishErrors(draft: FinishDraft): readonly FinishField[] {
  return (Object.keys(FINISH_RANGES) as FinishField[]).filter((field) => {
    if (field === 'maxWorse' && draft.policy !== 'gate') return false;
    return !isWithin(draft[field], FINISH_RANGES[field]);
  });
}

export function finishOf({
  policy,
  maxWorse,
  priority,
}: FinishDraft): Pick<TrainingRequest, 'deploy' | 'policy' | 'priority'> {
  return {
    deploy: policy === 'gate',
    ...(policy === 'gate' && maxWorse !== '' && { policy: { kind: 'automatic', maxWorse: shareOf(maxWorse) } }),
    ...(policy !== 'gate' && { policy: { kind: policy } }),
    ...(priority !== '' && priority !== 0 && { priority }),
  };
}
