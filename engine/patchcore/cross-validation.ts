import { type Random, seededRandom } from '../domain';
import { dealFolds } from '../statistics';
import { type Bank, type BankChoice, chooseBank, searchOf } from './bank';
import type { BankStorage } from './bank-storage';
import type { Candidates } from './candidates';
import { chosenRows, joined, type PatchSet, type ViewPatches } from './patch-set';
import { imageScore, neighboursFor, type Scoring, type ViewDistances } from './scoring';
import { Searcher } from './searcher';

/** Folds the pictures are dealt to; with fewer pictures than `LEAVE_ONE_OUT_BELOW` each is a fold of its own. */
const FOLDS = 5;
const LEAVE_ONE_OUT_BELOW = 10;
/** Every how many map pixels one goes into the median. */
const MAP_STEP = 37;

/** How banks are made and searched, the same for those of the folds and the final one. */
export interface BankPlan {
  readonly sections: number;
  readonly columns: number;
  readonly size: number;
  readonly position: BankChoice['position'];
  readonly spacing: boolean;
  readonly scoring: Scoring;
  readonly sigma: number;
  readonly stride: number;
  /** Of the bank searched; float32 unless told. */
  readonly storage?: BankStorage;
  readonly threads: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** What a bank that did not know the picture says about it. */
export interface HeldOutScore {
  readonly picture: number;
  readonly score: number;
  /** Highest value of the map. */
  readonly peak: number;
  /** Some values of the map. */
  readonly pixels: readonly number[];
}

/** The candidates of each fold and section, reduced to coresets: what all banks are chosen from. */
export interface FoldCoresets {
  readonly folds: number;
  /** Fold of each picture. */
  readonly foldOf: ReadonlyMap<number, number>;
  /** [fold][section] */
  readonly coresets: readonly (readonly PatchSet[])[];
}

/**
 * Deals pictures to folds, near-duplicates together, and takes the coreset of each fold.
 *
 * @param groups number of each picture's group of near-duplicates, by its place
 */
export async function foldCoresets(
  candidates: Candidates,
  groups: ReadonlyMap<number, number>,
  plan: BankPlan,
  onProgress: (share: number) => void,
): Promise<FoldCoresets> {
  const pictures = [...candidates.all.keys()];
  const random = seededRandom(plan.seed + 1);
  const grouped = pictures.map((picture) => groups.get(picture) ?? picture);
  const wanted = pictures.length < LEAVE_ONE_OUT_BELOW ? Math.max(2, pictures.length) : FOLDS;
  const dealt = dealFolds(grouped, wanted, random);
  const foldOf = new Map(pictures.map((picture, place) => [picture, dealt[place]]));
  const folds = Math.max(...dealt) + 1;
  const coresets: PatchSet[][] = [];
  for (let fold = 0; fold < folds; fold += 1) {
    const own: PatchSet[] = [];
    for (let section = 0; section < plan.sections; section += 1) {
      const sets = pictures
        .filter((picture) => foldOf.get(picture) === fold)
        .map((picture) => (candidates.all.get(picture) as { sections: readonly PatchSet[] }).sections[section]);
      own.push(await coresetOf(joined(sets, plan.columns), plan, random));
      onProgress((fold + (section + 1) / plan.sections) / folds);
    }
    coresets.push(own);
  }
  return { folds, foldOf, coresets };
}

/**
 * Scores every picture kept whole by a bank chosen from the other folds.
 *
 * @param without pictures that are left out of all banks
 * @param known   patches that all banks are chosen from as well, one set a section; none unless told
 */
export async function heldOutScores(
  candidates: Candidates,
  { folds, foldOf, coresets }: FoldCoresets,
  without: ReadonlySet<number>,
  plan: BankPlan,
  onProgress: (share: number) => void,
  known: readonly PatchSet[] | null = null,
): Promise<HeldOutScore[]> {
  const scores: HeldOutScore[] = [];
  for (let fold = 0; fold < folds; fold += 1) {
    const others = coresets.filter((_, other) => other !== fold);
    const sets = known === null ? others : [known, ...others];
    const searchers = await openSearchers(await chooseBanks(sets, without, plan), plan);
    try {
      for (const [picture, { views }] of candidates.all) {
        if (views === null || foldOf.get(picture) !== fold) continue;
        plan.signal?.throwIfAborted();
        scores.push({ picture, ...(await scoreViews(searchers, views, plan.scoring, picture)) });
        onProgress(scores.length / candidates.all.size);
      }
    } finally {
      for (const searcher of searchers) await searcher?.close();
    }
  }
  return scores;
}

/**
 * The final banks, one a section, from all folds.
 *
 * @param known see `heldOutScores`
 */
export function finalBanks(
  { coresets }: FoldCoresets,
  without: ReadonlySet<number>,
  plan: BankPlan,
  known: readonly PatchSet[] | null = null,
): Promise<(Bank | null)[]> {
  return chooseBanks(known === null ? coresets : [known, ...coresets], without, plan);
}

/** @returns null for a section in which nothing counts */
export async function chooseBanks(
  coresets: readonly (readonly PatchSet[])[],
  without: ReadonlySet<number>,
  plan: BankPlan,
): Promise<(Bank | null)[]> {
  const random = seededRandom(plan.seed + 2);
  const banks: (Bank | null)[] = [];
  for (let section = 0; section < plan.sections; section += 1) {
    const sets = coresets.map((fold) => withoutPictures(fold[section], without));
    const candidates = joined(sets, plan.columns);
    banks.push(candidates.patches.rows === 0 ? null : await chooseBank(candidates, plan, random));
  }
  return banks;
}

/** One a section; null where nothing counts. To be closed. */
export async function openSearchers(banks: readonly (Bank | null)[], plan: BankPlan): Promise<(Searcher | null)[]> {
  const { sigma, stride, storage } = plan;
  const searchers: (Searcher | null)[] = [];
  for (const bank of banks) {
    if (bank === null) {
      searchers.push(null);
      continue;
    }
    const neighbours = neighboursFor(plan.scoring, bank.patches.rows);
    const search = await searchOf(bank, { ...plan, neighbours });
    searchers.push(await Searcher.open({ ...search, sigma, stride, storage }, plan.threads));
  }
  return searchers;
}

export async function scoreViews(
  searchers: readonly (Searcher | null)[],
  views: readonly ViewPatches[],
  scoring: Scoring,
  start = 0,
): Promise<Omit<HeldOutScore, 'picture'>> {
  const found: ViewDistances[] = [];
  const pixels: number[] = [];
  let peak = 0;
  for (const view of views) {
    const searcher = searchers[view.section];
    if (searcher === null) continue;
    const { map, ...distances } = await searcher.compare(view);
    found.push(distances);
    for (const value of map) if (value > peak) peak = value;
    pixels.push(...somePixels(map, view, start % MAP_STEP));
  }
  return { score: imageScore(found, scoring), peak, pixels };
}

/** Some values of a map, where patches count. */
function somePixels(map: Float32Array, { counts, gridRows, gridColumns }: ViewPatches, start: number): number[] {
  const stride = Math.sqrt(map.length / (gridRows * gridColumns));
  const width = gridColumns * stride;
  const values: number[] = [];
  for (let place = start; place < map.length; place += MAP_STEP) {
    const row = Math.floor(Math.floor(place / width) / stride);
    const column = Math.floor((place % width) / stride);
    if (counts[row * gridColumns + column] > 0) values.push(map[place]);
  }
  return values;
}

async function coresetOf(set: PatchSet, plan: BankPlan, random: Random): Promise<PatchSet> {
  return set.patches.rows <= plan.size ? set : chooseBank(set, plan, random);
}

/** The rows that do not come from the given pictures. */
export function withoutPictures(set: PatchSet, without: ReadonlySet<number>): PatchSet {
  if (without.size === 0) return set;
  return chosenRows(
    set,
    set.origins.flatMap(({ picture }, row) => (without.has(picture) ? [] : [row])),
  );
}
