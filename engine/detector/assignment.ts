import { cornersOf, type DetectionTarget, type HeadLevel, placeCorners, readDistances, sigmoid } from './cells';
import { overlap } from './ciou';

export interface AssignmentOptions {
  /** Cells a target may take, at least 1; 1 for heads that are read without non-maximum suppression. */
  readonly topk: number;
  /** Weight of the class in the alignment: `probability ** alpha * iou ** beta`. */
  readonly alpha: number;
  /** Weight of the place. */
  readonly beta: number;
}

/** A cell that shall find a target. */
export interface AssignedCell {
  /** Index of the level. */
  readonly level: number;
  /** `row * columns + column`. */
  readonly cell: number;
  /** Index of the target. */
  readonly target: number;
  /** What the class shall say here, 0..1: how well this cell is aligned with the target. */
  readonly score: number;
}

interface Candidate {
  readonly level: number;
  readonly cell: number;
  readonly target: number;
  readonly iou: number;
  readonly alignment: number;
}

/** Places of the boxes the head predicts, worked out where they are asked for. */
class PredictedBoxes {
  private readonly known: Float64Array[];
  private readonly distances = new Float64Array(4);
  private readonly probabilities: Float64Array;

  constructor(
    private readonly levels: readonly HeadLevel[],
    private readonly bins: number,
  ) {
    this.known = levels.map(({ rows, columns }) => new Float64Array(4 * rows * columns).fill(Number.NaN));
    this.probabilities = new Float64Array(4 * bins);
  }

  at(level: number, cell: number): Float64Array {
    const corners = this.known[level].subarray(4 * cell, 4 * cell + 4);
    if (Number.isNaN(corners[0])) {
      readDistances(this.levels[level], cell, this.bins, this.distances, this.probabilities);
      placeCorners(this.levels[level], cell, this.distances, corners);
    }
    return corners;
  }
}

/**
 * Decides which cells shall find which target: of the cells whose centre lies in the target's box, those that see the
 * class and place the box best together. A cell wanted by several targets goes to the one it covers best. A target so small that
 * no centre lies in it takes the nearest cell of the finest level.
 *
 * @param bins how many each distance has in `HeadLevel.boxes`
 * @returns in order of targets; the best cell of a target has the score of the target's best IoU
 * @see Feng et al. 2021, "TOOD: Task-aligned One-stage Object Detection", section 3.2
 */
export function assignTargets(
  levels: readonly HeadLevel[],
  targets: readonly DetectionTarget[],
  bins: number,
  { topk, alpha, beta }: AssignmentOptions,
): AssignedCell[] {
  const predicted = new PredictedBoxes(levels, bins);
  const owners = new Map<string, Candidate>();
  targets.forEach((target, index) => {
    const truth = cornersOf(target.box);
    const candidates = cellsWithin(levels, truth).map(({ level, cell }): Candidate => {
      const { rows, columns, classes } = levels[level];
      const iou = overlap(predicted.at(level, cell), truth);
      const probability = sigmoid(classes[target.class * rows * columns + cell]);
      return { level, cell, target: index, iou, alignment: probability ** alpha * iou ** beta };
    });
    candidates.sort((a, b) => b.alignment - a.alignment);
    for (const candidate of candidates.slice(0, topk)) {
      const key = `${candidate.level}:${candidate.cell}`;
      const owner = owners.get(key);
      if (owner === undefined || candidate.iou > owner.iou) owners.set(key, candidate);
    }
  });
  return scored([...owners.values()], targets.length);
}

/** The cells whose centre lies in a box; the nearest one when there is none. */
function cellsWithin(levels: readonly HeadLevel[], corners: Float64Array): { level: number; cell: number }[] {
  const found: { level: number; cell: number }[] = [];
  levels.forEach(({ stride, rows, columns }, level) => {
    const [left, top, right, bottom] = corners.map((corner) => corner / stride - 0.5);
    const firstRow = Math.max(0, Math.floor(top) + 1);
    const firstColumn = Math.max(0, Math.floor(left) + 1);
    for (let row = firstRow; row < bottom && row < rows; row += 1) {
      for (let column = firstColumn; column < right && column < columns; column += 1) {
        found.push({ level, cell: row * columns + column });
      }
    }
  });
  return found.length > 0 ? found : [{ level: 0, cell: nearestCell(levels[0], corners) }];
}

function nearestCell({ stride, rows, columns }: HeadLevel, [left, top, right, bottom]: Float64Array): number {
  const column = Math.floor((left + right) / 2 / stride);
  const row = Math.floor((top + bottom) / 2 / stride);
  const within = (value: number, count: number) => Math.min(Math.max(value, 0), count - 1);
  return within(row, rows) * columns + within(column, columns);
}

/** Scales the alignments of each target so that the best equals the target's best IoU. */
function scored(candidates: readonly Candidate[], count: number): AssignedCell[] {
  const bestAlignment = new Float64Array(count);
  const bestIou = new Float64Array(count);
  for (const { target, alignment, iou } of candidates) {
    bestAlignment[target] = Math.max(bestAlignment[target], alignment);
    bestIou[target] = Math.max(bestIou[target], iou);
  }
  return candidates
    .map(({ level, cell, target, alignment }) => {
      const share = bestAlignment[target] > 0 ? alignment / bestAlignment[target] : 0;
      return { level, cell, target, score: share * bestIou[target] };
    })
    .sort((a, b) => a.target - b.target || b.score - a.score);
}
