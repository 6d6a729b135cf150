import type { ClassifierFigures, GateDecision, Reason } from '../../domain';
import { percent } from '../percent';

/** A fall of the mean recall, and of that of a class, that does not count; 0..1. */
const TOLERANCE = 0.01;
const RECALL_TOLERANCE = 0.05;
/** Nor does a fall by so many pictures: one more that is named wrongly may be chance. */
const MISSED_PICTURES = 1;
/** Rounding. */
const EPSILON = 1e-9;

/**
 * Whether a candidate may take the place of the version in production: on the same held-out pictures neither the mean
 * recall nor that of a class may fall by more than is tolerated, and it must be better than naming by chance.
 *
 * @param before null when nothing is in production
 */
export function classifierGate(before: ClassifierFigures | null, after: ClassifierFigures): GateDecision {
  const reasons: Reason[] = [];
  if (after.pictures === 0) {
    reasons.push({
      code: 'nothing-to-measure-with',
      message: 'No picture is held out, so nobody can tell whether the candidate is better. Add pictures.',
    });
    return { accepted: false, reasons };
  }
  const measured = after.perClass.filter(({ recall }) => recall !== null).length;
  if (measured > 1 && after.balancedAccuracy <= 1 / measured + EPSILON) {
    const [accuracy, chance] = [percent(after.balancedAccuracy), percent(1 / measured)];
    reasons.push({
      code: 'names-by-chance',
      message: `The candidate's mean recall is ${accuracy} on the held-out pictures; naming by chance gives ${chance}.`,
      parameters: { accuracy, chance },
    });
  }
  if (before !== null) reasons.push(...worse(before, after));
  return { accepted: reasons.length === 0, reasons };
}

function worse(before: ClassifierFigures, after: ClassifierFigures): Reason[] {
  const reasons: Reason[] = [];
  const counts = before.perClass.map(({ count }) => count).filter((count) => count > 0);
  const tolerance = Math.max(TOLERANCE, MISSED_PICTURES / (counts.length * Math.min(...counts)));
  if (after.balancedAccuracy < before.balancedAccuracy - tolerance - EPSILON) {
    const [then, now] = [percent(before.balancedAccuracy), percent(after.balancedAccuracy)];
    reasons.push({
      code: 'held-out-accuracy-fell',
      message: `The mean recall on the held-out pictures fell from ${then} to ${now}.`,
      parameters: { before: then, after: now, tolerance: percent(tolerance) },
    });
  }
  for (const { label, recall, count } of before.perClass) {
    const now = after.perClass.find((other) => other.label === label)?.recall ?? null;
    if (recall === null || now === null) continue;
    if (now >= recall - Math.max(RECALL_TOLERANCE, MISSED_PICTURES / count) - EPSILON) continue;
    reasons.push({
      code: 'held-out-class-fell',
      message: `Of ${label}, ${percent(now)} instead of ${percent(recall)} are named rightly on the held-out pictures.`,
      parameters: { label, before: percent(recall), after: percent(now), count },
    });
  }
  return reasons;
}
