import { seededRandom, type Verdict, verdictOf } from '../domain';
import { Session } from '../inference';
import { auroc, calibrate } from '../statistics';
import type { Backbone } from './backbone';
import { chooseBank, searchOf } from './bank';
import type { BankStorage } from './bank-storage';
import { conditioned, featureMoments, fitConditioning } from './conditioning';
import { Extractor, type TappedExtractor } from './extractor';
import { type Conditioning, neckGraph } from './neck-graph';
import { countedPatches, joined, type PatchSet, someRows, type ViewPatches } from './patch-set';
import type { ReadPicture } from './picture-reader';
import type { Products } from './product';
import { viewPatches } from './recipe-trials';
import { imageScore, neighboursFor } from './scoring';
import { Searcher } from './searcher';
import { paintDefect } from './synthetic-defects';
import type { Recipe, TrainingSettings } from './training-settings';

/** Half of the pictures make the bank for the others. */
const FOLDS = 2;
/** Painted copies of all pictures together, about: with few pictures one of them would weigh too much. */
const PAINTED_PICTURES = 128;
/** Patches the conditioning is fitted to and the banks are chosen from. */
const SAMPLE_PATCHES = 24_000;
const TRIAL_BANK = 600;

export interface TrialSettings {
  readonly backbone: Backbone;
  readonly settings: TrainingSettings;
  readonly products: Products;
  readonly signal?: AbortSignal;
  readonly onProgress: (share: number) => void;
}

/** Held-out scores with one backbone and one storage of the bank, each picture at the same place in every trial. */
export interface TrialScores {
  readonly good: readonly number[];
  /** The same pictures with painted defects, each several times. */
  readonly painted: readonly number[];
}

export interface BackboneTrial {
  /** Fitted to this backbone's features. */
  readonly conditioning: Conditioning | null;
  readonly scores: ReadonlyMap<BankStorage, TrialScores>;
}

/**
 * Scores good pictures, and the same with painted defects, by banks of the others. The same seed paints the same defects, so
 * that trials of different backbones can be compared picture by picture.
 *
 * @param sample decoded good pictures, at least 8
 */
export async function tryBackbone(
  tapped: TappedExtractor,
  recipe: Recipe,
  sample: readonly ReadPicture[],
  storages: readonly BankStorage[],
  trial: TrialSettings,
): Promise<BackboneTrial> {
  const { preprocessing } = trial.settings.viewing;
  const extractor = await Extractor.open(trial.backbone, tapped, preprocessing, trial.settings.threads);
  try {
    const { drawn, conditioning } = await fitOn(extractor, recipe, sample, trial);
    const scores = await scoresOf(extractor, conditioning, drawn, recipe, sample, storages, trial);
    return { conditioning, scores };
  } finally {
    await extractor.close();
  }
}

/** Some patches of each picture, as the backbone gives them, and the conditioning fitted to all of them. */
async function fitOn(
  extractor: Extractor,
  recipe: Recipe,
  sample: readonly ReadPicture[],
  { settings, products, signal, onProgress }: TrialSettings,
): Promise<{ readonly drawn: readonly PatchSet[]; readonly conditioning: Conditioning | null }> {
  const random = seededRandom(settings.seed + 3);
  const quota = Math.ceil(SAMPLE_PATCHES / sample.length);
  const neck = await Session.open(neckGraph(extractor.layers, null), settings.threads);
  try {
    const drawn: PatchSet[] = [];
    for (const [index, { views }] of sample.entries()) {
      signal?.throwIfAborted();
      const sets: PatchSet[] = [];
      for (const view of views) {
        sets.push(countedPatches(await viewPatches(extractor, neck, view, settings.mask?.mask ?? null), index));
      }
      drawn.push(someRows(joined(sets, sets[0].patches.columns), quota, random));
      onProgress((0.3 * (index + 1)) / sample.length);
    }
    const all = joined(drawn, drawn[0].patches.columns);
    const moments = await featureMoments(all.patches, extractor.layers, products);
    return {
      drawn,
      conditioning: await fitConditioning(recipe.conditioning, moments, recipe.dimension, products, random),
    };
  } finally {
    await neck.close();
  }
}

async function scoresOf(
  extractor: Extractor,
  conditioning: Conditioning | null,
  drawn: readonly PatchSet[],
  recipe: Recipe,
  sample: readonly ReadPicture[],
  storages: readonly BankStorage[],
  { settings, products, signal, onProgress }: TrialSettings,
): Promise<Map<BankStorage, { good: number[]; painted: number[] }>> {
  const { threads, mask } = settings;
  const random = seededRandom(settings.seed + 4);
  const copies = Math.ceil(PAINTED_PICTURES / sample.length);
  const scores = new Map(storages.map((storage) => [storage, { good: [] as number[], painted: [] as number[] }]));
  const searchers: Map<BankStorage, Searcher>[] = [];
  const neck = await Session.open(neckGraph(extractor.layers, conditioning), threads);
  try {
    for (let fold = 0; fold < FOLDS; fold += 1) {
      const others = drawn.filter((_, index) => index % FOLDS !== fold);
      searchers.push(await openFold(others, conditioning, recipe, storages, extractor, settings, products));
    }
    const look = async (view: ReadPicture['views'][number]) => viewPatches(extractor, neck, view, mask?.mask ?? null);
    const compare = async (views: readonly ViewPatches[], fold: number, kind: 'good' | 'painted') => {
      for (const [storage, searcher] of searchers[fold]) {
        const distances = [];
        for (const view of views) distances.push(await searcher.compare(view));
        scores.get(storage)?.[kind].push(imageScore(distances, recipe.scoring));
      }
    };
    for (const [index, picture] of sample.entries()) {
      signal?.throwIfAborted();
      const views: ViewPatches[] = [];
      for (const view of picture.views) views.push(await look(view));
      await compare(views, index % FOLDS, 'good');
      for (let copy = 0; copy < copies; copy += 1) {
        const donor = sample[Math.floor(random() * sample.length)];
        const place = Math.floor(random() * views.length);
        const { counts, gridColumns, gridRows } = views[place];
        const grid = { data: counts, width: gridColumns, height: gridRows };
        const { data } = paintDefect(picture.views[place], donor.views[place], random, grid);
        await compare(views.with(place, await look({ ...picture.views[place], data })), index % FOLDS, 'painted');
      }
      onProgress(0.3 + (0.7 * (index + 1)) / sample.length);
    }
    return scores;
  } finally {
    for (const fold of searchers) for (const searcher of fold.values()) await searcher.close();
    await neck.close();
  }
}

/** One bank, once in each storage. */
async function openFold(
  sets: readonly PatchSet[],
  conditioning: Conditioning | null,
  recipe: Recipe,
  storages: readonly BankStorage[],
  { layers }: Extractor,
  { threads, seed, sigma }: TrainingSettings,
  products: Products,
): Promise<Map<BankStorage, Searcher>> {
  const { patches, origins } = joined(sets, sets[0].patches.columns);
  const candidates = { patches: await conditioned(patches, conditioning, products), origins };
  const choice = { size: TRIAL_BANK, position: null, threads };
  const bank = await chooseBank(candidates, choice, seededRandom(seed + 5));
  const neighbours = neighboursFor(recipe.scoring, bank.patches.rows);
  const search = await searchOf(bank, { spacing: recipe.spacing, position: null, neighbours, threads });
  const searchers = new Map<BankStorage, Searcher>();
  for (const storage of storages) {
    const made = { ...search, storage, sigma, stride: layers[0].stride };
    searchers.set(storage, await Searcher.open(made, threads));
  }
  return searchers;
}

/** What scores mean for decisions, at thresholds calibrated on the good ones. */
export interface Decisions {
  /** Image AUROC of good pictures against painted ones. */
  readonly auroc: number;
  /** Good pictures not accepted, and painted ones accepted. */
  readonly wrong: number;
  /** The decision about each picture: the good ones, then the painted ones. */
  readonly each: readonly Verdict[];
}

export function decisionsOf({ good, painted }: TrialScores, settings: TrainingSettings): Decisions {
  const { thresholds } = calibrate({ good, method: 'cross-validated', folds: FOLDS }, settings.wishes);
  const decide = (score: number) => verdictOf(score, thresholds);
  const [ofGood, ofPainted] = [good.map(decide), painted.map(decide)];
  const wrong =
    ofGood.filter((decision) => decision !== 'OK').length + ofPainted.filter((decision) => decision === 'OK').length;
  return { auroc: auroc(good, painted), wrong, each: [...ofGood, ...ofPainted] };
}
