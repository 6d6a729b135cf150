import type { Random } from '../domain';
import type { Mask } from '../imaging';
import { patchCounts } from '../imaging';
import { Session } from '../inference';
import type { Moment } from '../onnx';
import type { BankManifest } from '../packages';
import { auroc } from '../statistics';
import type { Backbone } from './backbone';
import { chooseBank, searchOf } from './bank';
import {
  type ConditioningKind,
  conditioned,
  conditioningOf,
  featureMoments,
  type PrincipalDirections,
  principalDirections,
} from './conditioning';
import { Extractor, momentsOf, tapAt } from './extractor';
import type { Matrix } from './matrix';
import { type Conditioning, type Layer, neckGraph } from './neck-graph';
import { countedPatches, joined, type PatchSet, someRows, type ViewPatches } from './patch-set';
import type { ReadPicture } from './picture-reader';
import type { Products } from './product';
import { imageScore, neighboursFor, type Scoring, type ViewDistances } from './scoring';
import { Searcher } from './searcher';
import { paintDefect } from './synthetic-defects';
import { DEFAULT_RECIPE, type Recipe, type TrainingSettings } from './training-settings';

type Trial = BankManifest['recipe']['trials'][number];

export interface ChosenRecipe {
  readonly recipe: Recipe;
  readonly chosen: BankManifest['recipe']['chosen'];
  readonly trials: readonly Trial[];
  readonly conditioning: Conditioning | null;
}

/** Pictures the trials and the conditioning look at, spread evenly over all. */
export const SAMPLE_PICTURES = 32;
/** Fewer pictures than this leave too little to measure with: half a dozen held-out ones decide nothing. */
const LEAST_PICTURES = 16;
/** Of the sample, held out of the trial banks and painted on. */
const HELD_OUT_SHARE = 0.4;
const PAINTED_COPIES = 2;
/** Patches the conditioning is fitted to. */
const SAMPLE_PATCHES = 24_000;
const TRIAL_BANK = 600;
/**
 * A recipe must beat the default by this much AUROC, and in this share of resamples of the pictures. Painted defects flatter
 * fine textures: on solar cells with the starter backbone whitening gained 10 points on them and lost 3 on real defects, so
 * only a gross mismatch of the default shall change it.
 */
export const LEAST_GAIN = 0.15;
const LEAST_CERTAINTY = 0.95;
const RESAMPLES = 400;

/**
 * Tried, the default first: each conditioning with distances divided by the spacing of the bank, and not. Plain features are
 * no candidate: what they achieve is told for comparison.
 */
const CANDIDATES: readonly { readonly conditioning: ConditioningKind; readonly spacings: readonly boolean[] }[] = [
  { conditioning: 'scaling', spacings: [true, false] },
  { conditioning: 'whitening', spacings: [true, false] },
  { conditioning: 'none', spacings: [false] },
];
/** Measured for comparison; the first is the one that is used. */
const SCORINGS: readonly Scoring[] = [
  DEFAULT_RECIPE.scoring,
  { method: 'max' },
  { method: 'reweighted', neighbours: 9 },
];

/** What the trials and the fit are made with. */
export interface TrialContext {
  readonly backbone: Backbone;
  readonly settings: TrainingSettings;
  readonly products: Products;
  readonly random: Random;
  readonly signal?: AbortSignal;
  readonly onProgress: (share: number) => void;
}

/**
 * Chooses where features are tapped and how they are conditioned, and fits the conditioning.
 *
 * The yardstick: a small bank of some good pictures must tell other good pictures from the same with a defect painted on
 * them. The default is kept unless another recipe is clearly better (`LEAST_GAIN`). The score is not chosen per model: the
 * mean of the top 1 % was best or as good on all real sets. Painted defects are used for nothing else. What the caller wishes
 * is not measured.
 *
 * @param sample decoded good pictures
 */
export async function chooseRecipe(sample: readonly ReadPicture[], context: TrialContext): Promise<ChosenRecipe> {
  const { recipe: wish } = context.settings;
  const available = momentsOf(context.backbone);
  const standard = { ...DEFAULT_RECIPE, moment: available[0] };
  if (wish !== 'measured' || sample.length < LEAST_PICTURES) {
    const recipe = { ...standard, ...(wish === 'measured' ? {} : wish) };
    const { principal } = await sampleFeatures(sample, recipe.moment, 0, context, context.onProgress);
    return fitted(recipe, wish === 'measured' ? 'default' : 'wished', [], principal);
  }
  const trials: ScoredTrial[] = [];
  const principalAt = new Map<Moment, PrincipalDirections>();
  for (const [index, moment] of available.entries()) {
    const progress = (share: number) => context.onProgress((index + share) / available.length);
    const features = await sampleFeatures(sample, moment, HELD_OUT_SHARE, context, (share) => progress(0.7 * share));
    principalAt.set(moment, features.principal);
    for (const [place, { conditioning, spacings }] of CANDIDATES.entries()) {
      if (conditioning === 'none' && moment !== 'after') continue;
      const scores = await tryConditioning(conditioning, spacings, features, context);
      trials.push(...scores.map((trial) => ({ moment, conditioning, ...trial })));
      progress(0.7 + (0.3 * (place + 1)) / CANDIDATES.length);
    }
  }
  const { moment, conditioning, spacing } = bestOf(trials, context.random);
  const principal = principalAt.get(moment) as PrincipalDirections;
  const told = trials.map(({ clean: _clean, painted: _painted, ...trial }) => trial);
  return fitted({ ...standard, moment, conditioning, spacing }, 'measured', told, principal);
}

/** A trial with what it measured, picture by picture. */
interface ScoredTrial extends Trial {
  readonly clean: readonly number[];
  /** Each picture's copies, one after the other. */
  readonly painted: readonly number[];
}

/** The first trial is that of the default. */
function bestOf(trials: readonly ScoredTrial[], random: Random): Trial {
  const [standard] = trials;
  const rivals = trials.filter(
    ({ conditioning, scoring }) => conditioning !== 'none' && scoring.method === standard.scoring.method,
  );
  const best = rivals.reduce((most, trial) => (trial.auroc > most.auroc ? trial : most), standard);
  const isClear = best.auroc >= standard.auroc + LEAST_GAIN && certaintyOf(best, standard, random) >= LEAST_CERTAINTY;
  return isClear ? best : standard;
}

/** The share of resamples of the pictures in which one trial has the higher AUROC. */
function certaintyOf(trial: ScoredTrial, other: ScoredTrial, random: Random): number {
  const count = trial.clean.length;
  let wins = 0;
  for (let resample = 0; resample < RESAMPLES; resample += 1) {
    const drawn = Array.from({ length: count }, () => Math.floor(random() * count));
    const copies = drawn.flatMap((picture) =>
      Array.from({ length: PAINTED_COPIES }, (_, copy) => picture * PAINTED_COPIES + copy),
    );
    const of = ({ clean, painted }: ScoredTrial) =>
      auroc(
        drawn.map((picture) => clean[picture]),
        copies.map((copy) => painted[copy]),
      );
    if (of(trial) > of(other)) wins += 1;
  }
  return wins / RESAMPLES;
}

function fitted(
  recipe: Recipe,
  chosen: ChosenRecipe['chosen'],
  trials: readonly Trial[],
  principal: PrincipalDirections,
): ChosenRecipe {
  const conditioning = conditioningOf(recipe.conditioning, principal);
  const dimension = conditioning?.weights.columns ?? principal.mean.length;
  return { recipe: { ...recipe, dimension }, chosen, trials, conditioning };
}

/** Plain features of a sample of good pictures. */
interface SampleFeatures {
  readonly layers: readonly Layer[];
  readonly principal: PrincipalDirections;
  /** Patches of the pictures that may be in a bank. */
  readonly known: PatchSet;
  /** The others: as they are, and with painted defects. */
  readonly clean: readonly (readonly ViewPatches[])[];
  readonly painted: readonly (readonly ViewPatches[])[];
}

async function sampleFeatures(
  sample: readonly ReadPicture[],
  moment: Moment,
  heldOutShare: number,
  context: TrialContext,
  onProgress: (share: number) => void,
): Promise<SampleFeatures> {
  const { backbone, settings, products, signal, random } = context;
  const { dimension } = { ...DEFAULT_RECIPE, ...(settings.recipe === 'measured' ? {} : settings.recipe) };
  const { preprocessing } = settings.viewing;
  const extractor = await Extractor.open(
    backbone,
    tapAt(backbone, moment, preprocessing),
    preprocessing,
    settings.threads,
  );
  const neck = await Session.open(neckGraph(extractor.layers, null), settings.threads);
  try {
    const look = async (picture: ReadPicture, view: number, data: Float32Array) =>
      viewPatches(extractor, neck, { ...picture.views[view], data }, settings.mask?.mask ?? null);
    const every = sample.length / Math.max(1, Math.floor(sample.length * heldOutShare));
    const quota = Math.ceil(SAMPLE_PATCHES / sample.length);
    const known: PatchSet[] = [];
    const drawn: PatchSet[] = [];
    const clean: ViewPatches[][] = [];
    const painted: ViewPatches[][] = [];
    for (const [index, picture] of sample.entries()) {
      signal?.throwIfAborted();
      const views: ViewPatches[] = [];
      for (const [view, { data }] of picture.views.entries()) views.push(await look(picture, view, data));
      const patches = joined(
        views.map((view) => countedPatches(view, index)),
        views[0].patches.columns,
      );
      const some = someRows(patches, quota, random);
      drawn.push(some);
      const isHeldOut = heldOutShare > 0 && Math.floor((index + 1) / every) > Math.floor(index / every);
      if (!isHeldOut) known.push(some);
      else {
        clean.push(views);
        for (let copy = 0; copy < PAINTED_COPIES; copy += 1) {
          const donor = sample[Math.floor(random() * sample.length)];
          const view = Math.floor(random() * views.length);
          const { counts, gridColumns, gridRows } = views[view];
          const grid = { data: counts, width: gridColumns, height: gridRows };
          const { data } = paintDefect(picture.views[view], donor.views[view], random, grid);
          painted.push(views.with(view, await look(picture, view, data)));
        }
      }
      onProgress((index + 1) / sample.length);
    }
    const columns = drawn[0].patches.columns;
    const { layers } = extractor;
    const moments = await featureMoments(joined(drawn, columns).patches, layers, products);
    const principal = await principalDirections(moments, dimension, products, random);
    return { layers, principal, known: joined(known, columns), clean, painted };
  } finally {
    await neck.close();
    await extractor.close();
  }
}

/** The patches of one view of a picture. */
export async function viewPatches(
  extractor: Extractor,
  neck: Session,
  view: ReadPicture['views'][number],
  mask: Mask | null,
  section = 0,
): Promise<ViewPatches> {
  const features = await extractor.features(view);
  const { patches } = await neck.run(features, ['patches']);
  const [rows, columns] = features[`stride${extractor.layers[0].stride}`].dims.slice(2);
  return {
    section,
    tile: view.tile,
    patches: { data: patches.data, rows: patches.dims[0], columns: patches.dims[1] },
    gridRows: rows,
    gridColumns: columns,
    counts: patchCounts(view, mask, rows, columns),
  };
}

async function tryConditioning(
  kind: ConditioningKind,
  spacings: readonly boolean[],
  features: SampleFeatures,
  context: TrialContext,
): Promise<Omit<ScoredTrial, 'moment' | 'conditioning'>[]> {
  const { settings, products, random, signal } = context;
  const { threads, sigma } = settings;
  const { principal, layers, known } = features;
  const conditioning = conditioningOf(kind, principal);
  const condition = (patches: Matrix) => conditioned(patches, conditioning, products);
  const candidates = { patches: await condition(known.patches), origins: known.origins };
  const bank = await chooseBank(candidates, { size: TRIAL_BANK, position: null, threads, signal }, random);
  const neighbours = neighboursFor({ method: 'reweighted', neighbours: 9 }, bank.patches.rows);
  const searchers: Searcher[] = [];
  try {
    for (const spacing of spacings) {
      const search = await searchOf(bank, { spacing, position: null, neighbours, threads });
      searchers.push(await Searcher.open({ ...search, sigma, stride: layers[0].stride }, threads));
    }
    /** For each searcher and picture the distances of its views. */
    const compare = async (pictures: readonly (readonly ViewPatches[])[]) => {
      const found: ViewDistances[][][] = searchers.map(() => []);
      for (const views of pictures) {
        signal?.throwIfAborted();
        const looked: ViewPatches[] = [];
        for (const view of views) looked.push({ ...view, patches: await condition(view.patches) });
        for (const [place, searcher] of searchers.entries()) {
          const distances: ViewDistances[] = [];
          for (const view of looked) distances.push(await searcher.compare(view));
          found[place].push(distances);
        }
      }
      return found;
    };
    const clean = await compare(features.clean);
    const painted = await compare(features.painted);
    return spacings.flatMap((spacing, place) =>
      SCORINGS.map((scoring) => {
        const scoresOf = (pictures: readonly ViewDistances[][]) => pictures.map((views) => imageScore(views, scoring));
        const scores = { clean: scoresOf(clean[place]), painted: scoresOf(painted[place]) };
        return { spacing, scoring, auroc: auroc(scores.clean, scores.painted), ...scores };
      }),
    );
  } finally {
    for (const searcher of searchers) await searcher.close();
  }
}
