import { createHash } from 'node:crypto';
import { InvalidInput, type SnapshotReference, seededRandom, sha256Of, type TrainingOptions } from '../domain';
import { type Augmentation, augment, contentOf, patchCounts, thumbnail, toViews, type View } from '../imaging';
import { Session } from '../inference';
import {
  assertFree,
  type BankManifest,
  GOLDEN_TOLERANCE,
  type GoldenPicture,
  MANIFEST_FORMAT,
  readPackageFile,
  type UnsealedManifest,
  writePackage,
} from '../packages';
import { type Calibration, type CalibrationMethod, calibrate, nearDuplicates, suspects } from '../statistics';
import { BACKBONE_FILE, type Backbone, resolveBackbone } from './backbone';
import type { Bank } from './bank';
import { Candidates } from './candidates';
import {
  type BankPlan,
  finalBanks,
  foldCoresets,
  type HeldOutScore,
  heldOutScores,
  openSearchers,
  scoreViews,
} from './cross-validation';
import { TooFewPictures } from './errors';
import { Extractor, STRIDES, type TappedExtractor, tapAt } from './extractor';
import { type Heads, headFiles, type StoredPlan } from './head-files';
import { measurePicture, PatchcoreModel } from './model';
import { dimensionsOf, neckGraph } from './neck-graph';
import {
  CONDITIONING_FILE,
  type LearntPicture,
  MASK_FILE,
  numbered,
  ORIGINS_FILE,
  writeConditioning,
  writeOrigins,
} from './package-files';
import {
  forgetting,
  grownHash,
  inheritedSettings,
  knownPatches,
  type Parent,
  readParent,
  suspectsBeside,
} from './parent';
import type { ViewPatches } from './patch-set';
import { type ReadPicture, readPictures, type SkippedPicture } from './picture-reader';
import { signatureOfViews } from './picture-signature';
import { picturesInFolder, type TrainingPicture } from './pictures';
import { Products } from './product';
import { ProgressReport, type TrainingProgress } from './progress';
import { type QuantisationOutcome, type QuantisationReport, quantisedWhereSound } from './quantisation';
import { type ChosenRecipe, chooseRecipe, SAMPLE_PICTURES, viewPatches } from './recipe-trials';
import { imageScore } from './scoring';
import { MOST_SOURCES, packSources, readSourceCopy, SOURCES_FILE, sourceCopy, sourcePictures } from './sources';
import { type ExpertOptions, settingsOf, type TrainingSettings } from './training-settings';
import {
  drawVariations,
  LEAST_TO_HOLD_OUT,
  NO_VARIATION,
  ofAlteredCopy,
  type Variation,
  variationFor,
} from './variation';

/** Fewer readable pictures than this train no model. */
export const MINIMUM_PICTURES = 1;
const NOTHING_COUNTS =
  'Nothing of the pictures counts: the mask leaves nothing of what is looked at, or only lines too thin for the ' +
  "model's input. Paint more of it white, or choose another region of interest or a larger input.";
const GOLDEN_PICTURES = 2;
/** Larger golden pictures are stored as a smaller JPEG, with its own score. */
const GOLDEN_BYTES = 1024 * 1024;
const GOLDEN_WIDTH = 1024;
/** Memory for decoded pictures of the sample. */
const SAMPLE_BYTES = 256 * 1024 * 1024;
/** Encoded pictures of the sample are kept up to this size, so that they need not be got twice. */
const SAMPLE_FILE_BYTES = 4 * 1024 * 1024;

/** A picture that counts as good no more, with its hex SHA-256 as it was learnt. */
export interface WithdrawnPicture extends TrainingPicture {
  readonly sha256: string;
}

export interface PatchcoreTraining extends TrainingOptions, ExpertOptions {
  readonly partType: string;
  /** Pictures of good parts only. */
  readonly pictures: readonly TrainingPicture[];
  /** Pictures of defective parts, besides those of `defectFolder`: they set the accept level and are never learnt. */
  readonly defects?: readonly TrainingPicture[];
  /**
   * Pictures that were taken for good and are not known to be so any more: `updateFrom` forgets those that it knows. Those that
   * can be read take their held-out scores with them.
   */
  readonly withdrawn?: readonly WithdrawnPicture[];
  /** For the manifest: the data set of labelled pictures that these are from. */
  readonly snapshot?: SnapshotReference;
  /** Final package folder: must not exist, or be empty. */
  readonly outFolder: string;
  readonly version: string;
  /** Model name, by default the part type. */
  readonly name?: string;
  readonly parent?: string | null;
  /** Package folder of the version the pictures are added to; without it the training starts anew. */
  readonly updateFrom?: string;
  /** Text for the manifest: where the pictures came from. */
  readonly source: string;
  /** `starter`, the id of a pulled backbone, or the path of an ONNX file. */
  readonly backbone?: string;
  readonly onProgress?: (progress: TrainingProgress) => void;
  readonly signal?: AbortSignal;
}

export interface TrainingResult {
  readonly manifest: BankManifest;
  readonly skipped: readonly SkippedPicture[];
  /** Names of pictures that the parent had learnt as good and that do not count as good any more. */
  readonly forgotten: readonly string[];
}

/**
 * Learns a part type from pictures of good parts and writes the model package.
 *
 * 1. On a sample the recipe is chosen: tap, conditioning, score (`chooseRecipe`).
 * 2. All pictures become conditioned patches. Those that cannot be read, and all but the first of those that are the same to
 *    the byte, are left out and named in the result.
 * 3. Pictures are dealt to folds, near-duplicates together, and each is scored by a bank that does not know it. Those that
 *    look defective are left out of the bank and of the thresholds, and listed for a person, unless they shall be kept.
 * 4. The final bank is chosen from all the others; thresholds come from the held-out scores.
 *
 * With `updateFrom` the pictures are added to a version instead: its recipe, view and wishes hold, each new picture is scored by
 * its patches and those of other new pictures, the banks are chosen anew from the old ones and the new pictures, and all
 * held-out scores count together.
 * Defective pictures are scored by the new banks only, and must be given again where the version knew some. With them and no
 * new good picture, the banks stay and only the accept level is set anew. What the version took from a picture that is among
 * the defective or the withdrawn ones now is forgotten.
 *
 * The package appears at `outFolder` in one step, after its golden pictures have been scored from it. The same pictures in
 * the same order with the same seed give the same bank. Memory is bounded whatever the number of pictures.
 *
 * @throws {TooFewPictures} without a readable picture, or with one when altered copies are switched off
 * @throws {ModelExists} when something is at `outFolder`
 * @throws {NotExtendable} when nothing can be added to the version at `updateFrom`
 * @throws {BackboneNotFound | OnnxInvalid} when the backbone cannot be used
 * @throws {InvalidInput} for a setting out of range
 * @throws the signal's reason when it aborts; nothing stays behind then
 */
export async function trainPatchcore(training: PatchcoreTraining): Promise<TrainingResult> {
  const own = await settingsOf(training);
  await assertFree(training.outFolder);
  const { updateFrom } = training;
  const parent =
    updateFrom === undefined ? null : forgetting(await readParent(updateFrom), await noLongerGood(training));
  if (parent && parent.manifest.partType !== training.partType) {
    const { partType } = parent.manifest;
    throw new InvalidInput(`The version at ${updateFrom} is of part type ${partType}, not ${training.partType}.`, {
      partType,
    });
  }
  const { defectFolder, defects: defective = [] } = training;
  if (parent && parent.manifest.calibration.defects > 0 && defectFolder === undefined && defective.length === 0) {
    // the new bank scores them otherwise, mostly lower: with their old scores some would pass
    const { defects } = parent.manifest.calibration;
    throw new InvalidInput(
      `The accept level of this version comes from ${defects} pictures of defective parts. Give their folder again (defects), or label pictures NG, ` +
        'so that the new bank scores them.',
      { defects },
    );
  }
  const settings =
    parent && updateFrom !== undefined ? await inheritedSettings(updateFrom, parent, own, training) : own;
  const backbone =
    parent?.backbone ?? (await resolveBackbone(training.backbone, { normalisation: training.normalisation }));
  const work = new TrainingWork(training, settings, backbone, parent);
  try {
    return await work.run();
  } finally {
    await work.close();
  }
}

/** Hex SHA-256 of the defective pictures that can be read, and of the withdrawn ones. */
async function noLongerGood(training: PatchcoreTraining): Promise<ReadonlySet<string>> {
  const hashes = new Set(training.withdrawn?.map(({ sha256 }) => sha256));
  for (const { picture } of await defectsOf(training)) {
    const bytes = await Promise.resolve(typeof picture === 'function' ? picture() : picture).catch(() => null);
    if (bytes !== null) hashes.add(sha256Of(bytes));
  }
  return hashes;
}

async function defectsOf({ defectFolder, defects = [] }: PatchcoreTraining): Promise<readonly TrainingPicture[]> {
  return [...(defectFolder === undefined ? [] : await picturesInFolder(defectFolder)), ...defects];
}

/** Everything that is open while one model is trained. */
class TrainingWork {
  private readonly progress: ProgressReport;
  private readonly open: { close(): Promise<void> }[] = [];
  private readonly skipped: SkippedPicture[] = [];
  /** Each picture used, by its place; those of a parent below 0. */
  private readonly used = new Map<number, LearntPicture>();
  private readonly twins = new Map<string, string>();
  /** Small copies of the pictures read first, by their SHA-256: to get a picture twice can be dear. */
  private readonly copies = new Map<string, Buffer>();
  /** Place of each picture in the list of training pictures, by its SHA-256. */
  private readonly places = new Map<string, number>();
  /** Scores of pictures that were good once, by banks that do not know them any more. */
  private readonly unlearnt: number[] = [];
  /** Encoded pictures of the sample, by their place. */
  private readonly files = new Map<number, Buffer>();

  constructor(
    private readonly training: PatchcoreTraining,
    private readonly settings: TrainingSettings,
    private readonly backbone: Backbone,
    private readonly parent: Parent | null,
  ) {
    this.progress = new ProgressReport(training.pictures.length, training.onProgress);
    for (const [place, picture] of (parent?.pictures ?? []).entries()) {
      if (parent?.forgotten.has(-1 - place)) continue;
      this.used.set(-1 - place, picture);
      this.twins.set(picture.sha256, `${picture.name}, which the model knows already`);
    }
  }

  async run(): Promise<TrainingResult> {
    const { settings, parent } = this;
    const inherited = parent && { ...parent, storage: settings.storage, report: parent.manifest.quantisation };
    const { chosen, tapped, storage, report, variation } = inherited
      ? { ...inherited, variation: NO_VARIATION }
      : await this.choose();
    const { preprocessing } = settings.viewing;
    const extractor = this.opened(await Extractor.open(this.backbone, tapped, preprocessing, settings.threads));
    const neck = this.opened(await Session.open(neckGraph(extractor.layers, chosen.conditioning), settings.threads));
    const collected = await this.collect(extractor, neck, variation);
    const plan = { ...this.planFor(chosen, extractor, collected.grid), storage };
    const scored = await (parent ? this.grow(parent, collected, plan) : this.score(collected, plan));
    const defects = await this.defectScores(extractor, neck, scored.banks, plan);
    const levels = this.levelsOf(scored, defects, collected.groups, variation.method);
    return this.write({ chosen, tapped, report, extractor, plan, collected, scored, defects, levels, variation });
  }

  async close(): Promise<void> {
    for (const part of this.open) await part.close();
  }

  private opened<T extends { close(): Promise<void> }>(part: T): T {
    this.open.push(part);
    return part;
  }

  /** How features are taken, on a sample. */
  private async choose(): Promise<QuantisationOutcome & { readonly variation: Variation }> {
    const { settings, progress, backbone } = this;
    const sample = await this.sample();
    const variation = variationFor(settings.augmentation, sample.length, this.training.pictures.length);
    progress.at('condition', 0);
    const products = this.opened(await Products.open(settings.threads));
    const common = { backbone, settings, products, signal: this.training.signal };
    const trials = settings.quantise === 'never' ? 1 : 0.5;
    const chosen = await chooseRecipe(sample, {
      ...common,
      random: seededRandom(settings.seed),
      onProgress: (share) => progress.at('condition', trials * share),
    });
    const tapped = tapAt(backbone, chosen.recipe.moment, settings.viewing.preprocessing);
    const outcome = await quantisedWhereSound(sample, tapped, chosen, {
      ...common,
      onProgress: (share) => progress.at('condition', trials + (1 - trials) * share),
    });
    return { ...outcome, variation };
  }

  /** Some pictures, spread evenly over all, decoded; all of them when they are few. */
  private async sample(): Promise<ReadPicture[]> {
    const { pictures } = this.training;
    const { viewing } = this.settings;
    const { width, height } = viewing.preprocessing;
    const tiles = viewing.tiles ? viewing.tiles.columns * viewing.tiles.rows : 1;
    const limit = Math.max(8, Math.min(SAMPLE_PICTURES, Math.floor(SAMPLE_BYTES / (12 * width * height * tiles))));
    const count = Math.min(limit, pictures.length);
    const spread = new Set(
      Array.from({ length: count }, (_, index) => Math.floor(((index + 0.5) * pictures.length) / count)),
    );
    // the others stand in for those that cannot be read
    const places = [...spread, ...[...pictures.keys()].filter((place) => !spread.has(place))];
    const found = new Map<string, ReadPicture>();
    let skipped = 0;
    for await (const read of readPictures(
      places.map((place) => pictures[place]),
      viewing,
    )) {
      this.training.signal?.throwIfAborted();
      if ('reason' in read || found.has(read.sha256)) skipped += 1;
      else {
        found.set(read.sha256, { ...read, index: places[read.index] });
        if (read.picture.length <= SAMPLE_FILE_BYTES) this.files.set(places[read.index], read.picture);
      }
      if (found.size === count) break;
    }
    if (found.size === 0) throw new TooFewPictures(0, skipped, MINIMUM_PICTURES);
    const sample = [...found.values()];
    if (!sample.some(({ views }) => this.isAnyCounted(views))) throw new InvalidInput(NOTHING_COUNTS);
    return sample;
  }

  private isAnyCounted(views: readonly View[]): boolean {
    const mask = this.settings.mask?.mask ?? null;
    const [stride] = STRIDES;
    return views.some((view) => patchCounts(view, mask, view.height / stride, view.width / stride).includes(1));
  }

  private async collect(extractor: Extractor, neck: Session, variation: Variation): Promise<Collected> {
    const { training, settings, progress } = this;
    const { viewing, banks, threads, seed } = settings;
    const tiles = viewing.tiles ? viewing.tiles.columns * viewing.tiles.rows : 1;
    const sections = banks === 'per-tile' ? tiles : 1;
    const random = seededRandom(seed);
    const asPictures = variation.method === 'augmented';
    const expected = training.pictures.length * (asPictures ? 1 + variation.copies : 1);
    const candidates = new Candidates(Math.max(1, expected), sections, random, threads);
    const added: LearntPicture[] = [];
    const groupOf = new Map<number, number>();
    const golden: Buffer[] = [];
    const hash = createHash('sha256');
    let grid: Collected['grid'] = { rows: 1, columns: 1 };
    let [total, seen] = [0, 0];
    progress.at('extract', 0);
    const pictures = training.pictures.map((one, place) => ({ ...one, picture: this.files.get(place) ?? one.picture }));
    for await (const read of readPictures(pictures, viewing)) {
      training.signal?.throwIfAborted();
      seen += 1;
      const picture = this.admit(read);
      progress.picture(seen, this.skipped.length);
      if (picture === null) continue;
      hash.update(Buffer.from(picture.sha256, 'hex'));
      const { name, sha256 } = picture;
      const { sourceWidth: width, sourceHeight: height } = picture.views[0].placement;
      const learnt = { name, sha256, signature: signatureOfViews(picture.views), size: { width, height } };
      this.places.set(sha256, picture.index);
      if (this.copies.size < MOST_SOURCES) this.copies.set(sha256, await sourceCopy(picture.picture, learnt.size));
      added.push(learnt);
      const patchesOf = async (change: Augmentation | null) => {
        const found: ViewPatches[] = [];
        for (const view of picture.views) {
          const section = sections === 1 ? 0 : view.tile;
          const shown = change === null ? view : { ...view, data: augment(view, change, contentOf(view)) };
          const patches = await viewPatches(extractor, neck, shown, settings.mask?.mask ?? null, section);
          found.push(change === null ? patches : ofAlteredCopy(patches, view, change));
        }
        return found;
      };
      const views = await patchesOf(null);
      const copies: ViewPatches[][] = [];
      for (const change of drawVariations(variation, random)) copies.push(await patchesOf(change));
      if (asPictures) {
        // each copy is scored, and known to be of this picture
        for (const [copy, altered] of [views, ...copies].entries()) {
          const place = picture.index * (1 + variation.copies) + copy;
          groupOf.set(place, picture.index);
          this.used.set(place, learnt);
          await candidates.add(place, altered);
        }
      } else {
        this.used.set(picture.index, learnt);
        await candidates.add(picture.index, views, copies.flat());
      }
      total += [views, ...copies].flat().reduce((sum, { counts }) => sum + counts.reduce((a, b) => a + b, 0), 0);
      grid = { rows: views[0].gridRows, columns: views[0].gridColumns };
      if (golden.length < GOLDEN_PICTURES) golden.push(await goldenOf(picture.picture));
    }
    training.signal?.throwIfAborted();
    const count = added.length;
    const isUpdate = this.parent !== null;
    const needed = isUpdate && (this.hasDefects || this.forgotten.length > 0) ? 0 : asPictures || isUpdate ? 1 : 2;
    if (count < needed) throw new TooFewPictures(count, this.skipped.length, needed);
    for (const picture of count === 0 ? await this.goldenOfParent() : []) {
      const views = await this.viewsOf(picture, extractor, neck);
      grid = { rows: views[0].gridRows, columns: views[0].gridColumns };
      golden.push(picture);
    }
    if (!asPictures) {
      const before = this.parent?.pictures ?? [];
      const groups = nearDuplicates([...before, ...added].map(({ signature }) => Float32Array.from(signature)));
      for (const place of before.keys()) groupOf.set(-1 - place, groups[place]);
      for (const [place, picture] of [...candidates.all.keys()].entries()) {
        groupOf.set(picture, groups[before.length + place]);
      }
    }
    return { candidates, groups: groupOf, golden, grid, sections, total, count, sha256: hash.digest('hex') };
  }

  private get forgotten(): readonly LearntPicture[] {
    const { pictures = [], forgotten = new Set() } = this.parent ?? {};
    return pictures.filter((_, place) => forgotten.has(-1 - place));
  }

  private get hasDefects(): boolean {
    const { defectFolder, defects = [] } = this.training;
    return defectFolder !== undefined || defects.length > 0;
  }

  /** What proves a version with nothing new in its bank. */
  private async goldenOfParent(): Promise<Buffer[]> {
    const { updateFrom } = this.training;
    if (!this.parent || updateFrom === undefined) return [];
    return Promise.all(this.parent.manifest.golden.map(({ picture }) => readPackageFile(updateFrom, picture)));
  }

  private async viewsOf(picture: Buffer, extractor: Extractor, neck: Session): Promise<ViewPatches[]> {
    const { views } = await toViews(picture, this.settings.viewing);
    return this.patchesOf(views, extractor, neck);
  }

  private async patchesOf(views: readonly View[], extractor: Extractor, neck: Session): Promise<ViewPatches[]> {
    const { viewing, banks, mask } = this.settings;
    const found: ViewPatches[] = [];
    for (const view of views) {
      const section = banks === 'per-tile' && viewing.tiles ? view.tile : 0;
      found.push(await viewPatches(extractor, neck, view, mask?.mask ?? null, section));
    }
    return found;
  }

  /** Notes a picture that is skipped. */
  private admit(read: ReadPicture | SkippedPicture): ReadPicture | null {
    if ('reason' in read) {
      this.skipped.push(read);
      return null;
    }
    const twin = this.twins.get(read.sha256);
    if (twin !== undefined) {
      // in the bank and among the held-out pictures it would make the thresholds too tight
      this.skipped.push({ name: read.name, reason: `It is the same picture as ${twin}.` });
      return null;
    }
    this.twins.set(read.sha256, read.name);
    return read;
  }

  private planFor({ recipe, conditioning }: ChosenRecipe, extractor: Extractor, grid: Collected['grid']): BankPlan {
    const { settings } = this;
    const { tiles } = settings.viewing;
    return {
      sections: settings.banks === 'per-tile' && tiles ? tiles.columns * tiles.rows : 1,
      columns: dimensionsOf(extractor.layers, conditioning),
      size: settings.coresetSize,
      position: settings.reach === null ? null : { reach: settings.reach, grid },
      spacing: recipe.spacing,
      scoring: recipe.scoring,
      sigma: settings.sigma,
      stride: extractor.layers[0].stride,
      threads: settings.threads,
      seed: settings.seed,
      signal: this.training.signal,
    };
  }

  /** Held-out scores of all good pictures, and those that look defective. */
  private async score({ candidates, groups, count }: Collected, plan: BankPlan): Promise<Scored> {
    const { progress, settings } = this;
    const independent = new Set(groups.values()).size;
    if (independent < 2 && count > 1) throw new TooFewPictures(independent, count - independent, 2);
    progress.at('coreset', 0);
    // of a single picture there are only copies to deal, and each is its own group
    const dealt = independent < 2 ? new Map<number, number>() : groups;
    const coresets = await foldCoresets(candidates, dealt, plan, (share) => progress.at('coreset', share));
    progress.at('calibrate', 0);
    const calibrating = (share: number) => progress.at('calibrate', 0.5 * share);
    let scores = await heldOutScores(candidates, coresets, new Set(), plan, calibrating);
    const found = new Map<number, HeldOutScore>();
    if (count >= LEAST_TO_HOLD_OUT) {
      const suspect = (among: readonly HeldOutScore[]) =>
        suspects(among.map(({ score }) => score)).map((at) => among[at]);
      for (const one of suspect(scores)) found.set(one.picture, one);
      if (found.size > 0 && !settings.keepSuspects) {
        // defective pictures of one kind hide each other until the first of them are out of the banks
        const known = new Set(found.keys());
        const again = (share: number) => progress.at('calibrate', 0.5 + 0.5 * share);
        scores = await heldOutScores(candidates, coresets, known, plan, again);
        for (const one of suspect(scores.filter(({ picture }) => !known.has(picture)))) found.set(one.picture, one);
      }
    }
    const leftOut = new Set(settings.keepSuspects ? [] : found.keys());
    return {
      banks: await finalBanks(coresets, leftOut, plan),
      folds: coresets.folds,
      leftOut,
      good: scores.filter(({ picture }) => !leftOut.has(picture)),
      suspects: [...found.values()].sort((a, b) => b.score - a.score),
    };
  }

  /**
   * The parent's banks with the new pictures. Each of these is scored by a bank of the parent's patches and those of other
   * new pictures: the parent alone would find a new variant strange, and thresholds above that would let defects pass.
   */
  private async grow(parent: Parent, { candidates, groups }: Collected, plan: BankPlan): Promise<Scored> {
    const { progress, settings } = this;
    const { folds } = parent.manifest.calibration;
    if (candidates.all.size === 0) {
      if (parent.banks.every((bank) => bank === null)) throw new TooFewPictures(0, this.skipped.length, 2);
      return { banks: parent.banks, folds, leftOut: new Set(), good: [], suspects: [] };
    }
    const part = (from: number, to: number) => (share: number) => progress.at('coreset', from + (to - from) * share);
    part(0, 0)(0);
    const found = await suspectsBeside(parent, candidates, plan, part(0, 0.4));
    const leftOut = new Set(settings.keepSuspects ? [] : found.map(({ picture }) => picture));
    const patches = knownPatches(parent, plan);
    const coresets = await foldCoresets(candidates, groups, plan, part(0.4, 0.6));
    const scores = await heldOutScores(candidates, coresets, leftOut, plan, part(0.6, 1), patches);
    // what the parent has seen almost as it is says nothing about parts to come
    const isKnown = (picture: number) => picture < 0 && !parent.forgotten.has(picture);
    const known = new Set([...groups].flatMap(([picture, group]) => (isKnown(picture) ? [group] : [])));
    const isNew = (picture: number) => !known.has(groups.get(picture) ?? picture);
    return {
      banks: await finalBanks(coresets, leftOut, plan, patches),
      folds,
      leftOut,
      good: scores.filter(({ picture }) => !leftOut.has(picture) && isNew(picture)),
      suspects: found,
    };
  }

  private async defectScores(
    extractor: Extractor,
    neck: Session,
    banks: readonly (Bank | null)[],
    plan: BankPlan,
  ): Promise<number[]> {
    const { signal, withdrawn = [] } = this.training;
    const pictures = await defectsOf(this.training);
    const forgotten = new Set(this.forgotten.map(({ sha256 }) => sha256));
    const gone = withdrawn.filter(({ sha256 }) => forgotten.has(sha256));
    if (pictures.length === 0 && gone.length === 0) return [];
    const { viewing } = this.settings;
    const searchers = await openSearchers(banks, plan);
    const scoreOf = async ({ views }: ReadPicture) =>
      (await scoreViews(searchers, await this.patchesOf(views, extractor, neck), plan.scoring)).score;
    try {
      const scores: number[] = [];
      const seen = new Map<string, string>();
      for await (const read of readPictures(pictures, viewing)) {
        signal?.throwIfAborted();
        if ('reason' in read) {
          this.skipped.push(read);
          continue;
        }
        const good = this.twins.get(read.sha256);
        const twin = good === undefined ? seen.get(read.sha256) : `${good}, which cannot be both`;
        if (twin !== undefined) {
          this.skipped.push({ name: read.name, reason: `It is the same picture as ${twin}.` });
          continue;
        }
        seen.set(read.sha256, read.name);
        const score = await scoreOf(read);
        scores.push(score);
        if (forgotten.has(read.sha256)) this.unlearnt.push(score);
      }
      for await (const read of readPictures(gone, viewing)) {
        signal?.throwIfAborted();
        if ('reason' in read || seen.has(read.sha256)) continue;
        seen.set(read.sha256, read.name);
        this.unlearnt.push(await scoreOf(read));
      }
      return scores;
    } finally {
      for (const searcher of searchers) await searcher?.close();
    }
  }

  private levelsOf(
    { good, folds }: Scored,
    defective: readonly number[],
    groups: ReadonlyMap<number, number>,
    method: CalibrationMethod,
  ): Levels {
    const { wishes, sigma } = this.settings;
    const known = this.parent?.manifest;
    const numbers = good.map(({ picture }) => groups.get(picture) ?? picture);
    const scores = good.map(({ score }) => score);
    if (known) {
      // each of the parent's scores stands for itself; altered copies of few pictures count no more once there are others
      const { calibration, map } = known;
      const before = calibration.method === 'augmented' ? [] : withoutNearest(calibration.scores, this.unlearnt);
      const input = {
        method,
        folds,
        good: [...before, ...scores],
        groups: [...before.map((_, place) => -1 - place), ...numbers],
        defective,
      };
      if (input.good.length < 2) throw new TooFewPictures(scores.length, this.skipped.length, 2);
      return { calibration: calibrate(input, wishes), map };
    }
    const input = { method, folds: method === 'augmented' ? 0 : folds, groups: numbers };
    const calibration = calibrate({ ...input, good: scores, defective }, wishes);
    const peaks = calibrate({ ...input, good: good.map(({ peak }) => peak) }, wishes);
    const pixels = Float64Array.from(good.flatMap((one) => one.pixels)).sort();
    const zero = pixels[Math.floor(pixels.length / 2)] ?? 0;
    const region = Math.max(peaks.thresholds.accept, zero + 1e-6);
    return { calibration, map: { sigma, zero, region, full: zero + 2 * (region - zero) } };
  }

  private async write(made: Made): Promise<TrainingResult> {
    const { training, settings, progress, backbone } = this;
    const { chosen, tapped, extractor, plan, collected, scored, defects, levels, variation } = made;
    const { banks } = scored;
    const { thresholds, ...calibration } = levels.calibration;
    const before = this.parent?.manifest ?? null;
    const learnt = collected.count - scored.leftOut.size + (before?.bank.pictures ?? 0) - this.forgotten.length;
    const used = new Map([...this.used].filter(([picture]) => !scored.leftOut.has(picture)));
    progress.at('package', 0);
    const heads = await headFiles(banks, chosen.conditioning, extractor.layers, plan);
    const pictures = numbered(used);
    const sources = await sourcePictures(banks, pictures, (picture) => this.copyOf(picture));
    const isEmbedded = backbone.embedded && tapped.bytes === backbone.bytes;
    const manifest: UnsealedManifest<BankManifest> = {
      format: MANIFEST_FORMAT,
      kind: 'patchcore',
      method: 'bank',
      name: training.name ?? training.partType,
      version: training.version,
      partType: training.partType,
      createdAt: new Date().toISOString(),
      parent: training.parent ?? before?.version ?? null,
      dataset: {
        source: training.source,
        count: learnt,
        skipped: this.skipped.length,
        sha256: this.parent ? grownHash(this.parent, collected.sha256) : collected.sha256,
        defects: defects.length,
        ...(training.snapshot && { snapshot: training.snapshot }),
      },
      preprocessing: { ...settings.viewing.preprocessing, fastShrinkOnLoad: false },
      viewing: { roi: settings.viewing.roi, tiles: settings.viewing.tiles, mask: settings.mask && MASK_FILE },
      augmentation: before ? before.augmentation : variation.wish && { ...variation.wish, copies: variation.copies },
      backbone: {
        id: backbone.id,
        sha256: isEmbedded ? backbone.sha256 : createHash('sha256').update(tapped.bytes).digest('hex'),
        file: isEmbedded ? null : BACKBONE_FILE,
        outputs: [...extractor.outputs],
      },
      recipe: { ...chosen.recipe, chosen: chosen.chosen, trials: [...chosen.trials] },
      bank: {
        pictures: learnt,
        candidates: collected.total + (before?.bank.candidates ?? 0),
        size: banks.reduce((sum, bank) => sum + (bank?.patches.rows ?? 0), 0),
        radius: Math.max(...banks.map((bank) => bank?.radius ?? 0)),
        seed: settings.seed,
        storage: plan.storage,
        reach: settings.reach,
        tiles: settings.banks,
        heads: heads.names,
      },
      map: levels.map,
      thresholds,
      calibration,
      suspects: scored.suspects.map(({ picture, score }) => ({
        name: this.used.get(picture)?.name ?? '',
        score,
        learnt: settings.keepSuspects,
      })),
      quantisation: made.report,
      metrics: progress.secondsPerStage(),
      golden: [],
      goldenTolerance: GOLDEN_TOLERANCE,
    };
    const golden = await this.scoreGolden({ ...manifest, files: {} }, extractor, heads, collected.golden);
    const files = {
      ...heads.files,
      ...(chosen.conditioning && { [CONDITIONING_FILE]: writeConditioning(chosen.conditioning) }),
      ...(settings.mask && { [MASK_FILE]: settings.mask.file }),
      ...(isEmbedded ? {} : { [BACKBONE_FILE]: tapped.bytes }),
      [ORIGINS_FILE]: writeOrigins(banks, pictures, sources),
      [SOURCES_FILE]: packSources(sources, pictures.list.length),
      ...golden.files,
    };
    const sealed = await writePackage(
      training.outFolder,
      { ...manifest, golden: golden.list },
      files,
      async (folder) => {
        progress.at('verify', 0);
        training.signal?.throwIfAborted();
        const model = await PatchcoreModel.load(folder, { threads: settings.threads });
        await model.dispose();
        training.signal?.throwIfAborted();
      },
    );
    progress.at('verify', 1);
    return { manifest: sealed, skipped: this.skipped, forgotten: this.forgotten.map(({ name }) => name) };
  }

  /** A small copy of a picture that was learnt; null when it cannot be had any more. */
  private async copyOf(picture: number): Promise<Buffer | null> {
    const { training } = this;
    training.signal?.throwIfAborted();
    if (picture < 0)
      return training.updateFrom === undefined ? null : readSourceCopy(training.updateFrom, -1 - picture);
    const { sha256, size } = this.used.get(picture) as LearntPicture;
    const copy = this.copies.get(sha256);
    if (copy) return copy;
    const source = training.pictures[this.places.get(sha256) as number].picture;
    const bytes = await Promise.resolve(typeof source === 'function' ? source() : source).catch(() => null);
    return bytes === null || size === null || sha256Of(bytes) !== sha256 ? null : sourceCopy(bytes, size);
  }

  private async scoreGolden(
    manifest: BankManifest,
    extractor: Extractor,
    heads: Heads,
    pictures: readonly Buffer[],
  ): Promise<{ list: GoldenPicture[]; files: Record<string, Uint8Array> }> {
    const sessions: (Session | null)[] = [];
    for (const name of heads.names) {
      sessions.push(name === null ? null : this.opened(await Session.open(heads.files[name], this.settings.threads)));
    }
    const parts = { manifest, backbone: extractor.session, heads: sessions, mask: this.settings.mask?.mask ?? null };
    const list: GoldenPicture[] = [];
    const files: Record<string, Uint8Array> = {};
    for (const [index, picture] of pictures.entries()) {
      const path = `golden/${index + 1}.${picture[0] === 0x89 ? 'png' : 'jpg'}`;
      files[path] = picture;
      list.push({
        picture: path,
        score: imageScore((await measurePicture(parts, picture)).views, manifest.recipe.scoring),
      });
    }
    return { list, files };
  }
}

interface Collected {
  readonly candidates: Candidates;
  /** Number of each picture's group of near-duplicates, by its place. */
  readonly groups: ReadonlyMap<number, number>;
  readonly golden: readonly Buffer[];
  readonly grid: { readonly rows: number; readonly columns: number };
  readonly sections: number;
  /** Patches of all pictures. */
  readonly total: number;
  /** Different readable pictures. */
  readonly count: number;
  readonly sha256: string;
}

interface Scored {
  /** The final ones. */
  readonly banks: readonly (Bank | null)[];
  readonly folds: number;
  readonly leftOut: ReadonlySet<number>;
  readonly good: readonly HeldOutScore[];
  readonly suspects: readonly HeldOutScore[];
}

interface Levels {
  readonly calibration: Calibration;
  readonly map: BankManifest['map'];
}

interface Made {
  readonly chosen: ChosenRecipe;
  readonly tapped: TappedExtractor;
  readonly report: QuantisationReport | null;
  readonly extractor: Extractor;
  readonly plan: StoredPlan;
  readonly collected: Collected;
  readonly scored: Scored;
  readonly defects: readonly number[];
  readonly levels: Levels;
  readonly variation: Variation;
}

/** Scores less those nearest to what some of the pictures get now: which picture had which score is not kept. */
function withoutNearest(scores: readonly number[], gone: readonly number[]): readonly number[] {
  const left = [...scores];
  for (const score of gone) {
    const distances = left.map((one) => Math.abs(one - score));
    left.splice(distances.indexOf(Math.min(...distances)), 1);
  }
  return left;
}

async function goldenOf(picture: Buffer): Promise<Buffer> {
  return picture.length > GOLDEN_BYTES ? thumbnail(picture, GOLDEN_WIDTH) : picture;
}
