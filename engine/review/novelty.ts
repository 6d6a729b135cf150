/** Fewer pictures tell nothing about how unlike parts of a line are. */
const LEAST_KNOWN = 10;
/** Distances of unit vectors: 0.35 is a cosine of 0.94, 0.7 one of 0.75. Those of unrelated things lie around 1.4. */
const RADIUS_BOUNDS = { low: 0.35, high: 0.7 } as const;
const NOVEL_QUANTILE = 0.95;

/** How far apart the pictures of a line are. */
export interface Scale {
  /** Pictures up to this distance apart look alike. */
  readonly radius: number;
  /** A picture farther than this from all known ones is novel; null while too few are known. */
  readonly novelBeyond: number | null;
}

/** The known picture most like another one. */
export interface Nearest {
  /** Index in the list of known ones. */
  readonly index: number;
  readonly distance: number;
}

/**
 * Reads from the pictures of a line what `alike` and `novel` mean there.
 *
 * The queue is to cover what comes along with few pictures: one more is worth a place when it is farther than the radius from
 * all that have one (the k-center criterion). The radius is half the median distance of two pictures, because most of a line's
 * pictures have nothing to do with each other; it is kept within 0.35 and 0.7, so that a line on which every part has the same
 * stain does not take its copies for variety. Novel is what is farther from all known pictures than 95 % of these are from
 * their nearest.
 *
 * @param known unit vectors; of fewer than 10, radius 0.35 and nothing novel
 * @see Gonzalez 1985, "Clustering to minimize the maximum intercluster distance"
 * @see Sener and Savarese 2018, "Active learning for convolutional neural networks: a core-set approach", section 4
 */
export function scaleOf(known: readonly Float32Array[]): Scale {
  if (known.length < LEAST_KNOWN) return { radius: RADIUS_BOUNDS.low, novelBeyond: null };
  const apart: number[] = [];
  const toNearest = new Float64Array(known.length).fill(Number.POSITIVE_INFINITY);
  for (let one = 0; one < known.length; one += 1) {
    for (let other = one + 1; other < known.length; other += 1) {
      const distance = distanceOf(known[one], known[other]);
      apart.push(distance);
      toNearest[one] = Math.min(toNearest[one], distance);
      toNearest[other] = Math.min(toNearest[other], distance);
    }
  }
  const half = quantile(Float64Array.from(apart).sort(), 0.5) / 2;
  return {
    radius: Math.min(RADIUS_BOUNDS.high, Math.max(RADIUS_BOUNDS.low, half)),
    novelBeyond: quantile(toNearest.sort(), NOVEL_QUANTILE),
  };
}

/** @returns null when none is known */
export function nearestOf(vector: Float32Array, known: readonly Float32Array[]): Nearest | null {
  let nearest: Nearest | null = null;
  for (const [index, other] of known.entries()) {
    const distance = distanceOf(vector, other);
    if (nearest === null || distance < nearest.distance) nearest = { index, distance };
  }
  return nearest;
}

/** Indices of those at most `radius` away. */
export function alikeOf(vector: Float32Array, known: readonly Float32Array[], radius: number): readonly number[] {
  return known.flatMap((other, index) => (distanceOf(vector, other) <= radius ? [index] : []));
}

/** Euclidean. */
export function distanceOf(one: Float32Array, other: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < one.length; index += 1) sum += (one[index] - other[index]) ** 2;
  return Math.sqrt(sum);
}

function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
