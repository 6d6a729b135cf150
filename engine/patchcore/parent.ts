import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InspectionError, sha256Of, type TrainingOptions } from '../domain';
import { readMask } from '../imaging';
import { type AnomalyManifest, type BankManifest, verifyFiles } from '../packages';
import { suspects } from '../statistics';
import { type Backbone, backboneOf } from './backbone';
import type { Bank } from './bank';
import { bankOf } from './bank-storage';
import type { Candidates } from './candidates';
import { type BankPlan, type HeldOutScore, openSearchers, scoreViews, withoutPictures } from './cross-validation';
import type { TappedExtractor } from './extractor';
import { type BankOrigins, originsOf, readConditioning, readOrigins } from './package-files';
import { joined, type PatchSet } from './patch-set';
import type { ChosenRecipe } from './recipe-trials';
import type { ExpertOptions, TrainingSettings } from './training-settings';

/** A version that pictures are added to. */
export interface Parent {
  readonly manifest: BankManifest;
  readonly backbone: Backbone;
  readonly tapped: TappedExtractor;
  readonly chosen: ChosenRecipe;
  /** Rows of parent pictures carry negative picture numbers: -1 for the first, -2 for the second. */
  readonly banks: readonly (Bank | null)[];
  readonly pictures: BankOrigins['pictures'];
  /** Numbers of those of its pictures that are known to be defective now: no row comes from them any more. */
  readonly forgotten: ReadonlySet<number>;
}

/** A version that nothing can be added to. */
export class NotExtendable extends InspectionError {
  constructor({ name, version, method }: AnomalyManifest) {
    const why =
      method === 'reference'
        ? 'it compares with golden pictures and learns no pictures. Train anew with all pictures.'
        : 'it was made by an older version of this software, which did not keep what is needed for that. Train anew ' +
          'with all pictures.';
    super({
      code: 'model-not-extendable',
      status: 'train anew',
      message: `Nothing can be added to version ${version} of ${name}: ${why}`,
      parameters: { name, version },
      httpStatus: 409,
    });
  }
}

/**
 * Opens the version that pictures are added to.
 *
 * @throws {ModelInvalid} when a file of it was changed
 * @throws {NotExtendable} when it is of format 1, or a reference model
 */
export async function readParent(folder: string): Promise<Parent> {
  const manifest = await verifyFiles(folder, 'patchcore');
  if (manifest.method === 'reference' || manifest.calibration.method === 'held-out') throw new NotExtendable(manifest);
  const { recipe, bank } = manifest;
  const conditioning = await readConditioning(folder, manifest);
  const { pictures, banks: columns } = await readOrigins(folder);
  if (pictures.some(({ signature }) => signature.length === 0)) throw new NotExtendable(manifest);
  const banks: (Bank | null)[] = [];
  for (const [section, file] of bank.heads.entries()) {
    const own = columns[section];
    if (file === null || own === null) {
      banks.push(null);
      continue;
    }
    const patches = bankOf(await readFile(join(folder, file)));
    const origins = originsOf(own).map((origin) => ({ ...origin, picture: -1 - origin.picture }));
    banks.push({ patches, origins, radius: bank.radius });
  }
  const bytes = await backboneOf(folder, manifest);
  const { id, sha256, file, outputs } = manifest.backbone;
  const { trials } = recipe;
  return {
    manifest,
    backbone: { id, sha256, bytes, embedded: file === null },
    tapped: { bytes, outputs },
    chosen: { recipe, chosen: 'inherited', trials, conditioning },
    banks,
    pictures,
    forgotten: new Set(),
  };
}

/**
 * A parent without the rows of pictures that it took for good and that do not count as good any more.
 *
 * @param gone their hex SHA-256
 */
export function forgetting(parent: Parent, gone: ReadonlySet<string>): Parent {
  const forgotten = new Set(parent.pictures.flatMap(({ sha256 }, place) => (gone.has(sha256) ? [-1 - place] : [])));
  if (forgotten.size === 0) return parent;
  const banks = parent.banks.map((bank) => {
    const kept = bank && withoutPictures(bank, forgotten);
    return bank && kept && kept.patches.rows > 0 ? { ...bank, ...kept } : null;
  });
  return { ...parent, banks, forgotten };
}

/** The parent's way to look at pictures holds for its successors, and its wishes where no others are told. */
export async function inheritedSettings(
  folder: string,
  { manifest }: Parent,
  own: TrainingSettings,
  told: TrainingOptions & ExpertOptions,
): Promise<TrainingSettings> {
  const { preprocessing, viewing, bank, map, calibration } = manifest;
  const file = viewing.mask === null ? null : await readFile(join(folder, viewing.mask));
  const { falseRejectRate = calibration.falseRejectRate, missRate = calibration.missRate } = told;
  const reviewRate = told.reviewRate ?? Math.max(calibration.reviewRate, falseRejectRate);
  const banks = bank.heads.filter((head) => head !== null).length;
  return {
    ...own,
    viewing: { preprocessing, roi: viewing.roi, tiles: viewing.tiles },
    mask: file && { file, mask: await readMask(file) },
    banks: bank.tiles,
    reach: bank.reach,
    augmentation: null,
    coresetSize: told.coresetSize ?? Math.ceil(bank.size / Math.max(1, banks)),
    wishes: { falseRejectRate, reviewRate, missRate },
    sigma: map.sigma,
    storage: bank.storage,
    seed: bank.seed,
  };
}

/**
 * The new pictures that look defective beside the parent's pictures, by the parent's banks, which do not know them.
 *
 * @returns their scores, highest first
 */
export async function suspectsBeside(
  { banks, manifest }: Parent,
  candidates: Candidates,
  plan: BankPlan,
  onProgress: (share: number) => void,
): Promise<readonly HeldOutScore[]> {
  const searchers = await openSearchers(banks, plan);
  const scores: HeldOutScore[] = [];
  try {
    for (const [picture, { views }] of candidates.all) {
      if (views === null) continue;
      plan.signal?.throwIfAborted();
      scores.push({ picture, ...(await scoreViews(searchers, views, plan.scoring, picture)) });
      onProgress(scores.length / candidates.all.size);
    }
  } finally {
    for (const searcher of searchers) await searcher?.close();
  }
  const known = manifest.calibration.scores;
  const all = [...known, ...scores.map(({ score }) => score)];
  const found = suspects(all).flatMap((place) => (place < known.length ? [] : [scores[place - known.length]]));
  return found.sort((a, b) => b.score - a.score);
}

/** What the parent's banks hold, one set a section. */
export function knownPatches({ banks }: Parent, { columns }: Pick<BankPlan, 'columns'>): readonly PatchSet[] {
  return banks.map((bank) => bank ?? joined([], columns));
}

/** One hash over the pictures of the parent and the new ones. */
export function grownHash({ manifest }: Parent, added: string): string {
  return sha256Of(Buffer.from(`${manifest.dataset.sha256}${added}`));
}
