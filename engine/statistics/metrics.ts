export interface F1Max {
  readonly f1: number;
  /** Scores at or above it count as defective. */
  readonly threshold: number;
}

/**
 * Area under the ROC curve: how often a defective one scores higher than a good one; ties count half.
 *
 * @returns 0..1; NaN when one of the two is empty
 * @see Hanley and McNeil 1982 (the Mann-Whitney statistic)
 */
export function auroc(good: ArrayLike<number>, defective: ArrayLike<number>): number {
  const low = Float64Array.from(good).sort();
  const high = Float64Array.from(defective).sort();
  let below = 0;
  let upTo = 0;
  let wins = 0;
  for (const score of high) {
    while (below < low.length && low[below] < score) below += 1;
    upTo = Math.max(upTo, below);
    while (upTo < low.length && low[upTo] === score) upTo += 1;
    wins += below + (upTo - below) / 2;
  }
  return wins / (low.length * high.length);
}

/**
 * Average precision: the mean of the precision over the steps of the recall.
 *
 * @returns 0..1; NaN without defective ones
 */
export function averagePrecision(good: ArrayLike<number>, defective: ArrayLike<number>): number {
  let sum = 0;
  let recall = 0;
  for (const { hits, alarms } of steps(good, defective)) {
    sum += (hits / defective.length - recall) * (hits / alarms);
    recall = hits / defective.length;
  }
  return defective.length === 0 ? Number.NaN : sum;
}

/**
 * The best F1 (harmonic mean of precision and recall, defective counts as positive) over all thresholds.
 *
 * @returns NaN without defective ones; of equal thresholds the highest
 */
export function f1Max(good: ArrayLike<number>, defective: ArrayLike<number>): F1Max {
  let best: F1Max = { f1: Number.NaN, threshold: Number.NaN };
  if (defective.length === 0) return best;
  for (const { hits, alarms, threshold } of steps(good, defective)) {
    const f1 = (2 * hits) / (alarms + defective.length);
    if (!(f1 <= best.f1)) best = { f1, threshold };
  }
  return best;
}

/** A map with the truth for each of its pixels. */
export interface MapWithTruth {
  /** Row-major. */
  readonly map: Float32Array;
  /** 1 where the picture is defective, otherwise 0; missing for a good picture. */
  readonly mask?: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** AUROC over all pixels of all pictures. */
export function pixelAuroc(maps: readonly MapWithTruth[]): number {
  const { good, defective } = splitPixels(maps);
  return auroc(good, defective);
}

/**
 * Per-region overlap: the mean over all defects of the share of their pixels that is found, integrated over the rate of
 * false pixels from 0 to `limit` and divided by `limit`. Small defects weigh as much as large ones.
 *
 * @returns 0..1; NaN without defective or without good pixels
 * @see Bergmann et al. 2021, "The MVTec Anomaly Detection Dataset" (IJCV), section 6.1
 */
export function pro(maps: readonly MapWithTruth[], limit = 0.3): number {
  const { good } = splitPixels(maps);
  const weighted: { score: number; weight: number }[] = [];
  let regions = 0;
  for (const { map, mask, width } of maps) {
    if (mask === undefined) continue;
    for (const region of components(mask, width)) {
      regions += 1;
      for (const place of region) weighted.push({ score: map[place], weight: 1 / region.length });
    }
  }
  if (regions === 0 || good.length === 0) return Number.NaN;
  weighted.sort((a, b) => b.score - a.score);
  let [rate, overlap, area] = [0, 0, 0];
  let [goodPlace, defectPlace] = [good.length - 1, 0];
  while (rate < limit) {
    const threshold = Math.max(
      goodPlace >= 0 ? good[goodPlace] : Number.NEGATIVE_INFINITY,
      weighted[defectPlace]?.score ?? Number.NEGATIVE_INFINITY,
    );
    let nextOverlap = overlap;
    while (defectPlace < weighted.length && weighted[defectPlace].score >= threshold) {
      nextOverlap += weighted[defectPlace++].weight / regions;
    }
    while (goodPlace >= 0 && good[goodPlace] >= threshold) goodPlace -= 1;
    const nextRate = (good.length - 1 - goodPlace) / good.length;
    const end = Math.min(nextRate, limit);
    if (nextRate > rate) {
      const overlapAtEnd = overlap + ((nextOverlap - overlap) * (end - rate)) / (nextRate - rate);
      area += ((overlap + overlapAtEnd) / 2) * (end - rate);
    }
    [rate, overlap] = [nextRate, nextOverlap];
  }
  return area / limit;
}

interface Step {
  readonly threshold: number;
  /** Defective ones at or above the threshold. */
  readonly hits: number;
  /** All at or above it. */
  readonly alarms: number;
}

/** Every distinct threshold, from the highest down. */
function* steps(good: ArrayLike<number>, defective: ArrayLike<number>): Generator<Step> {
  const low = Float64Array.from(good).sort();
  const high = Float64Array.from(defective).sort();
  let [lowPlace, highPlace] = [low.length - 1, high.length - 1];
  while (lowPlace >= 0 || highPlace >= 0) {
    const threshold = Math.max(low[lowPlace] ?? Number.NEGATIVE_INFINITY, high[highPlace] ?? Number.NEGATIVE_INFINITY);
    while (lowPlace >= 0 && low[lowPlace] >= threshold) lowPlace -= 1;
    while (highPlace >= 0 && high[highPlace] >= threshold) highPlace -= 1;
    const hits = high.length - 1 - highPlace;
    yield { threshold, hits, alarms: hits + low.length - 1 - lowPlace };
  }
}

function splitPixels(maps: readonly MapWithTruth[]): { good: Float32Array; defective: Float32Array } {
  const total = maps.reduce((sum, { map }) => sum + map.length, 0);
  const marked = maps.reduce((sum, { mask }) => sum + (mask?.reduce((count, bit) => count + bit, 0) ?? 0), 0);
  const good = new Float32Array(total - marked);
  const defective = new Float32Array(marked);
  let [goodPlace, defectPlace] = [0, 0];
  for (const { map, mask } of maps) {
    for (let place = 0; place < map.length; place += 1) {
      if (mask?.[place] === 1) defective[defectPlace++] = map[place];
      else good[goodPlace++] = map[place];
    }
  }
  return { good: good.sort(), defective: defective.sort() };
}

/** Pixels of each connected area (edges or corners touching) of a mask. */
function components(mask: Uint8Array, width: number): number[][] {
  const height = mask.length / width;
  const seen = new Uint8Array(mask.length);
  const found: number[][] = [];
  for (let start = 0; start < mask.length; start += 1) {
    if (seen[start] || mask[start] !== 1) continue;
    const region = [start];
    seen[start] = 1;
    for (const place of region) {
      const x = place % width;
      const y = (place - x) / width;
      for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny += 1) {
        for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx += 1) {
          const neighbour = ny * width + nx;
          if (seen[neighbour] || mask[neighbour] !== 1) continue;
          seen[neighbour] = 1;
          region.push(neighbour);
        }
      }
    }
    found.push(region);
  }
  return found;
}
