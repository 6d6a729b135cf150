import { z } from 'zod';
import { InvalidInput, type TrainingOptions } from '../domain';

const INPUT_STEP = 32;
/** What rounding may add to the sum of two fractions. */
const ROUNDING = 1e-9;
/** What an update takes over from the version it adds to. */
const OF_THE_VERSION = ['method', 'input', 'roi', 'mask', 'tiles', 'position', 'augmentation', 'quantise'] as const;
/** What only a memory bank has. */
const OF_A_BANK = [...OF_THE_VERSION.slice(1), 'keepSuspects', 'update'] as const;
/** What only a comparison with golden pictures needs. */
const OF_A_REFERENCE = ['referenceFolder', 'labelFolder'] as const;

const side = z.int().min(128).max(1024).multipleOf(INPUT_STEP);
const rate = z.number().gt(0).max(0.5);
const fraction = z.number().min(0).max(1);
const wholeOf = (options: TrainingOptions, names: readonly (keyof TrainingOptions)[]) =>
  names.filter((name) => options[name] !== undefined && options[name] !== null);

/** How a training is done, with the ranges of every value; unknown keys are refused. */
export const trainingOptions = z
  .strictObject({
    method: z.enum(['bank', 'reference']).optional().meta({
      description: 'bank (default): a memory bank of good patches; reference: comparison with golden pictures',
    }),
    referenceFolder: z.string().min(1).max(1024).optional().meta({
      description:
        'For reference: folder with golden pictures, named like the pictures; a single one of another name is that of every part',
    }),
    input: z
      .strictObject({ width: side, height: side, mode: z.enum(['letterbox', 'crop', 'stretch']).default('stretch') })
      .optional()
      .meta({ description: "The model's input; sides in pixels, multiples of 32" }),
    falseRejectRate: rate.optional().meta({ description: 'Wished share of good parts that may be rejected' }),
    reviewRate: rate
      .optional()
      .meta({ description: 'Wished share of good parts that may go to a person or be rejected' }),
    missRate: rate.optional().meta({ description: 'Wished share of defective parts that may pass' }),
    roi: z
      .strictObject({ x: fraction, y: fraction, width: fraction.min(0.02), height: fraction.min(0.02) })
      .refine(
        ({ x, y, width, height }) => x + width <= 1 + ROUNDING && y + height <= 1 + ROUNDING,
        'leaves the picture',
      )
      .nullable()
      .optional()
      .meta({ description: 'The part of the picture that is looked at, in fractions of its sides; null: all of it' }),
    mask: z.string().min(1).max(1024).optional().meta({
      description: 'Path of a PNG of which white counts and black does not',
    }),
    tiles: z
      .strictObject({
        columns: z.int().min(1).max(8),
        rows: z.int().min(1).max(8),
        overlap: z.number().min(0).max(0.5).default(0.1).meta({ description: "Share of a tile's side" }),
        banks: z.enum(['shared', 'per-tile']).default('shared'),
      })
      .nullable()
      .optional()
      .meta({ description: 'The looked-at part is cut into tiles, for small defects' }),
    position: z
      .strictObject({ reach: z.number().gt(0).max(0.5) })
      .nullable()
      .optional()
      .meta({
        description:
          'Compare with nearby places only; reach: how far a place may wander, as a share of the longer side',
      }),
    augmentation: z
      .strictObject({
        flip: z.boolean().default(false),
        rotation: z.number().min(0).max(180).default(0).meta({ description: 'Degrees, both ways' }),
        light: z.number().min(0).max(0.5).default(0).meta({ description: 'Share of brightness and contrast' }),
        shift: z.number().min(0).max(0.25).default(0).meta({ description: 'Share of the side' }),
      })
      .nullable()
      .optional()
      .meta({ description: 'Variants of the good pictures that are learnt, too' }),
    defectFolder: z.string().min(1).max(1024).optional().meta({
      description: 'Folder with pictures of defective parts: they set the accept level and are never learnt',
    }),
    labelFolder: z.string().min(1).max(1024).optional().meta({
      description: "For reference: where the defects of defectFolder are, x.txt in YOLO's format for x.jpg",
    }),
    keepSuspects: z.boolean().optional().meta({ description: 'Learn also the pictures that look defective' }),
    update: z
      .boolean()
      .optional()
      .meta({
        description: `Add the pictures to the version in production; it keeps its ${OF_THE_VERSION.join(', ')}`,
      }),
    quantise: z.boolean().optional().meta({
      description: 'Compute with 8-bit numbers where the held-out decisions do not get worse',
    }),
  })
  .refine(
    ({ falseRejectRate, reviewRate }) =>
      falseRejectRate === undefined || reviewRate === undefined || reviewRate >= falseRejectRate,
    { path: ['reviewRate'], message: 'must not be below falseRejectRate' },
  )
  .refine((options) => options.update !== true || wholeOf(options, OF_THE_VERSION).length === 0, {
    path: ['update'],
    message: `keeps the version's own ${OF_THE_VERSION.join(', ')}: leave them out, or train anew`,
  })
  .refine((options) => options.method !== 'reference' || wholeOf(options, OF_A_BANK).length === 0, {
    path: ['method'],
    message: `reference has none of ${OF_A_BANK.join(', ')}: leave them out`,
  })
  .refine((options) => options.method === 'reference' || wholeOf(options, OF_A_REFERENCE).length === 0, {
    path: ['method'],
    message: `must be reference for ${OF_A_REFERENCE.join(' and ')}`,
  })
  .refine(({ method, referenceFolder }) => method !== 'reference' || referenceFolder !== undefined, {
    path: ['referenceFolder'],
    message: 'is missing: reference compares with golden pictures',
  })
  .refine(({ method, defectFolder, labelFolder }) => method !== 'reference' || !defectFolder === !labelFolder, {
    path: ['labelFolder'],
    message: 'and defectFolder belong together: the labels tell where the defects are',
  }) satisfies z.ZodType<TrainingOptions>;

/**
 * Checks options from outside.
 *
 * @throws {InvalidInput} naming the value and what is wrong with it
 */
export function readTrainingOptions(value: unknown): TrainingOptions {
  const result = trainingOptions.safeParse(value);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0];
  const place = ['options', ...path].join('.');
  throw new InvalidInput(`The training cannot be done so: ${place}: ${message}.`, { place });
}
