import type { DetectorFigures, GateDecision, Reason } from '../../domain';
import { percent } from '../percent';

export interface GateOptions {
  /** How much mAP50, and mAP50 on old pictures, may fall; 0..1. */
  readonly tolerance: number;
}

/** What the gate compares: before and after, on the same held-out pictures. */
export interface Measured {
  /** Of the model before; null when it knows none of the classes. */
  readonly before: DetectorFigures | null;
  readonly after: DetectorFigures;
}

/** How much the recall of a class may fall, in boxes: one box more missed may be chance. */
const MISSED_BOXES = 1;
/** Nor does a smaller fall of it count, 0..1. */
const RECALL_TOLERANCE = 0.05;
/** A candidate with a lower mAP50 is as good as blind, 0..1. */
const LEAST_MAP50 = 0.1;
/** Rounding. */
const EPSILON = 1e-9;

/**
 * Whether a candidate may take the place of the model it was trained from: on held-out pictures and on old ones neither mAP50
 * nor the recall of a class may fall by more than is tolerated, and it must find more than a blind one would.
 *
 * @param fresh of the new pictures
 * @param old   of the old pictures with the classes known before; null without any
 */
export function gate(fresh: Measured, old: Measured | null, { tolerance }: GateOptions): GateDecision {
  const reasons: Reason[] = [];
  const { after } = fresh;
  const hasBoxes = after.perClass.length === 0 || after.perClass.some(({ count }) => count > 0);
  if (after.pictures === 0 || !hasBoxes) {
    reasons.push({
      code: 'nothing-to-measure-with',
      message: 'No picture with boxes is held out, so nobody can tell whether the candidate is better. Add pictures.',
    });
  } else if (!(after.map50 >= LEAST_MAP50)) {
    const parameters = { map50: percent(after.map50), least: percent(LEAST_MAP50) };
    reasons.push({
      code: 'finds-too-little',
      message: `The candidate finds too little on the held-out pictures: mAP50 ${parameters.map50}, at least ${parameters.least} is wanted. Train longer, or with more pictures.`,
      parameters,
    });
  }
  if (after.pictures > 0) reasons.push(...worse(fresh, tolerance, 'held-out', 'held-out'));
  if (old !== null) reasons.push(...worse(old, tolerance, 'old', 'old'));
  return { accepted: reasons.length === 0, reasons };
}

function worse({ before, after }: Measured, tolerance: number, key: string, what: string): Reason[] {
  if (before === null) return [];
  const reasons: Reason[] = [];
  if (after.map50 < before.map50 - tolerance - EPSILON) {
    reasons.push({
      code: `${key}-map50-fell`,
      message: `mAP50 on the ${what} pictures fell from ${percent(before.map50)} to ${percent(after.map50)}.`,
      parameters: { before: percent(before.map50), after: percent(after.map50), tolerance: percent(tolerance) },
    });
  }
  for (const { label, recall, count } of before.perClass) {
    const now = after.perClass.find((other) => other.label === label)?.recall ?? null;
    if (recall === null || now === null || count === 0) continue;
    if (now >= recall - Math.max(RECALL_TOLERANCE, MISSED_BOXES / count) - EPSILON) continue;
    reasons.push({
      code: `${key}-recall-fell`,
      message: `Of ${label}, ${percent(now)} instead of ${percent(recall)} are found on the ${what} pictures.`,
      parameters: { label, before: percent(recall), after: percent(now), count },
    });
  }
  return reasons;
}
