import type { Random } from '../domain';
import { Session } from '../inference';
import { nearestGraph, pairwiseGraph } from './distance-graphs';
import { type Matrix, rowsBetween, takeRows } from './matrix';

/** Rows measured per run: bounds the memory for distances, whatever the number of patches. */
const CHUNK = 8192;
/** Patches that compete for the next picks; more mean fewer passes over all patches. */
const COMPETITORS = 1024;

export interface Coreset {
  /** Row indices into the patches, in the order of their choice, those given as `start` first. */
  readonly indices: Uint32Array;
  /** Greatest distance of a patch to the chosen ones. */
  readonly radius: number;
}

export interface CoresetOptions {
  /** Rows chosen already, to which the others are added; without, the first one is drawn at random. */
  readonly start?: ArrayLike<number>;
  readonly threads?: number;
  readonly signal?: AbortSignal;
  /** Called with the number of rows chosen so far. */
  readonly onProgress?: (chosen: number) => void;
}

/**
 * Picks the patches that represent all others best (greedy k-center): each pick is the patch farthest from all picks so
 * far, so the bank covers rare but normal texture too.
 *
 * The picks are those of the plain algorithm, found faster: a patch's distance to the picks only ever shrinks, so the
 * distances of the last pass are upper bounds. The patches with the largest bounds compete among themselves for as long as
 * their best is not below the largest bound outside; then one matrix product brings all bounds up to date with every pick
 * made meanwhile.
 *
 * @param patches one row a patch
 * @param size    how many rows to keep, 1..rows, those of `start` included; fewer are returned when all others equal a
 *                chosen one
 * @throws {RangeError} when `size` is not within 1..rows, or `start` has more rows, the same twice or none of the patches
 * @see Roth et al. 2022, "Towards Total Recall in Industrial Anomaly Detection", algorithm 1
 */
export async function greedyCoreset(
  patches: Matrix,
  size: number,
  random: Random,
  { start, threads = 1, signal, onProgress }: CoresetOptions = {},
): Promise<Coreset> {
  if (!(Number.isInteger(size) && size >= 1 && size <= patches.rows)) {
    throw new RangeError(`a coreset of ${size} cannot be taken from ${patches.rows} patches`);
  }
  const picks = start?.length ? Array.from(start) : [Math.floor(random() * patches.rows)];
  requirePicks(picks, patches.rows, size);
  const nearest = await Session.open(nearestGraph(patches.columns), threads);
  const pairwise = await Session.open(pairwiseGraph(patches.columns), threads);
  try {
    const bounds = new Float32Array(patches.rows).fill(Number.POSITIVE_INFINITY);
    await tighten(nearest, patches, picks, bounds, signal);
    while (picks.length < size) {
      const { competitors, outside } = largest(bounds, Math.min(COMPETITORS, patches.rows));
      const rows = takeRows(patches, competitors);
      const tensor = { data: rows.data, dims: [rows.rows, rows.columns] };
      const { squared } = await pairwise.run({ a: tensor, b: tensor }, ['squared']);
      const fresh = compete(competitors, squared.data, bounds, outside, size - picks.length);
      if (fresh.length === 0) break;
      picks.push(...fresh);
      await tighten(nearest, patches, fresh, bounds, signal);
      onProgress?.(picks.length);
    }
    return {
      indices: Uint32Array.from(picks),
      radius: Math.sqrt(bounds.reduce((most, bound) => Math.max(most, bound), 0)),
    };
  } finally {
    await nearest.close();
    await pairwise.close();
  }
}

function requirePicks(picks: readonly number[], rows: number, size: number): void {
  if (picks.length > size) throw new RangeError(`a coreset of ${size} cannot start with ${picks.length} patches`);
  if (new Set(picks).size < picks.length) throw new RangeError('a patch to start with is given twice');
  const stray = picks.find((pick) => !(Number.isInteger(pick) && pick >= 0 && pick < rows));
  if (stray !== undefined) throw new RangeError(`there is no patch ${stray} to start with among ${rows}`);
}

/** Lowers each patch's bound to its squared distance to the nearest of `picks`, where that is smaller. */
async function tighten(
  nearest: Session,
  patches: Matrix,
  picks: readonly number[],
  bounds: Float32Array,
  signal?: AbortSignal,
): Promise<void> {
  const centres = takeRows(patches, picks);
  const b = { data: centres.data, dims: [centres.rows, centres.columns] };
  for (let from = 0; from < patches.rows; from += CHUNK) {
    signal?.throwIfAborted();
    const to = Math.min(from + CHUNK, patches.rows);
    const a = { data: rowsBetween(patches, from, to), dims: [to - from, patches.columns] };
    const { data } = (await nearest.run({ a, b }, ['nearest'])).nearest;
    for (let row = 0; row < data.length; row += 1) {
      if (data[row] < bounds[from + row]) bounds[from + row] = data[row];
    }
  }
  for (const pick of picks) bounds[pick] = 0;
}

/** Indices of the `count` largest bounds, and the largest of the others. */
function largest(bounds: Float32Array, count: number): { competitors: Uint32Array; outside: number } {
  if (count === bounds.length) return { competitors: Uint32Array.from(bounds.keys()), outside: 0 };
  const sorted = bounds.slice().sort();
  const outside = sorted[sorted.length - count - 1];
  const competitors = new Uint32Array(count);
  let found = 0;
  for (let index = 0; index < bounds.length && found < count; index += 1) {
    if (bounds[index] > outside) competitors[found++] = index;
  }
  for (let index = 0; index < bounds.length && found < count; index += 1) {
    if (bounds[index] === outside) competitors[found++] = index;
  }
  return { competitors, outside };
}

/** Greedy picks among the competitors until a patch outside might be farther, in the order of their choice. */
function compete(
  competitors: Uint32Array,
  squared: Float32Array,
  bounds: Float32Array,
  outside: number,
  most: number,
): number[] {
  const count = competitors.length;
  const remaining = Float32Array.from(competitors, (index) => bounds[index]);
  const picks: number[] = [];
  let best = remaining.indexOf(remaining.reduce((high, bound) => Math.max(high, bound), 0));
  while (picks.length < most && remaining[best] > 0 && remaining[best] >= outside) {
    picks.push(competitors[best]);
    remaining[best] = 0;
    const row = best * count;
    let farthest = -1;
    for (let index = 0; index < count; index += 1) {
      const distance = squared[row + index];
      let bound = remaining[index];
      if (distance < bound) {
        bound = distance;
        remaining[index] = distance;
      }
      if (bound > farthest) {
        farthest = bound;
        best = index;
      }
    }
  }
  return picks;
}
