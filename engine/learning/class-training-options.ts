import { z } from 'zod';
import { type ClassifierTrainingOptions, type DetectorTrainingOptions, InvalidInput, VERDICTS } from '../domain';

const INPUT_STEP = 32;

const epochs = z.int().min(1).max(1000).optional().meta({ description: 'Times each picture is seen' });
const augmentation = z
  .number()
  .min(0)
  .max(1)
  .optional()
  .meta({ description: 'How strongly pictures are varied while training' });
const seed = z.int().min(0).optional().meta({ description: 'The same seed gives the same weights' });
const side = (most: number) => z.int().min(64).max(most).multipleOf(INPUT_STEP).optional();
const path = z.string().min(1).max(1024);

/** How a detector is fine-tuned, with the ranges of every value; unknown keys are refused. */
export const detectorTrainingOptions = z
  .strictObject({
    level: z.enum(['head', 'neck', 'full']).optional().meta({
      description:
        'What is trained: head, the class outputs only; neck (default), with the layers that join the strides; full, all layers',
    }),
    epochs,
    inputSize: side(1280).meta({
      description: 'Side of the square input while training, in pixels; a multiple of 32',
    }),
    batch: z.int().min(1).max(64).optional().meta({ description: 'Pictures a step' }),
    learningRate: z.number().gt(0).max(0.1).optional(),
    augmentation,
    seed,
    base: path.optional().meta({
      description:
        'What the training starts from: deployed (default; the starter where none is), starter, or the path of an .onnx file',
    }),
    replay: path.optional().meta({
      description: 'Data set of old pictures, learnt again so that nothing is forgotten',
    }),
    search: z
      .strictObject({ minutes: z.number().gt(0).max(1440) })
      .optional()
      .meta({ description: 'Look for learning rate, level and augmentation within this time' }),
    trainer: z.enum(['built-in', 'external']).optional().meta({
      description: "external: the command in the settings of the station's node",
    }),
    gate: z
      .strictObject({ tolerance: z.number().min(0).max(1).optional() })
      .optional()
      .meta({ description: 'tolerance: how much mAP50 may fall, 0.01 unless told' }),
  })
  .refine(({ trainer, search }) => trainer !== 'external' || search === undefined, {
    path: ['search'],
    message: 'is done by the built-in trainer only',
  }) satisfies z.ZodType<DetectorTrainingOptions>;

/** How a classifier is trained, with the ranges of every value; unknown keys are refused. */
export const classifierTrainingOptions = z.strictObject({
  backbone: path.optional().meta({ description: 'Id of a backbone that is ready, or the path of an .onnx file' }),
  fineTune: z.boolean().optional().meta({ description: 'Train the backbone, too' }),
  epochs,
  learningRate: z.number().gt(0).max(1).optional(),
  inputSize: side(1024).meta({
    description: 'Side of the square input in pixels; a multiple of 32',
  }),
  seed,
  augmentation,
  verdicts: z.record(z.string().min(1).max(64), z.enum(VERDICTS)).optional().meta({
    description: 'What each class means for a part',
  }),
}) satisfies z.ZodType<ClassifierTrainingOptions>;

/**
 * Checks options from outside.
 *
 * @throws {InvalidInput} naming the value and what is wrong with it
 */
export function readDetectorTrainingOptions(value: unknown): DetectorTrainingOptions {
  return read(detectorTrainingOptions, 'detector', value);
}

/**
 * Checks options from outside.
 *
 * @throws {InvalidInput} naming the value and what is wrong with it
 */
export function readClassifierTrainingOptions(value: unknown): ClassifierTrainingOptions {
  return read(classifierTrainingOptions, 'classifier', value);
}

function read<Options>(schema: z.ZodType<Options>, name: string, value: unknown): Options {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [{ path, message }] = result.error.issues;
  const place = [name, ...path].join('.');
  throw new InvalidInput(`The training cannot be done so: ${place}: ${message}.`, { place });
}
