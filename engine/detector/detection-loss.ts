import { type AssignedCell, type AssignmentOptions, assignTargets } from './assignment';
import { cornersOf, type DetectionTarget, type HeadLevel, placeCorners, readDistances } from './cells';
import { completeIou } from './ciou';

export interface LossOptions {
  /** Values each distance has in `HeadLevel.boxes`; 1: the distance itself. */
  readonly bins: number;
  readonly assignment?: Partial<AssignmentOptions>;
  /** How much each part counts. */
  readonly gains?: Partial<Record<'box' | 'classes' | 'distribution', number>>;
  /** What the loss is divided by; by default the sum of the scores, at least 1. */
  readonly normaliser?: number;
  /** Classes that the picture was not searched for: their logits count nowhere. */
  readonly unlabelled?: readonly number[];
}

export interface DetectionLoss {
  /** The sum of the three parts. */
  readonly total: number;
  /** 1 - CIoU of the assigned cells. */
  readonly box: number;
  /** Binary cross entropy of all cells against the scores of the assigned ones. */
  readonly classes: number;
  /** Distribution focal loss; with one bin the distances' error in shares of the box's mean side. */
  readonly distribution: number;
  /** Sum of the scores: what a batch is normalised by. */
  readonly weight: number;
  /** Derivatives of `total` with respect to the logits, one for each level, laid out as these are. */
  readonly gradients: readonly { readonly boxes: Float32Array; readonly classes: Float32Array }[];
}

const ASSIGNMENT: AssignmentOptions = { topk: 10, alpha: 0.5, beta: 6 };
const GAINS = { box: 7.5, classes: 0.5, distribution: 1.5 };
/** How far below the last bin a true distance is kept, in bins. */
const MARGIN = 0.01;

/**
 * What a detector gets wrong on one picture, and how to change its logits.
 *
 * @param levels  the head's logits, finest first
 * @param targets what is in the picture; none: everything is background
 * @throws {RangeError} when a level's logits do not fit its size
 * @see Feng et al. 2021 (TOOD) for the assignment, Zheng et al. 2020 (CIoU), Li et al. 2020 (Generalized Focal Loss)
 */
export function detectionLoss(
  levels: readonly HeadLevel[],
  targets: readonly DetectionTarget[],
  options: LossOptions,
): DetectionLoss {
  const assigned = assignTargets(levels, targets, options.bins, { ...ASSIGNMENT, ...options.assignment });
  return lossOfAssigned(levels, targets, assigned, options);
}

/** As `detectionLoss`, with the cells already assigned; the assignment counts as a constant in the derivatives. */
export function lossOfAssigned(
  levels: readonly HeadLevel[],
  targets: readonly DetectionTarget[],
  assigned: readonly AssignedCell[],
  { bins, gains, normaliser, unlabelled = [] }: LossOptions,
): DetectionLoss {
  for (const { boxes, rows, columns } of levels) {
    if (boxes.length !== 4 * bins * rows * columns)
      throw new RangeError(`${boxes.length} box logits do not fit ${rows} x ${columns} cells with ${bins} bins`);
  }
  const gain = { ...GAINS, ...gains };
  const weight = assigned.reduce((sum, { score }) => sum + score, 0);
  const divisor = normaliser ?? Math.max(weight, 1);
  const gradients = levels.map(({ boxes, classes }) => ({
    boxes: new Float32Array(boxes.length),
    classes: new Float32Array(classes.length),
  }));
  const classes = classLoss(levels, targets, assigned, unlabelled, gain.classes / divisor, gradients);
  const places = { box: gain.box / divisor, distribution: gain.distribution / divisor };
  const { box, distribution } = boxLoss(levels, targets, assigned, bins, places, gradients);
  return { total: box + classes + distribution, box, classes, distribution, weight, gradients };
}

type Gradients = DetectionLoss['gradients'];

/** Binary cross entropy of all cells and classes; what is not assigned shall be 0. */
function classLoss(
  levels: readonly HeadLevel[],
  targets: readonly DetectionTarget[],
  assigned: readonly AssignedCell[],
  unlabelled: readonly number[],
  factor: number,
  gradients: Gradients,
): number {
  let sum = 0;
  levels.forEach(({ classes, rows, columns }, level) => {
    const gradient = gradients[level].classes;
    for (let index = 0; index < classes.length; index += 1) {
      if (unlabelled.length > 0 && unlabelled.includes(Math.floor(index / (rows * columns)))) continue;
      const logit = classes[index];
      const small = Math.exp(-Math.abs(logit));
      sum += Math.max(logit, 0) + Math.log(1 + small);
      gradient[index] = (factor * (logit >= 0 ? 1 : small)) / (1 + small);
    }
  });
  for (const { level, cell, target, score } of assigned) {
    const { rows, columns, classes } = levels[level];
    const index = targets[target].class * rows * columns + cell;
    sum -= score * classes[index];
    gradients[level].classes[index] -= factor * score;
  }
  return factor * sum;
}

function boxLoss(
  levels: readonly HeadLevel[],
  targets: readonly DetectionTarget[],
  assigned: readonly AssignedCell[],
  bins: number,
  factors: { readonly box: number; readonly distribution: number },
  gradients: Gradients,
): { box: number; distribution: number } {
  const truths = targets.map(({ box }) => cornersOf(box));
  const distances = new Float64Array(4);
  const probabilities = new Float64Array(4 * bins);
  const corners = new Float64Array(4);
  const slopes = new Float64Array(4);
  let box = 0;
  let distribution = 0;
  for (const { level: index, cell, target, score } of assigned) {
    const level = levels[index];
    const gradient = gradients[index].boxes;
    const truth = truths[target];
    readDistances(level, cell, bins, distances, probabilities);
    placeCorners(level, cell, distances, corners);
    box += factors.box * score * (1 - completeIou(corners, truth, slopes));
    const wanted = distancesTo(truth, level, cell);
    const step = (factors.distribution * score) / 4;
    for (let side = 0; side < 4; side += 1) {
      // the left and top corners move against their distances
      const slope = -factors.box * score * slopes[side] * level.stride * (side < 2 ? -1 : 1);
      const from = side * bins * level.rows * level.columns + cell;
      if (bins === 1) {
        const scale = (2 * step * level.stride) / (truth[2] - truth[0] + truth[3] - truth[1]);
        distribution += scale * Math.abs(distances[side] - wanted[side]);
        gradient[from] = slope + scale * Math.sign(distances[side] - wanted[side]);
        continue;
      }
      const place = Math.min(Math.max(wanted[side], 0), bins - 1 - MARGIN);
      const low = Math.floor(place);
      const later = place - low;
      for (let bin = 0; bin < bins; bin += 1) {
        const probability = probabilities[side * bins + bin];
        const share = bin === low ? 1 - later : bin === low + 1 ? later : 0;
        if (share > 0) distribution -= step * share * Math.log(Math.max(probability, Number.MIN_VALUE));
        gradient[from + bin * level.rows * level.columns] =
          slope * probability * (bin - distances[side]) + step * (probability - share);
      }
    }
  }
  return { box, distribution };
}

/** From a cell's centre to the sides of a box, in strides. */
function distancesTo(truth: Float64Array, { stride, columns }: HeadLevel, cell: number): readonly number[] {
  const x = (cell % columns) + 0.5;
  const y = Math.floor(cell / columns) + 0.5;
  return [x - truth[0] / stride, y - truth[1] / stride, truth[2] / stride - x, truth[3] / stride - y];
}
