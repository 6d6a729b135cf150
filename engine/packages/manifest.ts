import { z } from 'zod';
import type { ModelKind } from '../domain';
import { classifierManifest } from './classifier-manifest';
import { detectorManifest } from './detector-manifest';
import { FIRST_FORMAT, upgradeFirstFormat } from './first-format';
import { MANIFEST_FORMAT, NEWEST_FORMAT } from './formats';
import { base, count, dataset, finite, preprocessing, sha256, share } from './manifest-base';
import { referenceSection } from './reference-section';

export const MANIFEST_FILE = 'manifest.json';

/**
 * How far a golden picture's score may be from the expected one, as a share of it. Wide enough for another processor and
 * another build of the decoder, far too narrow for another bank, backbone or preprocessing.
 */
export const GOLDEN_TOLERANCE = 0.005;

const goldenPicture = z.object({
  /** File in the package. */
  picture: z.string().min(1),
  /** Raw image score the model gave it when it was made. */
  score: finite,
});

const thresholds = z
  .object({ accept: finite, reject: finite })
  .refine(({ accept, reject }) => accept <= reject, 'accept is above reject');

const probability = z.discriminatedUnion('method', [
  z.object({ method: z.literal('platt'), slope: finite, intercept: finite }),
  z.object({ method: z.literal('isotonic'), scores: z.array(finite).readonly(), values: z.array(share).readonly() }),
]);

/** What the calibration found; the room `statistics` makes it and explains each figure. */
const calibration = z.object({
  /** `held-out`: one part of the pictures was kept out of the bank (format 1). */
  method: z.enum(['cross-validated', 'augmented', 'compared', 'held-out']),
  folds: count,
  pictures: count,
  independent: count,
  defects: count,
  /** Raw image scores of good pictures that the bank did not know, ascending: thresholds can be moved by them later. */
  scores: z.array(finite).readonly(),
  /** The same of defective pictures. */
  defectScores: z.array(finite).readonly(),
  median: finite,
  falseRejectRate: share,
  reviewRate: share,
  missRate: share,
  reject: z.object({ method: z.enum(['conformal', 'extrapolated']), rank: count.nullable() }),
  accept: z.object({ method: z.enum(['review-rate', 'miss-rate']), rank: count.nullable() }),
  promisedAcceptRate: share,
  promisedRejectRate: share,
  promisedMissRate: share.nullable(),
  picturesNeeded: count,
  picturesRequired: count,
  defectsNeeded: count,
  probability: probability.nullable(),
  /** All of this in sentences for people. */
  statement: z.string(),
  statementParts: z
    .array(z.object({ code: z.string(), parameters: z.record(z.string(), finite).readonly() }))
    .readonly(),
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

/** What of a picture is looked at. */
const viewing = z.object({
  /** Fractions 0..1 of the picture's sides; null: all of it. */
  roi: z.object({ x: share, y: share, width: share, height: share }).nullable(),
  tiles: z.object({ columns: z.int().positive(), rows: z.int().positive(), overlap: share }).nullable(),
  /** File in the package, of which white counts; null: everything counts. */
  mask: z.string().nullable(),
});

const scoring = z.discriminatedUnion('method', [
  z.object({ method: z.literal('max') }),
  /** Roth et al. 2022, equation 7. */
  z.object({ method: z.literal('reweighted'), neighbours: z.int().min(2) }),
  /** Mean of the most unusual share of the patches. */
  z.object({ method: z.literal('top-mean'), share }),
]);

/** How features become distances and distances a score. */
const recipe = z.object({
  /** The backbone's features are taken before or after their last activation. */
  moment: z.enum(['before', 'after']),
  /**
   * `none`: as they are; `scaling`: every layer weighs the same; `whitening`: directions in which good patches vary much
   * count less. All but `none` keep only the `dimension` strongest directions.
   */
  conditioning: z.enum(['none', 'scaling', 'whitening']),
  /** Numbers that describe a patch. */
  dimension: count,
  /** Distances are divided by how far bank patches lie apart thereabouts. */
  spacing: z.boolean(),
  scoring,
});

/** What a recipe achieved on held-out good pictures and the same with painted defects. */
const trial = z.object({
  moment: recipe.shape.moment,
  conditioning: recipe.shape.conditioning,
  spacing: z.boolean(),
  scoring,
  /** Image AUROC, 0..1. */
  auroc: share,
});

const augmentation = z.object({ flip: z.boolean(), rotation: finite, light: finite, shift: finite });

const storage = z.enum(['float32', 'float16', 'int8']);

const bank = z.object({
  /** Pictures in the bank: all good ones. */
  pictures: count,
  /** Patches the bank was chosen from. */
  candidates: count,
  /** Patches in the bank; of all tiles, where each has its own. */
  size: count,
  /** Greatest distance of a candidate to the bank. */
  radius: finite,
  seed: z.int(),
  storage,
  /** Grid cells a patch may wander; null: neighbours come from anywhere. */
  reach: finite.nullable(),
  /** `per-tile`: each tile is compared with its own bank. */
  tiles: z.enum(['shared', 'per-tile']),
  /** Graph files, one a bank; null for a tile of which nothing counts. */
  heads: z.array(z.string().min(1).nullable()).min(1),
});

/** What 8-bit numbers did to decisions about held-out pictures and painted defects, and whether they were taken. */
const quantisation = z.object({
  /** The backbone computes with 8-bit numbers. */
  accepted: z.boolean(),
  /** Why not: it lost AUROC, decided wrongly more often, or was not faster enough where the model was made. */
  reason: z.enum(['auroc', 'decisions', 'not-faster']).nullable(),
  /** 8-bit numbers begin where a cell spans so many pixels; 1: with the picture. Layers before keep 32-bit numbers. */
  fromStride: z.int().positive(),
  /** Held-out AUROC against painted defects, with a backbone of 32-bit and of 8-bit numbers. */
  auroc: z.object({ float: share, int8: share }),
  /** Greatest loss of AUROC, greatest share of more wrong decisions, and least speed-up that are accepted. */
  bounds: z.object({ auroc: share, decisions: share, speed: finite.positive() }),
  changedDecisions: z.object({ count, total: count }),
  /** Good pictures not accepted and painted ones accepted, at thresholds of their own. */
  wrongDecisions: z.object({ float: count, int8: count }),
  /** Backbone milliseconds a view, measured when the model was made. */
  milliseconds: z.object({ float: finite, int8: finite }),
  bytes: z.object({ float: count, int8: count }),
  /** The smallest storage of the bank within the same bounds, and what it did with the backbone that was taken. */
  bank: z.object({ storage, auroc: share, changedDecisions: count, wrongDecisions: count }),
});

/** What every PatchCore model says of itself. */
const common = base.extend({
  format: z.literal(MANIFEST_FORMAT),
  kind: z.literal('patchcore'),
  dataset: dataset.extend({
    /** Pictures of defective parts: for the accept level and, in reference mode, the settings. */
    defects: count,
  }),
  map,
  thresholds,
  calibration,
});

/** Compares patches with a memory bank of good ones. */
const bankManifest = common.extend({
  method: z.literal('bank'),
  preprocessing,
  viewing,
  /** Variants of the pictures that were learnt, too; null: none. */
  augmentation: augmentation.extend({ copies: count }).nullable(),
  /** `file` is set when the backbone lies in this package; otherwise it is one of the embedded ones. */
  backbone: z.object({
    id: z.string().min(1),
    sha256,
    file: z.string().nullable(),
    /** What is taken from it, finest first. */
    outputs: z.array(z.object({ stride: z.int().positive(), name: z.string().min(1) })).min(1),
  }),
  recipe: recipe.extend({
    /** `measured`: the default, or what was clearly better on painted defects; `wished`: by the caller; `default`; `inherited`: from the parent version. */
    chosen: z.enum(['measured', 'wished', 'default', 'inherited']),
    trials: z.array(trial),
  }),
  bank,
  /** Training pictures that look defective, with their held-out scores; a person decides. */
  suspects: z.array(z.object({ name: z.string(), score: finite, learnt: z.boolean() })),
  /** Null: not asked for, or nothing to measure with. */
  quantisation: quantisation.nullable(),
  golden: z.array(goldenPicture),
  goldenTolerance: finite.positive(),
});

/** Compares each part with a golden picture of it. */
const referenceManifest = common.extend({ method: z.literal('reference'), reference: referenceSection });

const anomalyManifest = z
  .discriminatedUnion('method', [bankManifest, referenceManifest])
  .refine(({ calibration: { median }, thresholds: { reject } }) => median < reject, {
    path: ['calibration', 'median'],
    message: 'is not below the reject level',
  });

const manifest = z.discriminatedUnion('kind', [anomalyManifest, detectorManifest, classifierManifest]);

export type BankManifest = Readonly<z.infer<typeof bankManifest>>;
export type ReferenceManifest = Readonly<z.infer<typeof referenceManifest>>;
export type AnomalyManifest = BankManifest | ReferenceManifest;
export type DetectorManifest = Readonly<z.infer<typeof detectorManifest>>;
export type ClassifierManifest = Readonly<z.infer<typeof classifierManifest>>;
export type ModelManifest = AnomalyManifest | DetectorManifest | ClassifierManifest;
export type ManifestOf<Kind extends ModelKind> = Extract<ModelManifest, { readonly kind: Kind }>;
/** A manifest before its files are written and hashed. */
export type UnsealedManifest<Manifest extends ModelManifest = ModelManifest> = Manifest extends ModelManifest
  ? Omit<Manifest, 'files'>
  : never;
export type GoldenPicture = z.infer<typeof goldenPicture>;

/** Files that a model cannot do without. */
export function filesNeeded(manifest: ModelManifest): readonly string[] {
  if (manifest.kind !== 'patchcore') return [manifest.model, ...manifest.golden.map(({ picture }) => picture)];
  if (manifest.method === 'bank') {
    const { backbone, bank, viewing, golden } = manifest;
    const files = [backbone.file, viewing.mask, ...bank.heads, ...golden.map(({ picture }) => picture)];
    return files.filter((file) => file !== null);
  }
  const { picture, golden } = manifest.reference;
  const pairs = golden.flatMap((pair) => [pair.picture, pair.reference]);
  return picture === null ? pairs : [picture, ...pairs];
}

/** How many pictures travel with a model to prove that it judges as it did where it was made. */
export function goldenScores(manifest: ModelManifest): number {
  return (manifest.method === 'reference' ? manifest.reference : manifest).golden.length;
}

/**
 * Checks the text of a `manifest.json`; one of format 1 is given as format 2.
 *
 * @throws {Error} with the place and the cause, when it is no manifest, or of a newer format
 */
export function parseManifest(text: string): ModelManifest {
  const read: unknown = JSON.parse(text);
  const format = (read as { format?: unknown } | null)?.format;
  if (typeof format === 'number' && format > NEWEST_FORMAT) {
    throw new Error(
      `it has format ${format}, made by a newer version of this software; this one reads up to ${NEWEST_FORMAT}`,
    );
  }
  const result = manifest.safeParse(format === FIRST_FORMAT ? upgradeFirstFormat(read) : read);
  if (result.success) return result.data;
  const first = result.error.issues[0];
  throw new Error(`${first.path.join('.') || MANIFEST_FILE}: ${first.message}`);
}
