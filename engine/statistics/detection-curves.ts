import type { ClassOutcome } from './detection-matching';

/** How good the detections of a class are when only those at or above a confidence count, at an overlap of 0.5. */
export interface OperatingPoint {
  /** Share of the true boxes that are found; NaN without true boxes. */
  readonly recall: number;
  /** Share of the detections that are right; NaN without detections. */
  readonly precision: number;
  /** Harmonic mean of both; NaN without true boxes. */
  readonly f1: number;
}

/** {@link OperatingPoint}s of one class at 101 confidences, 0 to 1; where nothing is detected, the precision is 1. */
export interface DetectionCurve {
  readonly label: string;
  readonly confidence: readonly number[];
  readonly precision: readonly number[];
  readonly recall: readonly number[];
  readonly f1: readonly number[];
}

export function pointAt({ outcomes, counts }: ClassOutcome, confidence: number): OperatingPoint {
  const counted = outcomes.filter((outcome) => outcome.confidence >= confidence && (outcome.ignored & 1) === 0);
  const point = pointOf(counted.filter(({ hits }) => (hits & 1) === 1).length, counted.length, totalOf(counts));
  return counted.length === 0 ? { ...point, precision: Number.NaN } : point;
}

export function curveOf(label: string, { outcomes, counts }: ClassOutcome): DetectionCurve {
  const total = totalOf(counts);
  const steps = stepsOf(outcomes);
  const confidence = Array.from({ length: 101 }, (_, step) => step / 100);
  const points = confidence.map((least) => {
    const reached = steps.findLast((step) => step.confidence >= least);
    return pointOf(reached?.hits ?? 0, reached?.alarms ?? 0, total);
  });
  return {
    label,
    confidence,
    precision: points.map(({ precision }) => precision),
    recall: points.map(({ recall }) => recall),
    f1: points.map(({ f1 }) => f1),
  };
}

/**
 * The confidence at which the mean F1 of the classes with true boxes is highest; of equal ones the highest.
 *
 * @returns NaN without detections or true boxes
 */
export function bestConfidence(classes: readonly ClassOutcome[]): number {
  const judged = classes
    .filter(({ counts }) => totalOf(counts) > 0)
    .map(({ outcomes, counts }) => ({ total: totalOf(counts), steps: stepsOf(outcomes), next: 0, f1: 0 }));
  const confidences = [...new Set(judged.flatMap(({ steps }) => steps.map(({ confidence }) => confidence)))];
  let best = { confidence: Number.NaN, f1: -1 };
  for (const confidence of confidences.sort((a, b) => b - a)) {
    for (const one of judged) {
      const step = one.steps[one.next];
      if (step?.confidence !== confidence) continue;
      one.f1 = pointOf(step.hits, step.alarms, one.total).f1;
      one.next += 1;
    }
    const f1 = judged.reduce((sum, one) => sum + one.f1, 0) / judged.length;
    if (f1 > best.f1) best = { confidence, f1 };
  }
  return best.confidence;
}

interface Step {
  readonly confidence: number;
  /** Hits and all detections at or above the confidence. */
  readonly hits: number;
  readonly alarms: number;
}

/** A step for each distinct confidence of the detections that count, falling. */
function stepsOf(outcomes: ClassOutcome['outcomes']): Step[] {
  const steps: Step[] = [];
  let hits = 0;
  let alarms = 0;
  for (const outcome of outcomes) {
    if ((outcome.ignored & 1) === 1) continue;
    alarms += 1;
    hits += outcome.hits & 1;
    if (steps.at(-1)?.confidence === outcome.confidence) steps.pop();
    steps.push({ confidence: outcome.confidence, hits, alarms });
  }
  return steps;
}

function pointOf(hits: number, alarms: number, total: number): OperatingPoint {
  return {
    recall: total === 0 ? Number.NaN : hits / total,
    precision: alarms === 0 ? 1 : hits / alarms,
    f1: total === 0 ? Number.NaN : (2 * hits) / (alarms + total),
  };
}

export function totalOf(counts: Int32Array): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
