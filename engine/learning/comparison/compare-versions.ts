import {
  type ComparedVersion,
  type JobProgress,
  type ModelComparison,
  type ModelKind,
  StageProgress,
  timestamp,
} from '../../domain';
import { compareDecisions } from '../gate/compare-decisions';
import { figuresOf, heldOutOf } from '../gate/figures';
import type { GatePicture, ModelPlace } from '../gate/gate-order';
import { lookAtPictures, type Seen, withLookers } from '../gate/look-at-pictures';
import type { Looker } from '../gate/looker';

/** Versions to be shown the same labelled pictures. */
export interface ComparisonOrder {
  readonly task: 'compare';
  readonly name: string;
  readonly kind: ModelKind;
  /** Two or more. */
  readonly versions: readonly ModelPlace[];
  readonly pictures: readonly GatePicture[];
  readonly threads: number;
}

/** Scores that are kept of each label. */
const KEPT_SCORES = 2000;

/**
 * Shows labelled pictures to several versions of a model. Scores and changed decisions are those of all pictures, learnt or
 * not; figures those of the held-out ones.
 *
 * @throws {ModelInvalid} when a version cannot be used
 */
export async function compareVersions(
  order: ComparisonOrder,
  onProgress: (progress: JobProgress) => void,
): Promise<ModelComparison> {
  const { name, kind, versions, pictures, threads } = order;
  const progress = new StageProgress<'gate'>({ gate: [0, 100] });
  let done = 0;
  const step = () => {
    done += 1;
    const told = progress.at('gate', done / pictures.length);
    if (told) onProgress(told);
  };
  return withLookers(
    versions.map(({ folder }) => [kind, folder, threads]),
    async (lookers) => {
      const judges = lookers.map((looker) => ({ looker, thresholds: null }));
      const { seen, skipped } = await lookAtPictures(pictures, judges, step);
      const count = (wanted: string) => seen.filter(({ picture }) => picture.label === wanted).length;
      const heldOut = new Set(heldOutOf(pictures, kind));
      return {
        name,
        at: timestamp(Date.now()),
        pictures: { ok: count('OK'), ng: count('NG'), skipped },
        versions: lookers.map((looker, place) => compared(looker, seen, { kind, place, heldOut })),
        changed: compareDecisions(seen.map(decidedOf), skipped),
      };
    },
  );
}

function compared(
  { model, thresholds }: Looker,
  seen: readonly Seen[],
  {
    kind,
    place,
    heldOut,
  }: { readonly kind: ModelKind; readonly place: number; readonly heldOut: ReadonlySet<GatePicture> },
): ComparedVersion {
  const judged = seen.map(({ picture, judgements }) => ({ picture, before: null, after: judgements[place] }));
  const { accuracy, escapes, falseRejects, auroc, map50 } = figuresOf(
    judged.filter(({ picture }) => heldOut.has(picture)),
    kind,
  );
  const figures = Object.entries({ accuracy, escapes, falseRejects, auroc, map50 });
  const scores = (label: string) =>
    thinned(judged.filter(({ picture }) => picture.label === label).map(({ after }) => after.score));
  return {
    version: model.version,
    figures: Object.fromEntries(figures.flatMap(([key, figure]) => (figure ? [[key, figure.after]] : []))),
    ok: scores('OK'),
    ng: scores('NG'),
    thresholds,
  };
}

/** From the first version to the last. */
function decidedOf({ picture: { id, label, source }, judgements }: Seen) {
  const [first, last] = [judgements[0], judgements[judgements.length - 1]];
  const decided = { before: first.verdict, after: last.verdict };
  return { id, label, ...decided, scoreBefore: first.score, scoreAfter: last.score, picture: source };
}

/** Ascending; of too many, so many that stand evenly among them, the lowest and the highest included. */
function thinned(scores: readonly number[]): readonly number[] {
  const ascending = [...scores].sort((a, b) => a - b);
  if (ascending.length <= KEPT_SCORES) return ascending;
  const stride = (ascending.length - 1) / (KEPT_SCORES - 1);
  return Array.from({ length: KEPT_SCORES }, (_, place) => ascending[Math.round(place * stride)]);
}
