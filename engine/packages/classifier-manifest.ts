import { z } from 'zod';
import { type ClassifierFigures, VERDICTS } from '../domain';
import { CLASSES_FORMAT } from './formats';
import { classesBase, count, dataset, finite, preprocessing, sha256, share } from './manifest-base';

/** How far a golden picture's probabilities may be from the expected ones. */
export const GOLDEN_CLASS_TOLERANCE = 0.01;

/** How well the classifier named held-out pictures. */
export const classifierFigures = z.object({
  accuracy: share,
  balancedAccuracy: share,
  interval: z.object({ low: share, high: share }).optional(),
  pictures: count,
  perClass: z
    .array(
      z.object({
        label: z.string().min(1),
        recall: share.nullable(),
        precision: share.nullable(),
        f1: share.nullable(),
        count,
      }),
    )
    .readonly(),
  confusion: z.object({
    labels: z.array(z.string()).readonly(),
    matrix: z.array(z.array(count).readonly()).readonly(),
  }),
}) satisfies z.ZodType<ClassifierFigures>;

/** Names the class of a whole picture. */
export const classifierManifest = classesBase
  .extend({
    format: z.literal(CLASSES_FORMAT),
    kind: z.literal('classifier'),
    /** `linear`: one layer on features of a frozen backbone; `fine-tuned`: the backbone was trained, too. */
    method: z.enum(['linear', 'fine-tuned']),
    dataset: dataset.extend({
      /** Pictures kept out to measure with. */
      heldOut: count,
    }),
    /** What each class means for a part. */
    verdicts: z.record(z.string(), z.enum(VERDICTS)),
    preprocessing,
    backbone: z.object({ id: z.string().min(1), sha256 }),
    training: z.object({
      seed: z.int(),
      epochs: count,
      learningRate: finite.positive(),
      augmentation: share,
    }),
    /** Logits are divided by it, so that probabilities are what they say on held-out pictures. */
    temperature: finite.positive(),
    evaluation: z.object({ before: classifierFigures.nullable(), after: classifierFigures.nullable() }),
    golden: z
      .array(
        z.object({
          /** File in the package. */
          picture: z.string().min(1),
          /** What the model gave each class when it was made, in the order of `classes`. */
          probabilities: z.array(share).readonly(),
        }),
      )
      .readonly(),
    goldenTolerance: finite.positive(),
  })
  .refine(({ classes, verdicts }) => classes.every((label) => Object.hasOwn(verdicts, label)), {
    path: ['verdicts'],
    message: 'says nothing of a class',
  });
