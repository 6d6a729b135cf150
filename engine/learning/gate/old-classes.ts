import { levelOf } from '../../detector';
import type { DetectionThresholds, Difference, ModelKind, OldClasses } from '../../domain';
import { foundBoxes, pairedShares } from '../../statistics';
import { classToLearn } from '../labelled-dataset';
import { BOOTSTRAP, detected, withBoxes } from './figures';
import type { Judged, Judgement } from './judged';

/** What of the two models decides what they know and find. */
export interface OldClassesOptions {
  readonly kind: ModelKind;
  /** What the version in production tells apart; for anomaly scores the classes of the defects count instead. */
  readonly known: readonly string[];
  /** Of detectors: confidences from which detections count. */
  readonly confidences: { readonly before: DetectionThresholds | null; readonly after: DetectionThresholds | null };
}

/** How many there are of a class in each picture, and how many of them each model finds. */
interface Tally {
  readonly label: string;
  readonly totals: ArrayLike<number>;
  readonly before: ArrayLike<number>;
  readonly after: ArrayLike<number>;
}

/**
 * How much of what was known before is still found: boxes by a detector, rightly named pictures by a classifier, stopped
 * parts by class of defect for anomaly scores.
 *
 * @param heldOut looked at by both models
 * @returns null when the pictures show nothing of it
 */
export function oldClassesOf(heldOut: readonly Judged[], options: OldClassesOptions): OldClasses | null {
  const tallies = (
    options.kind === 'detector' ? boxTallies(heldOut, options) : pictureTallies(heldOut, options)
  ).filter(({ totals }) => sum(totals) > 0);
  if (tallies.length === 0) return null;
  const together = (of: (tally: Tally) => ArrayLike<number>) =>
    Float64Array.from({ length: of(tallies[0]).length }, (_, place) => sum(tallies.map((tally) => of(tally)[place])));
  const counts = { before: together(({ before }) => before), after: together(({ after }) => after) };
  const recall: Difference = {
    ...pairedShares(
      counts,
      together(({ totals }) => totals),
      BOOTSTRAP,
    ),
  };
  return {
    recall,
    perClass: tallies.map(({ label, totals, before, after }) => ({
      label,
      count: sum(totals),
      before: sum(before) / sum(totals),
      after: sum(after) / sum(totals),
    })),
  };
}

function boxTallies(heldOut: readonly Judged[], { known, confidences }: OldClassesOptions): Tally[] {
  const boxed = withBoxes(heldOut);
  const found = (of: (one: Judged) => Judgement, label: string, thresholds: DetectionThresholds | null) => {
    const pictures = boxed.map((one) => detected(one, of(one.judged)));
    return foundBoxes(pictures, label, thresholds === null ? 0 : levelOf(thresholds, label));
  };
  return known.map((label) => {
    const before = found((one) => one.before as Judgement, label, confidences.before);
    const after = found((one) => one.after, label, confidences.after);
    return { label, totals: after.counts, before: before.found, after: after.found };
  });
}

function pictureTallies(heldOut: readonly Judged[], { kind, known }: OldClassesOptions): Tally[] {
  const classes = heldOut.map(({ picture }) =>
    kind === 'patchcore' && picture.label === 'OK' ? null : classToLearn(picture),
  );
  const labels = kind === 'patchcore' ? [...new Set(classes)].filter((label) => label !== null).sort() : known;
  const isFound = ({ finding, verdict }: Judgement, label: string) =>
    finding.kind === 'class' ? finding.label === label : verdict !== 'OK';
  return labels.map((label) => {
    const count = (of: (one: Judged) => Judgement) =>
      Float64Array.from(heldOut, (one, place) => Number(classes[place] === label && isFound(of(one), label)));
    return {
      label,
      totals: Float64Array.from(classes, (each) => Number(each === label)),
      before: count((one) => one.before as Judgement),
      after: count((one) => one.after),
    };
  });
}

function sum(values: ArrayLike<number>): number {
  return Array.from(values).reduce((total, value) => total + value, 0);
}
