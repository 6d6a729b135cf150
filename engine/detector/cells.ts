import type { Box } from '../domain';

/** What the head says at one stride, for one picture, before softmax and sigmoid. */
export interface HeadLevel {
  /** Pixels of the input a cell spans. */
  readonly stride: number;
  readonly rows: number;
  readonly columns: number;
  /**
   * [4 x bins x rows x columns]: distances from the cell's centre to left, top, right, bottom, in strides; with one bin the
   * distance itself, with more the logits of its distribution over 0..bins-1.
   */
  readonly boxes: Float32Array;
  /** [classes x rows x columns], logits. */
  readonly classes: Float32Array;
}

/** Something that shall be found. */
export interface DetectionTarget {
  /** Index of the class. */
  readonly class: number;
  /** In pixels of the network's input. */
  readonly box: Box;
}

/** Left, top, right, bottom in pixels of the input. */
export function cornersOf({ x, y, width, height }: Box): Float64Array {
  return Float64Array.of(x, y, x + width, y + height);
}

/**
 * Reads one cell's distances.
 *
 * @param distances     receives left, top, right, bottom in strides
 * @param probabilities receives the softmax over the bins of each side, [4 x bins]; left alone with one bin
 * @see Li et al. 2020, "Generalized Focal Loss", equation 4: the distance is the expectation over the bins
 */
export function readDistances(
  level: HeadLevel,
  cell: number,
  bins: number,
  distances: Float64Array,
  probabilities: Float64Array,
): void {
  const { boxes } = level;
  const area = level.rows * level.columns;
  for (let side = 0; side < 4; side += 1) {
    const from = side * bins * area + cell;
    if (bins === 1) {
      distances[side] = boxes[from];
      continue;
    }
    let highest = Number.NEGATIVE_INFINITY;
    for (let bin = 0; bin < bins; bin += 1) highest = Math.max(highest, boxes[from + bin * area]);
    let sum = 0;
    let weighted = 0;
    for (let bin = 0; bin < bins; bin += 1) {
      const value = Math.exp(boxes[from + bin * area] - highest);
      probabilities[side * bins + bin] = value;
      sum += value;
      weighted += bin * value;
    }
    for (let bin = 0; bin < bins; bin += 1) probabilities[side * bins + bin] /= sum;
    distances[side] = weighted / sum;
  }
}

/** The corners, in pixels, of a box that reaches so many strides from a cell's centre. */
export function placeCorners(
  { stride, columns }: HeadLevel,
  cell: number,
  distances: Float64Array,
  corners: Float64Array,
): void {
  const x = (cell % columns) + 0.5;
  const y = Math.floor(cell / columns) + 0.5;
  corners[0] = (x - distances[0]) * stride;
  corners[1] = (y - distances[1]) * stride;
  corners[2] = (x + distances[2]) * stride;
  corners[3] = (y + distances[3]) * stride;
}

export function sigmoid(value: number): number {
  return value >= 0 ? 1 / (1 + Math.exp(-value)) : Math.exp(value) / (1 + Math.exp(value));
}
