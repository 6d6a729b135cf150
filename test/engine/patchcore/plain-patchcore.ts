/** PatchCore written down plainly from the paper, in double precision, one number after the other: for comparison only. */

import type { Tensor } from '../../../engine/inference';
import type { Matrix } from '../../../engine/patchcore/matrix';
import type { Conditioning, Layer } from '../../../engine/patchcore/neck-graph';

type Plane = readonly (readonly number[])[];

export interface PlainLayer extends Layer {
  readonly features: Tensor;
}

/** Features of each patch [patch][dimension]: pooled, upsampled, side by side, and only then conditioned. */
export function plainPatches(layers: readonly PlainLayer[], conditioning: Conditioning | null): number[][] {
  const [, , rows, columns] = layers[0].features.dims;
  const planes = layers.flatMap(({ features }) =>
    planesOf(features).map((plane) => upsampled(pooled(plane), rows, columns)),
  );
  const patches = Array.from({ length: rows * columns }, (_, patch) =>
    planes.map((plane) => plane[Math.floor(patch / columns)][patch % columns]),
  );
  if (conditioning === null) return patches;
  const { mean, weights } = conditioning;
  return patches.map((patch) =>
    Array.from({ length: weights.columns }, (_, column) =>
      patch.reduce((sum, value, row) => sum + (value - mean[row]) * weights.data[row * weights.columns + column], 0),
    ),
  );
}

export function distanceTo(patch: ArrayLike<number>, bank: Matrix, row: number): number {
  let sum = 0;
  for (let column = 0; column < bank.columns; column += 1)
    sum += (patch[column] - bank.data[row * bank.columns + column]) ** 2;
  return Math.sqrt(sum);
}

/** The nearest bank row among those wanted, and its distance. */
export function plainNearest(
  patch: ArrayLike<number>,
  bank: Matrix,
  wanted: (row: number) => boolean = () => true,
): { readonly row: number; readonly distance: number } {
  const rows = Array.from({ length: bank.rows }, (_, row) => row).filter(wanted);
  const distances = rows.map((row) => distanceTo(patch, bank, row));
  const distance = Math.min(...distances);
  return { row: rows[distances.indexOf(distance)], distance };
}

/** Equation 7: the distance of a patch to its nearest bank row, weighted by how usual that row is. */
export function plainReweighted(patch: ArrayLike<number>, bank: Matrix, neighbours: number): number {
  const { row, distance } = plainNearest(patch, bank);
  const own = bank.data.subarray(row * bank.columns, (row + 1) * bank.columns);
  const closest = Array.from({ length: bank.rows }, (_, other) => ({ other, apart: distanceTo(own, bank, other) }))
    .sort((a, b) => a.apart - b.apart)
    .slice(0, neighbours);
  const sum = closest.reduce((total, { other }) => total + Math.exp(distanceTo(patch, bank, other)), 0);
  return (1 - Math.exp(distance) / sum) * distance;
}

/** Bilinear upsampling of each pixel, then a gaussian cut at four standard deviations, edge values held. */
export function plainMap(distances: Plane, stride: number, sigma: number): number[][] {
  const wide = upsampled(distances, distances.length * stride, distances[0].length * stride);
  const down = transposed(wide).map((column) => smoothed(column, sigma));
  return transposed(down).map((row) => smoothed(row, sigma));
}

function planesOf({ data, dims: [, channels, rows, columns] }: Tensor): number[][][] {
  return Array.from({ length: channels }, (_, channel) =>
    Array.from({ length: rows }, (_row, y) =>
      Array.from({ length: columns }, (_column, x) => data[(channel * rows + y) * columns + x]),
    ),
  );
}

/** Mean of the up to nine cells around each. */
function pooled(plane: Plane): number[][] {
  return plane.map((cells, y) =>
    cells.map((_, x) => {
      const around = plane.slice(Math.max(0, y - 1), y + 2).flatMap((row) => row.slice(Math.max(0, x - 1), x + 2));
      return around.reduce((sum, value) => sum + value, 0) / around.length;
    }),
  );
}

function upsampled(plane: Plane, rows: number, columns: number): number[][] {
  const across = plane.map((cells) => interpolated(cells, columns));
  return transposed(transposed(across).map((cells) => interpolated(cells, rows)));
}

function interpolated(cells: readonly number[], count: number): number[] {
  return Array.from({ length: count }, (_, index) => {
    const place = Math.min(Math.max(((index + 0.5) * cells.length) / count - 0.5, 0), cells.length - 1);
    const low = Math.floor(place);
    const high = Math.min(low + 1, cells.length - 1);
    return cells[low] * (1 - (place - low)) + cells[high] * (place - low);
  });
}

function smoothed(values: readonly number[], sigma: number): number[] {
  const radius = Math.ceil(4 * sigma);
  const offsets = Array.from({ length: 2 * radius + 1 }, (_, index) => index - radius);
  const weights = offsets.map((offset) => Math.exp(-0.5 * (offset / sigma) ** 2));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return values.map((_, index) => {
    const held = offsets.map((offset) => values[Math.min(Math.max(index + offset, 0), values.length - 1)]);
    return held.reduce((sum, value, place) => sum + (value * weights[place]) / total, 0);
  });
}

function transposed(plane: Plane): number[][] {
  return plane[0].map((_, column) => plane.map((row) => row[column]));
}
