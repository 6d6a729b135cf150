import { z } from 'zod';
import type { DetectorFigures, DetectorLevel } from '../domain';
import { CLASSES_FORMAT } from './formats';
import { classesBase, count, dataset, finite, share } from './manifest-base';

/** How far a golden picture's boxes and confidences may be from the expected ones. */
export const GOLDEN_DETECTION_TOLERANCE = { pixels: 1, confidence: 0.01 } as const;

const box = z.object({ x: finite, y: finite, width: finite.nonnegative(), height: finite.nonnegative() });
const labels = z.array(z.string()).readonly();

/** How well the detector found the boxes of held-out pictures. */
export const detectorFigures = z.object({
  map50: share,
  map5095: share,
  recall: share,
  pictures: count,
  perClass: z
    .array(
      z.object({
        label: z.string().min(1),
        ap50: share.nullable(),
        ap5095: share.nullable(),
        recall: share.nullable(),
        precision: share.nullable(),
        f1: share.nullable(),
        count,
      }),
    )
    .readonly(),
  intervals: z.record(z.string(), z.object({ low: finite, high: finite })).optional(),
  bestConfidence: share.optional(),
  curves: z
    .array(
      z.object({
        label: z.string(),
        confidence: z.array(share).readonly(),
        precision: z.array(share).readonly(),
        recall: z.array(share).readonly(),
      }),
    )
    .readonly()
    .optional(),
  confusion: z.object({ labels, matrix: z.array(z.array(count).readonly()).readonly() }).optional(),
}) satisfies z.ZodType<DetectorFigures>;

const level = z.enum(['head', 'neck', 'full', 'external', 'scratch', 'imported']) satisfies z.ZodType<DetectorLevel>;

/** Finds boxes of named classes. */
export const detectorManifest = classesBase
  .extend({
    format: z.literal(CLASSES_FORMAT),
    kind: z.literal('detector'),
    /** A network with the outputs of the YOLO family; which of its layouts, the network itself tells. */
    method: z.literal('yolo'),
    dataset: dataset.extend({
      /** Pictures kept out to measure with. */
      heldOut: count,
      /** Boxes learnt. */
      boxes: count,
      /** Old pictures learnt again, of `count`. */
      replayed: count,
    }),
    /** Pixels of the network's input; pictures are letterboxed into it. */
    input: z.object({ width: z.int().positive(), height: z.int().positive() }),
    thresholds: z.object({ confidence: share, perClass: z.record(z.string(), share) }),
    /** Boxes of one class that overlap more than this are one. */
    iou: share,
    level,
    /** Null when it was not trained here. */
    training: z
      .object({
        seed: z.int(),
        epochs: count,
        inputSize: z.int().positive(),
        batch: z.int().positive(),
        learningRate: finite.positive(),
        augmentation: share,
      })
      .nullable(),
    /** On the same held-out pictures; null where nothing could be measured. */
    evaluation: z.object({
      before: detectorFigures.nullable(),
      after: detectorFigures.nullable(),
      /** On old pictures, with the classes known before. */
      oldClasses: z.object({ before: detectorFigures, after: detectorFigures }).nullable(),
    }),
    golden: z
      .array(
        z.object({
          /** File in the package. */
          picture: z.string().min(1),
          /** What the model found in it when it was made, at the thresholds above. */
          detections: z.array(z.object({ label: z.string().min(1), confidence: share, box })).readonly(),
        }),
      )
      .readonly(),
    goldenTolerance: z.object({ pixels: finite.positive(), confidence: finite.positive() }),
  })
  .refine(({ classes, thresholds }) => Object.keys(thresholds.perClass).every((label) => classes.includes(label)), {
    path: ['thresholds', 'perClass'],
    message: 'names a class the model does not know',
  });
