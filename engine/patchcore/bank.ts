import type { Random } from '../domain';
import { greedyCoreset } from './coreset';
import type { BankSearch } from './head-graph';
import type { Matrix } from './matrix';
import { chosenRows, type PatchSet } from './patch-set';
import type { PositionWindow } from './position-window';
import { bankSpacing } from './spacing';

/** The grid of patches of a view. */
export interface Grid {
  readonly rows: number;
  readonly columns: number;
}

export interface BankChoice {
  /** Patches kept, at most. */
  readonly size: number;
  /** Set when neighbours come from nearby places only. */
  readonly position: { readonly reach: number; readonly grid: Grid } | null;
  readonly threads: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (share: number) => void;
}

/** A memory bank with the origin of each row. */
export interface Bank extends PatchSet {
  /** Greatest distance of a candidate to the bank. */
  readonly radius: number;
}

/**
 * Chooses the patches that represent all others best. Coresets compose: a coreset of the union of coresets is one of the
 * union of what they were taken from, with twice the radius at worst, so that memory stays bounded whatever the number of
 * pictures.
 *
 * With positions a patch stands for others only near its place: places are two more numbers of a patch, scaled so that a
 * step as wide as the reach counts as much as two usual patches differ.
 *
 * @see Indyk, Mahabadi, Mahdian, Mirrokni 2014, "Composable core-sets for diversity and coverage maximization"
 */
export async function chooseBank(candidates: PatchSet, choice: BankChoice, random: Random): Promise<Bank> {
  const { threads, signal, onProgress, position } = choice;
  const size = Math.min(choice.size, candidates.patches.rows);
  const space = position === null ? candidates.patches : withPlaces(candidates, position);
  const { indices, radius } = await greedyCoreset(space, size, random, {
    threads,
    signal,
    onProgress: onProgress && ((chosen) => onProgress(chosen / size)),
  });
  return { ...chosenRows(candidates, indices), radius };
}

/** What a bank needs to be searched, but for the map's sigma and the stride. */
export async function searchOf(
  bank: Bank,
  {
    spacing,
    position,
    neighbours,
    threads,
  }: {
    readonly spacing: boolean;
    readonly position: BankChoice['position'];
    readonly neighbours?: number;
    readonly threads: number;
  },
): Promise<Omit<BankSearch, 'sigma' | 'stride'>> {
  return {
    bank: bank.patches,
    ...(spacing && { spacing: await bankSpacing(bank.patches, threads) }),
    ...(position && { position: windowOf(bank, position) }),
    ...(neighbours !== undefined && { neighbours }),
  };
}

function windowOf({ origins }: Bank, { reach, grid }: { reach: number; grid: Grid }): PositionWindow {
  return {
    reach,
    gridRows: grid.rows,
    gridColumns: grid.columns,
    bankRows: origins.map(({ patch }) => Math.floor(patch / grid.columns)),
    bankColumns: origins.map(({ patch }) => patch % grid.columns),
  };
}

function withPlaces({ patches, origins }: PatchSet, { reach, grid }: { reach: number; grid: Grid }): Matrix {
  const { data, rows, columns } = patches;
  const scale = usualDistance(patches) / Math.max(reach, 1);
  const wide = columns + 2;
  const placed = new Float32Array(rows * wide);
  for (let row = 0; row < rows; row += 1) {
    const { patch } = origins[row];
    placed.set(data.subarray(row * columns, (row + 1) * columns), row * wide);
    placed[row * wide + columns] = Math.floor(patch / grid.columns) * scale;
    placed[row * wide + columns + 1] = (patch % grid.columns) * scale;
  }
  return { data: placed, rows, columns: wide };
}

/** Root of the mean squared distance of two patches. */
function usualDistance({ data, rows, columns }: Matrix): number {
  let spread = 0;
  for (let column = 0; column < columns; column += 1) {
    let [sum, squares] = [0, 0];
    for (let row = 0; row < rows; row += 1) {
      const value = data[row * columns + column];
      sum += value;
      squares += value * value;
    }
    spread += squares / rows - (sum / rows) ** 2;
  }
  return Math.sqrt(2 * Math.max(spread, 0));
}
