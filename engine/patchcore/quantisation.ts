import { OnnxInvalid } from '../onnx';
import type { BankManifest } from '../packages';
import type { BankStorage } from './bank-storage';
import { Extractor, type TappedExtractor } from './extractor';
import type { ReadPicture } from './picture-reader';
import { type BackboneTrial, type Decisions, decisionsOf, type TrialSettings, tryBackbone } from './quantisation-trial';
import { type QuantisedBackbone, quantisedBackbones } from './quantise-backbone';
import type { ChosenRecipe } from './recipe-trials';

/** What the manifest says about it. */
export type QuantisationReport = NonNullable<BankManifest['quantisation']>;

/** What a training goes on with. */
export interface QuantisationOutcome {
  readonly tapped: TappedExtractor;
  /** With a conditioning of the features it is to be used with. */
  readonly chosen: ChosenRecipe;
  readonly storage: BankStorage;
  readonly report: QuantisationReport | null;
}

/**
 * What may be lost: AUROC on held-out pictures, and more wrong decisions about them, as a share of all; and how many times as
 * fast the backbone must be for it.
 */
export const QUANTISATION_BOUNDS = { auroc: 0.01, decisions: 0.02, speed: 1.2 } as const;

/** Fewer pictures than this leave nothing to measure with. */
const LEAST_PICTURES = 8;
const CALIBRATION_PICTURES = 32;
const WARM_UPS = 2;
const TIMED_RUNS = 25;
const LEAST_RUNS = 5;
const TIMING_MILLISECONDS = 2000;
/** How many times as long as the fastest a more exact backbone may take. */
const WORTH_EXACTNESS = 1.3;
/** Smallest first. */
const STORAGES: readonly BankStorage[] = ['int8', 'float16'];

/**
 * Decides, where it is wished, whether a model computes with 8-bit numbers: the backbone, where it is faster by that and held-out pictures are
 * told from painted defects as well as before within `QUANTISATION_BOUNDS`; and the numbers of the bank, within the same
 * bounds, unless a storage is wished. Everything else of the model must be made with what is returned.
 *
 * @param sample decoded good pictures
 * @param tapped the backbone with 32-bit numbers
 */
export async function quantisedWhereSound(
  sample: readonly ReadPicture[],
  tapped: TappedExtractor,
  chosen: ChosenRecipe,
  trial: TrialSettings,
): Promise<QuantisationOutcome> {
  const { settings, signal } = trial;
  const asItIs = { tapped, chosen, storage: settings.storage, report: null };
  if (settings.quantise === 'never' || sample.length < LEAST_PICTURES) return asItIs;
  const made = await candidatesOf(sample, tapped, settings.threads, signal);
  if (made.length === 0) return asItIs;

  const storages = settings.storage === 'float32' ? (['float32', ...STORAGES] as const) : [settings.storage];
  const plainly = storages[0];
  const run = (extractor: TappedExtractor, from: number) =>
    tryBackbone(extractor, chosen.recipe, sample, storages, {
      ...trial,
      onProgress: (share) => trial.onProgress(from + share / (made.length + 1)),
    });
  const decisions = (one: BackboneTrial, storage: BankStorage) => {
    const scores = one.scores.get(storage);
    if (scores === undefined) throw new RangeError(`the storage ${storage} was not tried`);
    return decisionsOf(scores, settings);
  };
  const exact = await run(tapped, 0);
  const before = decisions(exact, plainly);

  const milliseconds = await timesOf([tapped, ...made.map((one) => one.tapped)], sample, trial);
  let rest = made.map((one, place) => ({ ...one, milliseconds: milliseconds[place + 1] }));
  const tried: Tried[] = [];
  while (rest.length > 0) {
    const one = nextOf(rest);
    const isFast =
      settings.quantise === 'where-sound' || milliseconds[0] / one.milliseconds >= QUANTISATION_BOUNDS.speed;
    if (tried.length > 0 && !isFast) break;
    const result = await run(one.tapped, (tried.length + 1) / (made.length + 1));
    const after = decisions(result, plainly);
    const reason = isFast ? reasonAgainst(before, after) : 'not-faster';
    tried.push({ ...one, trial: result, after, reason });
    if (reason === null) break;
    rest = rest.filter(({ fromStride }) => fromStride > one.fromStride);
  }
  trial.onProgress(1);

  const best =
    tried.find(({ reason }) => reason === null) ?? tried.reduce((a, b) => (b.after.auroc > a.after.auroc ? b : a));
  const accepted = best.reason === null;
  const used = accepted ? best.trial : exact;
  const storage =
    STORAGES.filter((one) => storages.some((known) => known === one) && plainly === 'float32').find(
      (one) => reasonAgainst(before, decisions(used, one)) === null,
    ) ?? settings.storage;
  const stored = decisions(used, storage);
  return {
    tapped: accepted ? best.tapped : tapped,
    chosen: accepted ? { ...chosen, conditioning: used.conditioning } : chosen,
    storage,
    report: {
      accepted,
      reason: best.reason,
      fromStride: best.fromStride,
      auroc: { float: before.auroc, int8: best.after.auroc },
      bounds: QUANTISATION_BOUNDS,
      changedDecisions: { count: changes(before, best.after), total: before.each.length },
      wrongDecisions: { float: before.wrong, int8: best.after.wrong },
      milliseconds: { float: milliseconds[0], int8: best.milliseconds },
      bytes: { float: tapped.bytes.length, int8: best.tapped.bytes.length },
      bank: { storage, auroc: stored.auroc, changedDecisions: changes(before, stored), wrongDecisions: stored.wrong },
    },
  };
}

/** The most exact of those that take hardly longer than the fastest. */
function nextOf<T extends { readonly milliseconds: number; readonly fromStride: number }>(rest: readonly T[]): T {
  const fastest = Math.min(...rest.map(({ milliseconds }) => milliseconds));
  const near = rest.filter(({ milliseconds }) => milliseconds <= WORTH_EXACTNESS * fastest);
  return near.reduce((most, one) => (one.fromStride > most.fromStride ? one : most));
}

interface Candidate extends QuantisedBackbone {
  readonly tapped: TappedExtractor;
}

interface Tried extends Candidate {
  readonly milliseconds: number;
  readonly trial: BackboneTrial;
  readonly after: Decisions;
  readonly reason: QuantisationReport['reason'];
}

/** None for a network that cannot be quantised. */
async function candidatesOf(
  sample: readonly ReadPicture[],
  tapped: TappedExtractor,
  threads: number,
  signal?: AbortSignal,
): Promise<Candidate[]> {
  const views = sample.slice(0, CALIBRATION_PICTURES).flatMap((picture) => picture.views);
  const made = await quantisedBackbones(tapped.bytes, views, threads, signal).catch((error: Error) => {
    if (error instanceof OnnxInvalid) return [];
    throw error;
  });
  return made.map((one) => ({ ...one, tapped: { ...tapped, bytes: one.bytes } }));
}

function reasonAgainst(before: Decisions, after: Decisions): QuantisationReport['reason'] {
  if (before.auroc - after.auroc > QUANTISATION_BOUNDS.auroc) return 'auroc';
  if (after.wrong - before.wrong > QUANTISATION_BOUNDS.decisions * before.each.length) return 'decisions';
  return null;
}

function changes(before: Decisions, after: Decisions): number {
  return before.each.filter((decision, place) => decision !== after.each[place]).length;
}

/** Milliseconds of each for a view: the lowest of several runs, taken in turn so that a busy moment meets all of them. */
async function timesOf(
  ways: readonly TappedExtractor[],
  [{ views }]: readonly ReadPicture[],
  { backbone, settings }: TrialSettings,
): Promise<number[]> {
  const extractors: Extractor[] = [];
  try {
    for (const way of ways) {
      extractors.push(await Extractor.open(backbone, way, settings.viewing.preprocessing, settings.threads));
    }
    const lowest = ways.map(() => Number.POSITIVE_INFINITY);
    const begun = performance.now();
    for (let run = -WARM_UPS; run < TIMED_RUNS; run += 1) {
      if (run >= LEAST_RUNS && performance.now() - begun > TIMING_MILLISECONDS) break;
      for (const [place, extractor] of extractors.entries()) {
        const start = performance.now();
        await extractor.features(views[0]);
        if (run >= 0) lowest[place] = Math.min(lowest[place], performance.now() - start);
      }
    }
    return lowest.map((milliseconds) => Math.round(milliseconds * 100) / 100);
  } finally {
    for (const extractor of extractors) await extractor.close();
  }
}
