import type { DetectorFigures } from '../../domain';
import type { DetectionMetrics } from '../../statistics';

/** What a report tells of measured detections. */
export function figuresOf(metrics: DetectionMetrics, pictures: number): DetectorFigures {
  const { map50, map5095, perClass, curves, confusion, intervals, bestConfidence } = metrics;
  const counted = perClass.filter(({ count }) => count > 0);
  const recall = counted.reduce((sum, one) => sum + (known(one.recall) ?? 0), 0) / Math.max(1, counted.length);
  return {
    map50: known(map50) ?? 0,
    map5095: known(map5095) ?? 0,
    recall,
    pictures,
    perClass: perClass.map((one) => ({
      label: one.label,
      ap50: known(one.ap50),
      ap5095: known(one.ap5095),
      recall: one.count > 0 ? known(one.recall) : null,
      precision: known(one.precision),
      f1: known(one.f1),
      count: one.count,
    })),
    ...(Number.isNaN(intervals.map50.low) ? {} : { intervals: { ...intervals } }),
    ...(Number.isNaN(bestConfidence) ? {} : { bestConfidence }),
    // of classes without boxes nothing can be drawn
    curves: curves
      .filter(({ recall: found }) => !found.some(Number.isNaN))
      .map(({ label, confidence, precision, recall: found }) => ({
        label,
        confidence: [...confidence],
        precision: [...precision],
        recall: [...found],
      })),
    confusion,
  };
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
