import type { ClassificationResult } from '../../classifier';
import { type DetectionResult, levelOf } from '../../detector';
import type { Detection, DetectionThresholds, Finding, Verdict } from '../../domain';
import type { AnomalyResult } from '../../patchcore';

/** What a model says of a picture. */
export interface Look {
  readonly finding: Finding;
  /** The anomaly score, the highest confidence of a detection, or the probability that the part is not OK. */
  readonly score: number;
  /** Of a detector: also those that do not count, for the precision over the recall. */
  readonly detections?: readonly Detection[];
}

/** Who looks, in a finding. */
const NODE = 'gate';

export function lookOfAnomaly(result: AnomalyResult): Look {
  const { score, normalizedScore, thresholds, regions, model, milliseconds } = result;
  const common = { node: NODE, model, milliseconds };
  return { score, finding: { kind: 'anomaly', ...common, score, normalizedScore, thresholds, regions } };
}

/** @param thresholds confidences from which detections count; the result may have less probable ones */
export function lookOfDetections(result: DetectionResult, thresholds: DetectionThresholds): Look {
  const { detections, model, milliseconds } = result;
  const counting = detections.filter(({ label, confidence }) => confidence >= levelOf(thresholds, label));
  return {
    score: detections.at(0)?.confidence ?? 0,
    detections,
    finding: { kind: 'detections', node: NODE, model, detections: counting, thresholds, milliseconds },
  };
}

/** @param verdicts what each class means for a part */
export function lookOfClass(result: ClassificationResult, verdicts: Readonly<Record<string, Verdict>>): Look {
  const { label, confidence, probabilities, model, milliseconds } = result;
  const common = { node: NODE, model, milliseconds };
  const verdict = Object.hasOwn(verdicts, label) ? verdicts[label] : result.verdict;
  return {
    score: notOk(probabilities, verdicts),
    finding: { kind: 'class', ...common, label, confidence, verdict, probabilities },
  };
}

/** The score of a finding that the line recorded; null where it cannot be told. */
export function scoreOf(finding: Finding, verdicts: Readonly<Record<string, Verdict>>): number | null {
  switch (finding.kind) {
    case 'anomaly':
      return finding.score;
    case 'detections':
      return Math.max(0, ...finding.detections.map(({ confidence }) => confidence));
    case 'class':
      return notOk(finding.probabilities, verdicts);
    default:
      return null;
  }
}

function notOk(probabilities: Readonly<Record<string, number>>, verdicts: Readonly<Record<string, Verdict>>): number {
  const ok = Object.entries(probabilities).filter(([label]) => verdicts[label] === 'OK');
  return Math.max(0, 1 - ok.reduce((sum, [, probability]) => sum + probability, 0));
}
