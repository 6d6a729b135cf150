import { fixedSplit } from '../../datasets';
import { seededRandom } from '../../domain';
import { type Candidate, fileOf } from './candidate';
import { measure } from './hold-out';
import type { Material } from './material';
import {
  type FinetuneSettings,
  type FinetuneWishes,
  LEARNING_RATES,
  LEVELS,
  settingsFor,
  type TrainedLevel,
} from './options';
import { trainCandidate } from './train-candidate';

/** What is searched for. */
export type Choice = Pick<FinetuneSettings, 'level' | 'learningRate' | 'augmentation'>;

export interface Trial {
  readonly choice: Choice;
  /** On the inner hold-out, after the longest training it got. */
  readonly map50: number;
}

export interface SearchResult {
  /** Null when there was too little to measure with, or too little time for a single trial. */
  readonly choice: Choice | null;
  /** All that were tried, best first. */
  readonly trials: readonly Trial[];
}

export interface SearchOptions {
  readonly minutes: number;
  readonly classes: readonly string[];
  readonly threads: number;
  readonly cacheBytes: number;
  readonly memoryLimitBytes: number;
  readonly signal?: AbortSignal;
  /** @param share of the time that is spent, 0..1 */
  readonly onProgress?: (share: number) => void;
}

/** How many settings begin; after each round the better half goes on with twice the time. */
const BEGINNERS = 8;
const ROUNDS = 3;
const RATE_FACTORS = [0.3, 1, 3] as const;
const STRENGTHS = [0.25, 0.5, 0.8] as const;
/** Share of the pictures to learn from that the search holds out. The real hold-out is not looked at. */
const INNER_SHARE = 0.25;
/** Seconds a window takes, where none was measured yet. */
const FIRST_GUESS = 0.15;

/**
 * Looks for level, learning rate and strength of augmentation by successive halving: many settings are tried briefly, the better
 * half of them longer, until one is left. Wishes stay as they are.
 *
 * @see Jamieson & Talwalkar 2016, "Non-stochastic Best Arm Identification and Hyperparameter Optimization"
 */
export async function searchSettings(
  candidate: Candidate,
  material: Material,
  wishes: FinetuneWishes,
  options: SearchOptions,
): Promise<SearchResult> {
  const inner = innerSplit(material);
  if (inner === null) return { choice: null, trials: [] };
  const started = performance.now();
  const budget = options.minutes * 60_000;
  const spent = () => performance.now() - started;
  const deadline = AbortSignal.timeout(budget);
  const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline;
  const pace = new Map<TrainedLevel, number>();
  const results = new Map<Choice, number>();
  let choices = beginners(wishes);
  try {
    for (let round = 0; round < ROUNDS && choices.length > 0; round += 1) {
      for (const [place, choice] of choices.entries()) {
        const left = (budget * (round + 1)) / ROUNDS - spent();
        const seconds = left / (choices.length - place) / 1000;
        const windows = Math.floor(seconds / (pace.get(choice.level) ?? FIRST_GUESS));
        const shown = inner.fresh.pictures.length * (inner.replay ? 2 : 1);
        const epochs = Math.min(Math.max(1, Math.floor(windows / shown)), 1000);
        const began = performance.now();
        results.set(choice, await tried(candidate, inner, { ...wishes, ...choice, epochs }, { ...options, signal }));
        pace.set(choice.level, (performance.now() - began) / 1000 / (epochs * shown));
        options.onProgress?.(Math.min(1, spent() / budget));
      }
      choices = [...choices].sort((a, b) => (results.get(b) ?? 0) - (results.get(a) ?? 0)).slice(0, choices.length / 2);
    }
  } catch (error) {
    // the time is over: what was found until then counts
    if (!deadline.aborted || options.signal?.aborted) throw error;
  }
  const trials = [...results].map(([choice, map50]) => ({ choice, map50 })).sort((a, b) => b.map50 - a.map50);
  return { choice: choices.find((choice) => results.has(choice)) ?? trials[0]?.choice ?? null, trials };
}

/** The pictures to learn from, parted once more by their ids. */
function innerSplit({ fresh, freshPictures, replay }: Material) {
  const isHeldOut = (number: number) => fixedSplit(`${freshPictures[number].id} inner`, { val: INNER_SHARE }) === 'val';
  const heldOut = fresh.pictures.filter(isHeldOut).map((number) => freshPictures[number]);
  const pictures = fresh.pictures.filter((number) => !isHeldOut(number));
  const hasBoxes = heldOut.some(({ boxes }) => boxes.length > 0);
  return hasBoxes && pictures.length > 0 ? { fresh: { ...fresh, pictures }, replay, heldOut } : null;
}

/** The defaults and others drawn from the grid. */
function beginners(wishes: FinetuneWishes): Choice[] {
  const levels = wishes.level ? [wishes.level] : LEVELS;
  const grid = levels.flatMap((level) =>
    (wishes.learningRate
      ? [wishes.learningRate]
      : RATE_FACTORS.map((factor) => factor * LEARNING_RATES[level])
    ).flatMap((learningRate) =>
      (wishes.augmentation === undefined ? STRENGTHS : [wishes.augmentation]).map(
        (augmentation): Choice => ({ level, learningRate, augmentation }),
      ),
    ),
  );
  const random = seededRandom(wishes.seed ?? 1);
  const usual = settingsFor(wishes, 1, Number.POSITIVE_INFINITY);
  const isUsual = ({ level, learningRate, augmentation }: Choice) =>
    level === usual.level && learningRate === usual.learningRate && augmentation === usual.augmentation;
  const drawn = grid
    .map((choice) => ({ choice, order: isUsual(choice) ? -1 : random() }))
    .sort((a, b) => a.order - b.order);
  return drawn.slice(0, BEGINNERS).map(({ choice }) => choice);
}

async function tried(
  candidate: Candidate,
  { fresh, replay, heldOut }: NonNullable<ReturnType<typeof innerSplit>>,
  wishes: FinetuneWishes,
  { classes, threads, cacheBytes, memoryLimitBytes, signal }: SearchOptions,
): Promise<number> {
  const served = Math.max(candidate.size.width, candidate.size.height);
  const { curve } = await trainCandidate(candidate, {
    settings: settingsFor(wishes, fresh.pictures.length, served),
    ...{ fresh, replay, threads, cacheBytes, memoryLimitBytes, signal },
    checkpoints: null,
    measurements: 1,
    measure: async (weights) =>
      (await measure(fileOf(candidate, weights), heldOut, classes, { threads, resamples: 0, signal })).map50,
  });
  return curve.at(-1)?.map50 ?? 0;
}
