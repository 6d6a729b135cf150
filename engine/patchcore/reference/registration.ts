import { fitAffine, MOST_EDGES } from './affine-fit';
import { fitBend, searchBend } from './bend-fit';
import { lightBetween } from './light';
import { NO_EDGES, type Plane, pyramid, strongestEdges } from './plane';
import { type Affine, coverage, enlarged, laidOver, shiftBy, type Warp } from './warp';

export interface Registration {
  /** From pixels of the picture to pixels of the reference. */
  readonly warp: Warp;
  /** Correlation of both, coarse and laid over each other, -1..1; 1 when both are blank. */
  readonly similarity: number;
}

/** Longest side of the coarsest plane, on which every shift is tried. */
const COARSEST_SIDE = 96;
/** Longest side of the plane on which the warp gets its last correction: parts of its pixels are known. */
const FINEST_SIDE = 384;
/** A pixel's difference counts up to this much when two warps are compared: a defect must not decide. */
const MOST_DIFFERENCE = 0.5;
/** A shift must correlate better by this much than a smaller one. */
const CLEARLY_BETTER = 1e-3;
/** A plane that varies less (standard deviation, 0..1) has no structure to compare. */
const BLANK = 2 / 255;

/**
 * Lays a reference over a picture of the same size: every shift within `reach` is tried on coarse planes, an affine map
 * (shift, turn, scale, shear, each small) is corrected on finer and finer ones, then a grid of small displacements. Of all
 * these the one that leaves the least difference is taken, so that a picture with little structure is not bent.
 *
 * @param reach largest shift, as a share of the longer side, 0..0.25
 */
export function register(picture: Plane, reference: Plane, reach: number): Registration {
  const pictures = pyramid(picture, COARSEST_SIDE);
  const references = pyramid(reference, COARSEST_SIDE);
  const coarsest = pictures.length - 1;
  const finest = Math.max(
    0,
    pictures.findIndex(({ width, height }) => Math.max(width, height) <= FINEST_SIDE),
  );
  const middle = Math.min(finest + 1, coarsest);
  const best = (warps: readonly Warp[]) => leastDifference(pictures[middle], references[middle], warps);
  const edges = pictures.map((plane, level) => (level < finest ? NO_EDGES : strongestEdges(plane, MOST_EDGES)));

  const shift = bestShift(pictures[coarsest], references[coarsest], reach);
  let stretched = shift;
  for (let level = coarsest; level >= middle; level -= 1) {
    stretched = fitAffine(pictures[level], references[level], stretched, edges[level]);
    if (level > middle) stretched = enlarged(rigid(stretched), 2).map;
  }
  const straight = best([rigid(shiftBy(0, 0)), enlarged(rigid(shift), 2 ** (coarsest - middle)), rigid(stretched)]);
  const found = { ...straight, bend: searchBend(pictures[middle], references[middle], straight.map) };
  const bent = fitBend(pictures[middle], references[middle], found, edges[middle]);
  let warp = best([straight, bent]);
  const similarity = similarityUnder(
    enlarged(warp, 1 / 2 ** (coarsest - middle)),
    pictures[coarsest],
    references[coarsest],
  );
  if (middle > finest) {
    warp = enlarged(warp, 2);
    const { map, bend } = warp;
    if (bend === null) warp = rigid(fitAffine(pictures[finest], references[finest], map, edges[finest]));
    else warp = fitBend(pictures[finest], references[finest], warp, edges[finest]);
  }
  return { warp: enlarged(warp, 2 ** finest), similarity };
}

function rigid(map: Affine): Warp {
  return { map, bend: null };
}

/** The shift with the highest correlation; of shifts as good, the smallest. */
function bestShift(picture: Plane, reference: Plane, reach: number): Affine {
  const radius = Math.round(reach * Math.max(picture.width, picture.height));
  const shifts: { x: number; y: number }[] = [];
  for (let y = -radius; y <= radius; y += 1) for (let x = -radius; x <= radius; x += 1) shifts.push({ x, y });
  shifts.sort((a, b) => a.x ** 2 + a.y ** 2 - (b.x ** 2 + b.y ** 2));
  let best = { x: 0, y: 0 };
  let highest = Number.NEGATIVE_INFINITY;
  for (const shift of shifts) {
    const likeness = correlation(picture, reference, shift.x, shift.y).correlation;
    if (likeness <= highest + CLEARLY_BETTER) continue;
    highest = likeness;
    best = shift;
  }
  return shiftBy(best.x, best.y);
}

function leastDifference(picture: Plane, reference: Plane, warps: readonly Warp[]): Warp {
  const differences = warps.map((warp) => {
    const laid = laidOver(reference, warp, picture.width, picture.height);
    const { gain, offset } = lightBetween(picture.data, laid, 3);
    let sum = 0;
    for (let place = 0; place < laid.length; place += 1) {
      const difference = Math.abs(gain * laid[place] + offset - picture.data[place]);
      sum += difference < MOST_DIFFERENCE ? difference : MOST_DIFFERENCE;
    }
    return sum;
  });
  return warps[differences.indexOf(Math.min(...differences))];
}

/** Over the pixels that both show. */
function similarityUnder(warp: Warp, picture: Plane, reference: Plane): number {
  const data = laidOver(reference, warp, picture.width, picture.height);
  const { counts } = coverage(warp, reference, picture.width, picture.height);
  const places = Array.from(counts.keys()).filter((place) => counts[place] > 0);
  const shown = planeOfRow(Float32Array.from(places, (place) => picture.data[place]));
  const known = planeOfRow(Float32Array.from(places, (place) => data[place]));
  const { spreadA, spreadB, correlation: similarity } = correlation(shown, known, 0, 0);
  return spreadA < BLANK && spreadB < BLANK ? 1 : similarity;
}

function planeOfRow(data: Float32Array): Plane {
  return { data, width: data.length, height: 1 };
}

/** Of a(x, y) with b(x + dx, y + dy), over the pixels both have: standard deviations, and correlation (0 without structure). */
function correlation(a: Plane, b: Plane, dx: number, dy: number) {
  let [sumA, sumB, sumAA, sumBB, sumAB] = [0, 0, 0, 0, 0];
  const [first, last] = [Math.max(0, -dx), Math.min(a.width, b.width - dx)];
  const [top, bottom] = [Math.max(0, -dy), Math.min(a.height, b.height - dy)];
  for (let y = top; y < bottom; y += 1) {
    const there = (y + dy) * b.width + dx;
    for (let x = first; x < last; x += 1) {
      const [one, other] = [a.data[y * a.width + x], b.data[there + x]];
      sumA += one;
      sumB += other;
      sumAA += one * one;
      sumBB += other * other;
      sumAB += one * other;
    }
  }
  const count = Math.max(1, (last - first) * (bottom - top));
  const spreadA = Math.sqrt(Math.max(0, sumAA / count - (sumA / count) ** 2));
  const spreadB = Math.sqrt(Math.max(0, sumBB / count - (sumB / count) ** 2));
  const covariance = sumAB / count - (sumA / count) * (sumB / count);
  return { spreadA, spreadB, correlation: spreadA * spreadB < 1e-9 ? 0 : covariance / (spreadA * spreadB) };
}
