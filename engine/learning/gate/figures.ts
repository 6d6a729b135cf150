import type { Difference, GateFigures, ModelKind } from '../../domain';
import { type JudgedPicture, type PairedDifference, pairedAuroc, pairedMap50, pairedShares } from '../../statistics';
import { boxesToLearn } from '../labelled-dataset';
import { partDefects } from '../part-defects';
import type { GatePicture } from './gate-order';
import type { Judged, Judgement } from './judged';

/** The same pictures always give the same intervals. */
const SEED = 1;
export const BOOTSTRAP = { seed: SEED, resamples: 2000 };
/** Average precision is costly. */
const MAP_BOOTSTRAP = { seed: SEED, resamples: 500 };

/**
 * The pictures that may be measured with: those held out. Anomaly scores never learn pictures labelled NG, so that all of them
 * judge where too few are held out.
 */
export function heldOutOf<Picture extends Pick<GatePicture, 'split' | 'label'>>(
  pictures: readonly Picture[],
  kind: ModelKind,
): readonly Picture[] {
  if (kind !== 'patchcore') return pictures.filter(({ split }) => split === 'val');
  const judges = new Set(partDefects(pictures).judges);
  return pictures.filter((picture) => (picture.label === 'NG' ? judges.has(picture) : picture.split === 'val'));
}

/** Figures on held-out pictures; those that the pictures do not tell are null or absent. */
export function figuresOf(heldOut: readonly Judged[], kind: ModelKind): GateFigures {
  const ok = heldOut.filter(({ picture }) => picture.label === 'OK');
  const ng = heldOut.filter(({ picture }) => picture.label === 'NG');
  const auroc = kind === 'patchcore' ? aurocOf(ok, ng) : null;
  const map50 = kind === 'detector' ? map50Of(heldOut) : null;
  return {
    pictures: heldOut.length,
    ok: ok.length,
    ng: ng.length,
    accuracy: shareOf(heldOut, ({ verdict }, { label }) => (verdict === 'OK') === (label === 'OK')),
    escapes: shareOf(ng, ({ verdict }) => verdict === 'OK'),
    falseRejects: shareOf(ok, ({ verdict }) => verdict !== 'OK'),
    ...(auroc && { auroc }),
    ...(map50 && { map50 }),
  };
}

/** The share of the pictures of which something is true; null without pictures. */
export function shareOf(
  judged: readonly Judged[],
  isTrue: (judgement: Judgement, picture: GatePicture) => boolean,
): Difference | null {
  const count = (of: (one: Judged) => Judgement) =>
    Float64Array.from(judged, (one) => Number(isTrue(of(one), one.picture)));
  return differenceOf(
    judged,
    (of) => count(of),
    (counts) => pairedShares(counts, new Float64Array(judged.length).fill(1), BOOTSTRAP),
  );
}

/** How often an NG one scores higher than an OK one. */
function aurocOf(ok: readonly Judged[], ng: readonly Judged[]): Difference | null {
  const scores = (of: (one: Judged) => Judgement) => ({
    good: Float64Array.from(ok, (one) => of(one).score),
    defective: Float64Array.from(ng, (one) => of(one).score),
  });
  return differenceOf([...ok, ...ng], scores, ({ before, after }) =>
    pairedAuroc(
      { before: before.good, after: after.good },
      { before: before.defective, after: after.defective },
      BOOTSTRAP,
    ),
  );
}

function map50Of(heldOut: readonly Judged[]): Difference | null {
  const boxed = withBoxes(heldOut);
  const classes = [...new Set(boxed.flatMap(({ truth }) => truth.map(({ label }) => label)))];
  const pictures = (of: (one: Judged) => Judgement) => boxed.map((one) => detected(one, of(one.judged)));
  return differenceOf(heldOut, pictures, (both) => pairedMap50(both, classes, MAP_BOOTSTRAP));
}

interface Boxed {
  readonly judged: Judged;
  readonly truth: JudgedPicture['truth'];
}

/** The pictures of which it is known where the defects are. */
export function withBoxes(judged: readonly Judged[]): readonly Boxed[] {
  return judged.flatMap((one) => {
    const truth = boxesToLearn(one.picture);
    return truth === null ? [] : [{ judged: one, truth }];
  });
}

export function detected({ truth }: Boxed, { detections = [] }: Judgement): JudgedPicture {
  return { truth, detections };
}

/**
 * A figure of both models; of the candidate alone when there is no other.
 *
 * @param take    what the figure is made of
 * @param compare gives both figures and the interval; both are the candidate's when there is no other model
 * @returns null when the pictures do not tell it
 */
export function differenceOf<Taken>(
  judged: readonly Judged[],
  take: (of: (one: Judged) => Judgement) => Taken,
  compare: (taken: { readonly before: Taken; readonly after: Taken }) => PairedDifference,
): Difference | null {
  const hasBefore = judged.every(({ before }) => before !== null);
  const after = take((one) => one.after);
  const before = hasBefore ? take((one) => one.before as Judgement) : after;
  const result = compare({ before, after });
  if (Number.isNaN(result.after)) return null;
  if (hasBefore && !Number.isNaN(result.before)) return { ...result };
  return { before: null, after: result.after, difference: null, low: null, high: null };
}
