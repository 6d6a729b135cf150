import type { AnomalyFinding, DetectionsFinding, Finding, ReasonCode, Thresholds } from '../domain';

/** What one finding says about the part. */
export interface Evidence {
  /** `good` alone lets a part pass; `silent` findings speak neither for nor against it. */
  readonly says: 'bad' | 'unsure' | 'good' | 'silent';
  readonly reason: ReasonCode;
  /** 0..1 */
  readonly confidence: number;
  /** The score bounds applied, for an anomaly score. */
  readonly thresholds?: Thresholds;
}

/** A class OK the model believes in less speaks for nothing: another class is likelier. */
const CLASS_OK_CONFIDENCE = 0.5;

/**
 * Reads a finding that is no failure.
 *
 * @param byHand thresholds that replace those of the model
 */
export function evidenceOf(finding: Finding, byHand: Thresholds | null): Evidence {
  switch (finding.kind) {
    case 'anomaly':
      return scoreEvidence(finding, byHand ?? finding.thresholds);
    case 'detections':
      return detectionEvidence(finding);
    case 'class': {
      const confidence = share(finding.confidence);
      if (finding.verdict === 'OK' && confidence >= CLASS_OK_CONFIDENCE) {
        return { says: 'good', reason: 'class-ok', confidence };
      }
      if (finding.verdict === 'NG') return { says: 'bad', reason: 'class-ng', confidence };
      return { says: 'unsure', reason: 'no-positive-evidence', confidence };
    }
    case 'rule':
      return finding.passed
        ? { says: 'good', reason: 'rule-passed', confidence: 1 }
        : { says: 'bad', reason: 'rule-violated', confidence: 1 };
    case 'opinion':
      if (finding.verdict === 'OK') return SILENT;
      return { says: 'unsure', reason: 'opinions-disagree', confidence: share(finding.confidence) };
    default:
      return SILENT;
  }
}

const SILENT: Evidence = { says: 'silent', reason: 'no-positive-evidence', confidence: 0 };

function scoreEvidence({ score }: AnomalyFinding, thresholds: Thresholds): Evidence {
  const { accept, reject } = thresholds;
  if (score > reject) {
    const confidence = reject > 0 ? share((score - reject) / reject) : 1;
    return { says: 'bad', reason: 'score-above-reject', confidence, thresholds };
  }
  if (score <= accept) {
    const confidence = accept > 0 ? share((accept - score) / accept) : 0;
    return { says: 'good', reason: 'score-below-accept', confidence, thresholds };
  }
  const confidence = share(Math.min(score - accept, reject - score) / ((reject - accept) / 2));
  return { says: 'unsure', reason: 'score-between-thresholds', confidence, thresholds };
}

/** Nothing detected is no evidence: a detector knows only the defects it has learnt. */
function detectionEvidence({ detections, review = [] }: DetectionsFinding): Evidence {
  const against = detections.filter(({ label }) => !review.includes(label));
  const deciding = against.length > 0 ? against : detections;
  if (deciding.length === 0) return SILENT;
  const confidence = Math.max(...deciding.map((detection) => share(detection.confidence)));
  return { says: against.length > 0 ? 'bad' : 'unsure', reason: 'defect-detected', confidence };
}

/** Within 0..1; what is no number counts as 0. */
function share(value: number): number {
  return value > 0 ? Math.min(value, 1) : 0;
}
