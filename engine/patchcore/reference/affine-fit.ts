import { lightBetween } from './light';
import type { Edges, Plane } from './plane';
import { type Affine, compose, laidAt } from './warp';

/** Pixels that take part at most. */
export const MOST_EDGES = 6_000;
const MOST_STEPS = 8;
/** Corrections below this many pixels at the border end the search. */
const SETTLED = 0.02;
/** Differences (0..1) to be expected without any movement. */
const EXPECTED_NOISE = 0.1;
/** Movement of the border against the middle to be expected, as a share of half the side. */
const EXPECTED_STRETCH = 0.02;

/**
 * Corrects an affine map on one plane, by Gauss-Newton steps on the differences at the picture's edges. What the map cannot
 * explain, such as a defect, loses its weight; without structure that says otherwise there is neither turn nor stretch.
 *
 * @param edges of the picture
 * @see Baker and Matthews 2004, "Lucas-Kanade 20 Years On", section 3.2 (inverse compositional algorithm)
 */
export function fitAffine(picture: Plane, reference: Plane, start: Affine, edges: Edges): Affine {
  const { width, height } = picture;
  const half = Math.max(width, height) / 2;
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  const prior = (EXPECTED_NOISE / (EXPECTED_STRETCH * half)) ** 2;
  if (edges.places.length < 12) return start;
  let map = start;
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const { errors, weights } = weighedErrors(picture, reference, map, edges.places);
    const normal = new Float64Array(36);
    const right = new Float64Array(6);
    const row = new Float64Array(6);
    for (let index = 0; index < errors.length; index += 1) {
      const x = edges.places[index] % width;
      const across = (x - middleX) / half;
      const down = ((edges.places[index] - x) / width - middleY) / half;
      row[0] = edges.x[index];
      row[1] = edges.y[index];
      row[2] = row[0] * across;
      row[3] = row[0] * down;
      row[4] = row[1] * across;
      row[5] = row[1] * down;
      for (let i = 0; i < 6; i += 1) {
        const weighed = weights[index] * row[i];
        right[i] -= weighed * errors[index];
        for (let j = i; j < 6; j += 1) normal[i * 6 + j] += weighed * row[j];
      }
    }
    const stretch = [0, 0, map.xx - 1, map.xy, map.yx, map.yy - 1];
    for (let i = 0; i < 6; i += 1) {
      for (let j = 0; j < i; j += 1) normal[i * 6 + j] = normal[j * 6 + i];
      normal[i * 6 + i] += i < 2 ? 1e-6 : prior;
      if (i >= 2) right[i] -= prior * stretch[i] * half;
    }
    const delta = solve(normal, right);
    if (delta === null) break;
    const [tx, ty, xx, xy, yx, yy] = delta;
    const linear = { xx: 1 + xx / half, xy: xy / half, yx: yx / half, yy: 1 + yy / half };
    map = compose(map, {
      ...linear,
      x0: tx + middleX - linear.xx * middleX - linear.xy * middleY,
      y0: ty + middleY - linear.yx * middleX - linear.yy * middleY,
    });
    if (Math.max(...delta.map(Math.abs)) < SETTLED) break;
  }
  return map;
}

/** Differences reference - picture at some pixels, in the same light, and how much each counts. */
export function weighedErrors(
  picture: Plane,
  reference: Plane,
  warp: Affine | Parameters<typeof laidAt>[1],
  places: Int32Array,
): { errors: Float32Array; weights: Float32Array } {
  const full = 'map' in warp ? warp : { map: warp, bend: null };
  const errors = laidAt(reference, full, places, picture.width, picture.height);
  const shown = new Float32Array(places.length);
  for (let index = 0; index < places.length; index += 1) shown[index] = picture.data[places[index]];
  const { gain, offset } = lightBetween(shown, errors);
  let spread = 0;
  for (let index = 0; index < errors.length; index += 1) {
    errors[index] = gain * errors[index] + offset - shown[index];
    spread += Math.abs(errors[index]);
  }
  const tolerated = Math.max(0.02, (1.5 * spread) / errors.length) ** 2;
  const weights = new Float32Array(errors.length);
  for (let index = 0; index < errors.length; index += 1) {
    const share = 1 + (errors[index] * errors[index]) / tolerated;
    weights[index] = 1 / (share * share);
  }
  return { errors, weights };
}

/** Gaussian elimination with pivots; null when the matrix is singular. */
function solve(matrix: Float64Array, right: Float64Array): number[] | null {
  const size = right.length;
  for (let column = 0; column < size; column += 1) {
    let pivot = column;
    for (let row = column + 1; row < size; row += 1) {
      if (Math.abs(matrix[row * size + column]) > Math.abs(matrix[pivot * size + column])) pivot = row;
    }
    if (Math.abs(matrix[pivot * size + column]) < 1e-12) return null;
    for (let k = 0; k < size; k += 1) {
      [matrix[column * size + k], matrix[pivot * size + k]] = [matrix[pivot * size + k], matrix[column * size + k]];
    }
    [right[column], right[pivot]] = [right[pivot], right[column]];
    for (let row = column + 1; row < size; row += 1) {
      const factor = matrix[row * size + column] / matrix[column * size + column];
      for (let k = column; k < size; k += 1) matrix[row * size + k] -= factor * matrix[column * size + k];
      right[row] -= factor * right[column];
    }
  }
  const result = Array.from(right);
  for (let row = size - 1; row >= 0; row -= 1) {
    for (let k = row + 1; k < size; k += 1) result[row] -= matrix[row * size + k] * result[k];
    result[row] /= matrix[row * size + row];
  }
  return result;
}
