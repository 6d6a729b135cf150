import { z } from 'zod';

export const MANIFEST_FILE = 'manifest.json';

/**
 * How far a golden picture's score may be from the expected one, as a share of it. Wide enough for another processor and
 * another build of the decoder, far too narrow for another bank, backbone or preprocessing.
 */
export const GOLDEN_TOLERANCE = 0.005;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const finite = z.number();
const count = z.int().nonnegative();

const fileEntry = z.object({ sha256, bytes: count });

const goldenPicture = z.object({
  /** File in the package. */
  picture: z.string().min(1),
  /** Raw image score the model gave it when it was made. */
  score: finite,
});

const thresholds = z
  .object({ accept: finite, reject: finite })
  .refine(({ accept, reject }) => accept <= reject, 'accept is above reject');

const calibration = z.object({
  /** Held-out OK pictures; none of them is in the bank. */
  pictures: count,
  /** Their raw image scores, ascending. */
  scores: z.array(finite),
  median: finite,
  /** Share of OK parts that may be rejected, as wished. */
  falseRejectRate: finite,
  /** Share of OK parts that may go to a person, as wished. */
  reviewRate: finite,
  /** `conformal`: a bound that holds for any score distribution; `extrapolated`: too few pictures for that bound. */
  reject: z.object({ method: z.enum(['conformal', 'extrapolated']), rank: count.nullable() }),
  accept: z.object({ rank: count }),
  /** Largest share of OK parts above the accept level that the held-out pictures allow to promise. */
  promisedAcceptRate: finite,
  /** Largest share of OK parts above the reject level that can be promised: the wish when it is met. */
  promisedRejectRate: finite,
  /** Held-out pictures needed to promise the wished false-reject rate. */
  picturesNeeded: count,
  /** All of this in a sentence for people. */
  statement: z.string(),
});

const map = z.object({
  /** Standard deviation of the gaussian, in pixels of the model's input. */
  sigma: finite,
  /** Raw distance that becomes grey 0: the median over the held-out pictures. */
  zero: finite,
  /** Raw distance that becomes grey 255: as far above `region` as `region` is above `zero`. */
  full: finite,
  /** Raw distance from which pixels form a region. */
  region: finite,
});

const preprocessing = z.object({
  width: z.int().positive(),
  height: z.int().positive(),
  mode: z.enum(['letterbox', 'crop', 'stretch']),
  kernel: z.enum(['nearest', 'linear', 'cubic', 'mitchell', 'lanczos2', 'lanczos3']),
  fastShrinkOnLoad: z.literal(false),
});

const facts = z.object({
  format: z.literal(1),
  kind: z.literal('patchcore'),
  name: z.string().min(1),
  version: z.string().min(1),
  partType: z.string().min(1),
  /** ISO 8601, UTC. */
  createdAt: z.iso.datetime(),
  /** Version this one grew from. */
  parent: z.string().nullable(),
  /** What an imported version was called where it was made, and the SHA-256 of its manifest there. */
  origin: z.object({ name: z.string(), version: z.string(), sha256 }).optional(),
  dataset: z.object({
    source: z.string(),
    /** Pictures used, bank and calibration together. */
    count,
    skipped: count,
    /** Over the SHA-256 of every picture used, in order. */
    sha256,
  }),
  preprocessing,
  /** `file` is set when the backbone lies in this package; otherwise it is one of the embedded ones. */
  backbone: z.object({ id: z.string().min(1), sha256, file: z.string().nullable() }),
  bank: z.object({
    pictures: count,
    /** Patches the bank was chosen from. */
    candidates: count,
    /** Patches in the bank. */
    size: count,
    /** Channels of a patch. */
    dimension: count,
    /** Channels after the random projection used for choosing; null without one. */
    projection: count.nullable(),
    /** Greatest distance (in the projected space) of a candidate to the bank. */
    radius: finite,
    seed: z.int(),
  }),
  scoring: z.object({ method: z.literal('top-mean'), share: finite.min(0).max(1) }),
  map,
  thresholds,
  calibration,
  /** Seconds per training stage and other figures. */
  metrics: z.record(z.string(), finite),
  files: z.record(z.string(), fileEntry),
  golden: z.array(goldenPicture),
  goldenTolerance: finite.positive(),
});

const manifest = facts.refine(({ calibration: { median }, thresholds: { reject } }) => median < reject, {
  path: ['calibration', 'median'],
  message: 'is not below the reject level',
});

export type ModelManifest = Readonly<z.infer<typeof manifest>>;
export type FileEntry = z.infer<typeof fileEntry>;
export type GoldenPicture = z.infer<typeof goldenPicture>;
/** A manifest before its files are written and hashed. */
export type UnsealedManifest = Omit<ModelManifest, 'files'>;

/**
 * Checks the text of a `manifest.json`.
 *
 * @throws {Error} with the place and the cause, when it is no manifest of this format
 */
export function parseManifest(text: string): ModelManifest {
  const result = manifest.safeParse(JSON.parse(text));
  if (result.success) return result.data;
  const first = result.error.issues[0];
  throw new Error(`${first.path.join('.') || MANIFEST_FILE}: ${first.message}`);
}
