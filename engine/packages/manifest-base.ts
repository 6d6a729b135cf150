import { z } from 'zod';

/** What manifests are made of. */
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
export const finite = z.number();
export const share = finite.min(0).max(1);
export const count = z.int().nonnegative();

/** How a picture becomes the model's input. */
export const preprocessing = z.object({
  width: z.int().positive(),
  height: z.int().positive(),
  mode: z.enum(['letterbox', 'crop', 'stretch']),
  kernel: z.enum(['nearest', 'linear', 'cubic', 'mitchell', 'lanczos2', 'lanczos3']),
  fastShrinkOnLoad: z.literal(false),
});

const fileEntry = z.object({ sha256, bytes: count });
export type FileEntry = z.infer<typeof fileEntry>;

/** What every model says of the pictures it learnt. */
export const dataset = z.object({
  source: z.string(),
  /** Pictures learnt. */
  count,
  skipped: count,
  /** Over the SHA-256 of every picture used, in order. */
  sha256,
  /** The data set of labelled pictures it was made from, with its hash; absent for other sources. */
  snapshot: z.object({ id: z.string().min(1), hash: sha256 }).optional(),
});

/** What every model says of itself. */
export const base = z.object({
  name: z.string().min(1),
  version: z.string().min(1),
  partType: z.string().min(1),
  /** ISO 8601, UTC. */
  createdAt: z.iso.datetime(),
  /** Version this one grew from. */
  parent: z.string().nullable(),
  /** What an imported version was called where it was made, and the SHA-256 of its manifest there. */
  origin: z.object({ name: z.string(), version: z.string(), sha256 }).optional(),
  /** Seconds per training stage and other figures. */
  metrics: z.record(z.string(), finite),
  files: z.record(z.string(), fileEntry),
});

const names = z
  .array(z.string().min(1))
  .min(1)
  .refine((labels) => new Set(labels).size === labels.length, 'has a name twice');

/** What models that tell classes apart say besides. */
export const classesBase = base.extend({
  /** In the order of the model's outputs. */
  classes: names,
  /** File of the network, in the package. */
  model: z.string().min(1),
  /** What the training started from: a file's name or a version, with its SHA-256; null when it began from nothing. */
  base: z.object({ name: z.string().min(1), sha256 }).nullable(),
  /** Mean loss of each epoch; empty when the model was not trained here. */
  curve: z
    .array(z.object({ epoch: z.int().positive(), loss: finite, map50: share.optional(), accuracy: share.optional() }))
    .readonly(),
  /** Whether it may take the place of what was in production when it was made. */
  gate: z.object({
    accepted: z.boolean(),
    reasons: z
      .array(
        z.object({
          code: z.string().min(1),
          message: z.string(),
          parameters: z.record(z.string(), z.union([z.string(), finite])).optional(),
        }),
      )
      .readonly(),
  }),
});
