import { readFile } from 'node:fs/promises';
import { DetectorModel, PLAIN_DEFAULTS } from '../../detector';
import type { Detection, DetectorFigures, LabelledBox, SkippedPicture } from '../../domain';
import { PictureUnreadable } from '../../imaging';
import { evaluateDetections } from '../../statistics';
import type { Labelled } from './dataset';
import { figuresOf } from './figures';

/** All boxes count for the precision over the recall, however improbable. */
const LEAST_CONFIDENCE = 0.001;

export interface Measuring {
  readonly threads: number;
  /** Bootstrap samples for the intervals; 0: none, while training. */
  readonly resamples: number;
  readonly signal?: AbortSignal;
  /** Receives pictures that cannot be read; they count nowhere. */
  readonly onSkipped?: (skipped: SkippedPicture) => void;
  readonly onPicture?: (done: number) => void;
}

/**
 * How well a detector finds the boxes of pictures held out. Precision, recall and confusion are those at the confidence at
 * which a new detector serves, so that two detectors are compared at the same one.
 *
 * @param model   an ONNX file
 * @param classes that are looked for
 */
export async function measure(
  model: Uint8Array,
  pictures: readonly Labelled[],
  classes: readonly string[],
  { threads, resamples, signal, onSkipped, onPicture }: Measuring,
): Promise<DetectorFigures> {
  const detector = await DetectorModel.open({ bytes: model }, { threads });
  const judged: { truth: readonly LabelledBox[]; detections: readonly Detection[] }[] = [];
  try {
    for (const [index, { id, path, boxes }] of pictures.entries()) {
      signal?.throwIfAborted();
      try {
        const { detections } = await detector.detect(await readFile(path), { confidence: LEAST_CONFIDENCE });
        judged.push({ truth: boxes, detections });
      } catch (error) {
        if (!(error instanceof PictureUnreadable)) throw error;
        onSkipped?.({ name: id, reason: error.message });
      }
      onPicture?.(index + 1);
    }
  } finally {
    await detector.dispose();
  }
  const { confidence } = PLAIN_DEFAULTS.thresholds;
  return figuresOf(evaluateDetections(judged, classes, { resamples, confidence }), judged.length);
}
