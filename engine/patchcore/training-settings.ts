import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { type AugmentationWish, InvalidInput, type TilingWish, type TrainingOptions } from '../domain';
import { type Mask, readMask, type Viewing } from '../imaging';
import type { Normalisation } from '../onnx';
import type { BankManifest } from '../packages';
import type { CalibrationWishes } from '../statistics';
import type { BankStorage } from './bank-storage';
import type { Scoring } from './scoring';

/** How features are made distances and a score, where the caller does not leave the choice to a measurement. */
export type Recipe = Omit<BankManifest['recipe'], 'chosen' | 'trials'>;

/** What a training can be told beyond `TrainingOptions`, from code and the command line. */
export interface ExpertOptions {
  /** Patches kept in each bank, at most. */
  readonly coresetSize?: number;
  readonly seed?: number;
  /** Threads of ONNX Runtime; all cores unless told. */
  readonly threads?: number;
  /** `measured` (default): chosen on held-out good pictures and painted defects; or the parts that are wished. */
  readonly recipe?: 'measured' | Partial<Recipe>;
  /** With `quantise`, the smallest one that is sound takes the place of float32. */
  readonly storage?: BankStorage;
  /** With `quantise`: 8-bit numbers where they are sound, though they are not faster on this machine. */
  readonly quantiseAtAnySpeed?: boolean;
  /** What a backbone that is not in the catalogue wants its pictures to be shifted and scaled by; nothing unless told. */
  readonly normalisation?: Normalisation;
}

export interface TrainingSettings {
  readonly viewing: Viewing;
  readonly mask: { readonly file: Buffer; readonly mask: Mask } | null;
  readonly banks: TilingWish['banks'];
  /** Grid cells; null: neighbours come from anywhere. */
  readonly reach: number | null;
  /** Null: none. `auto`: light and shift, where pictures are few. */
  readonly augmentation: AugmentationWish | 'auto' | null;
  readonly coresetSize: number;
  readonly wishes: CalibrationWishes;
  readonly keepSuspects: boolean;
  readonly recipe: 'measured' | Partial<Recipe>;
  readonly storage: BankStorage;
  /** When 8-bit numbers are used. */
  readonly quantise: 'never' | 'where-faster' | 'where-sound';
  /** Of the map's gaussian, in input pixels. */
  readonly sigma: number;
  readonly seed: number;
  readonly threads: number;
}

/**
 * Measured on simulated 1280x720 parts and on solar cells: a stretched square found more than a letterbox and no less than a
 * 16:9 input of the same area; from 224 to 288 fewer scratches are missed, beyond that the time grows faster than the gain.
 */
const DEFAULT_INPUT = { width: 288, height: 288, mode: 'stretch' } as const;
const DEFAULT_CORESET = 2000;
/** As in the paper: 4 pixels at an input of 224. */
const MAP_SIGMA = 4 / 224;
/** Numbers that describe a patch: fewer lose defects, more only cost time (measured with 128, 192, 256 and all). */
const DIMENSION = 192;
/** Mean of the top 1 %: on solar cells 1 to 4 points of AUROC above the maximum at every input and bank size. */
export const DEFAULT_SCORING: Scoring = { method: 'top-mean', share: 0.01 };
/** The tap before the activation is preferred where the backbone has one (`momentsOf`). */
export const DEFAULT_RECIPE: Recipe = {
  moment: 'after',
  conditioning: 'scaling',
  dimension: DIMENSION,
  spacing: true,
  scoring: DEFAULT_SCORING,
};
/** PatchCore as published: features as they are, the greatest distance. */
export const PLAIN_RECIPE: Partial<Recipe> = {
  moment: 'after',
  conditioning: 'none',
  spacing: false,
  scoring: { method: 'max' },
};

/** @throws {InvalidInput} for a setting out of range, or a mask that cannot be used */
export async function settingsOf(options: TrainingOptions & ExpertOptions): Promise<TrainingSettings> {
  const input = { ...DEFAULT_INPUT, ...options.input };
  for (const side of [input.width, input.height]) {
    if (!(Number.isInteger(side) && side >= 64 && side <= 1024 && side % 32 === 0)) {
      throw new InvalidInput(`The input side ${side} is no multiple of 32 within 64..1024.`, { side });
    }
  }
  const coresetSize = options.coresetSize ?? DEFAULT_CORESET;
  if (!(Number.isInteger(coresetSize) && coresetSize >= 1))
    throw new InvalidInput(`A bank cannot have ${coresetSize} patches; it takes a whole number from 1.`);
  const { roi = null, tiles = null } = options;
  const wishes = wishesOf(options);
  return {
    viewing: {
      preprocessing: { ...input, kernel: 'linear', fastShrinkOnLoad: false },
      roi,
      tiles: tiles && { columns: tiles.columns, rows: tiles.rows, overlap: tiles.overlap },
    },
    mask: options.mask === undefined ? null : await maskOf(options.mask),
    // what is near by is in the same tile
    banks: tiles && options.position ? 'per-tile' : (tiles?.banks ?? 'shared'),
    reach: options.position ? reachOf(options.position.reach, longerSide(input, tiles)) : null,
    augmentation: options.augmentation === undefined ? 'auto' : options.augmentation,
    coresetSize,
    wishes,
    keepSuspects: options.keepSuspects ?? false,
    recipe: options.recipe ?? 'measured',
    storage: options.storage ?? 'float32',
    quantise: !options.quantise ? 'never' : options.quantiseAtAnySpeed ? 'where-sound' : 'where-faster',
    sigma: MAP_SIGMA * Math.sqrt(input.width * input.height),
    seed: options.seed ?? 1,
    threads: options.threads ?? availableParallelism(),
  };
}

/** The rates that are wished, or their defaults. @throws {InvalidInput} for a rate out of range */
export function wishesOf(
  options: Pick<TrainingOptions, 'falseRejectRate' | 'reviewRate' | 'missRate'>,
): CalibrationWishes {
  const { falseRejectRate = 0.01, missRate = 0.01 } = options;
  const reviewRate = options.reviewRate ?? Math.max(0.05, falseRejectRate);
  for (const [name, rate] of Object.entries({ falseRejectRate, reviewRate, missRate })) {
    if (!(rate > 0 && rate <= 0.5)) throw new InvalidInput(`${name} must be above 0 and at most 0.5, not ${rate}.`);
  }
  if (reviewRate < falseRejectRate) {
    throw new InvalidInput(
      `reviewRate (${reviewRate}) counts rejected parts, too: it cannot be below falseRejectRate (${falseRejectRate}).`,
    );
  }
  return { falseRejectRate, reviewRate, missRate };
}

async function maskOf(path: string): Promise<{ file: Buffer; mask: Mask }> {
  const file = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'there is no such file' : error.message;
    throw new InvalidInput(`The mask ${path} cannot be read: ${why}.`, { path });
  });
  try {
    return { file, mask: await readMask(file) };
  } catch (error) {
    throw new InvalidInput(`The mask ${path} cannot be used: ${(error as Error).message}`, { path });
  }
}

/** Of what is looked at, in input pixels. */
function longerSide({ width, height }: { width: number; height: number }, tiles: TilingWish | null): number {
  return Math.max(width * (tiles?.columns ?? 1), height * (tiles?.rows ?? 1));
}

function reachOf(share: number, side: number): number {
  if (!(share > 0 && share <= 0.5)) {
    throw new InvalidInput(`The reach must be a share of the longer side above 0 and at most 0.5, not ${share}.`);
  }
  return (share * side) / 8;
}
