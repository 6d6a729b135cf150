import type { DetectorFigures, SkippedPicture, TrainingReportFacts } from '../../domain';
import type { Labelled } from './dataset';
import { gate } from './gate';
import { measure } from './hold-out';

export type DetectorReport = Extract<TrainingReportFacts, { kind: 'detector' }>;

export interface Judging {
  /** ONNX files of the detector before, and of the candidate. */
  readonly base: Uint8Array;
  readonly candidate: Uint8Array;
  /** Classes of the detector before, and of the candidate. */
  readonly known: readonly string[];
  readonly classes: readonly string[];
  /** Pictures held out: new ones, and old ones. */
  readonly heldOut: readonly Labelled[];
  readonly oldHeldOut: readonly Labelled[];
  /** How much mAP50 may fall, 0..1; 0.01 unless told. */
  readonly tolerance?: number;
  readonly threads: number;
  readonly signal?: AbortSignal;
  /** @param share of the work that is done, 0..1 */
  readonly onProgress?: (share: number) => void;
  /** What is thrown when the candidate cannot be measured, in place of what happened. */
  readonly unusable?: (error: unknown) => unknown;
}

export interface Judgement {
  readonly figures: Pick<DetectorReport, 'before' | 'after' | 'oldClasses' | 'gate'>;
  /** Held-out pictures that could not be read. */
  readonly skipped: readonly SkippedPicture[];
}

const TOLERANCE = 0.01;
const RESAMPLES = 500;
/** Detectors times picture sets. */
const PARTS = 4;

/** Measures a candidate beside the detector before it, on new and on old pictures that neither learnt, and asks the gate. */
export async function judgeCandidate(judging: Judging): Promise<Judgement> {
  const { base, candidate, known, classes, heldOut, oldHeldOut, threads, signal } = judging;
  const skipped = new Map<string, SkippedPicture>();
  const measured = (file: Uint8Array, pictures: readonly Labelled[], labels: readonly string[], part: number) =>
    measure(file, pictures, labels, {
      ...{ threads, signal, resamples: RESAMPLES },
      onSkipped: (one) => skipped.set(one.name, one),
      onPicture: (done) => judging.onProgress?.((part + done / pictures.length) / PARTS),
    });
  const isKnown = (pictures: readonly Labelled[]) =>
    pictures.some(({ boxes }) => boxes.some(({ label }) => known.includes(label)));
  const after = (pictures: readonly Labelled[], labels: readonly string[], part: number) =>
    measured(candidate, pictures, labels, part).catch((error: unknown) => {
      throw judging.unusable?.(error) ?? error;
    });
  const before = (pictures: readonly Labelled[], labels: readonly string[], part: number) =>
    measured(base, pictures, labels, part);

  const fresh = {
    before: isKnown(heldOut) ? await before(heldOut, classes, 0) : null,
    after: await after(heldOut, classes, 1),
  };
  const old: { readonly before: DetectorFigures; readonly after: DetectorFigures } | null = isKnown(oldHeldOut)
    ? { before: await before(oldHeldOut, known, 2), after: await after(oldHeldOut, known, 3) }
    : null;
  const decision = gate(fresh, old, { tolerance: judging.tolerance ?? TOLERANCE });
  return { figures: { ...fresh, oldClasses: old, gate: decision }, skipped: [...skipped.values()] };
}
