import {
  type AdmissionSettings,
  type AnomalyFinding,
  type Finding,
  type Inspection,
  isFailSafeReason,
  type QueueReason,
  type Thresholds,
} from '../domain';
import { type Evidence, evidenceOf } from '../routing';

/** The order in which reasons are told: what asks most for a person first. */
const MOST_TELLING: readonly QueueReason[] = [
  'flagged',
  'failure',
  'disagreement',
  'drift',
  'novel',
  'near-threshold',
  'low-confidence',
  'audit-sample',
  'sent',
];

/** Each reason once, most telling first; `sent` only where there is no other. */
export function inOrder(reasons: readonly QueueReason[]): readonly QueueReason[] {
  const told = MOST_TELLING.filter((reason) => reasons.includes(reason));
  return told.length > 1 ? told.filter((reason) => reason !== 'sent') : told;
}

/**
 * Why a person should look at a part, by what the analyses said about it; none when they give no reason.
 *
 * - `failure`: an analysis could not be done, or the verdict is fail-safe
 * - `disagreement`: one analysis speaks for the part, and another, a detection or an opinion against it
 * - `near-threshold`: a score between its thresholds, or at most `nearThreshold` times a threshold away from it
 * - `low-confidence`: a detection, class or opinion below `lowConfidence`, or nothing that speaks for the part
 * - `audit-sample`: it passed and was drawn by chance
 */
export function queueReasonsOf(
  { findings, decision }: Pick<Inspection, 'findings' | 'decision'>,
  { nearThreshold, lowConfidence }: Pick<AdmissionSettings, 'nearThreshold' | 'lowConfidence'>,
): readonly QueueReason[] {
  const thresholdsOf = thresholdsInForce(findings, decision?.thresholds);
  const isNear = (finding: Finding) =>
    finding.kind === 'anomaly' && isNearThreshold(finding.score, thresholdsOf(finding), nearThreshold);
  const verdictReasons = decision?.reasons ?? [];
  const tests: Readonly<Partial<Record<QueueReason, boolean>>> = {
    failure:
      findings.some(({ kind }) => kind === 'failure') ||
      decision?.by === 'failsafe' ||
      verdictReasons.some(isFailSafeReason),
    disagreement: isDisagreement(findings.map((finding) => evidenceIn(finding, thresholdsOf))),
    'near-threshold': findings.some(isNear),
    'low-confidence':
      findings.some((finding) => isUnsure(finding, lowConfidence)) || verdictReasons.includes('no-positive-evidence'),
    'audit-sample': decision?.audit === true || verdictReasons.includes('audit-sample'),
  };
  return MOST_TELLING.filter((reason) => tests[reason] === true);
}

/** A score's own thresholds, or those set by hand that the decision names. */
export function thresholdsInForce(
  findings: readonly Finding[],
  decisive: Thresholds | undefined,
): (finding: AnomalyFinding) => Thresholds {
  const isOwn = findings.some(
    (finding) =>
      finding.kind === 'anomaly' &&
      finding.thresholds.accept === decisive?.accept &&
      finding.thresholds.reject === decisive.reject,
  );
  return (finding) => (decisive === undefined || isOwn ? finding.thresholds : decisive);
}

/** What a finding says, by the thresholds in force. */
export function evidenceIn(finding: Finding, thresholdsOf: (finding: AnomalyFinding) => Thresholds): Evidence {
  return evidenceOf(finding, finding.kind === 'anomaly' ? thresholdsOf(finding) : null);
}

/** An unsure score or class contradicts nobody; a detection that a person shall judge and an opinion do. */
export function isDisagreement(evidence: readonly Evidence[]): boolean {
  const speaksAgainst = ({ says, reason }: Evidence) =>
    says === 'bad' || (says === 'unsure' && (reason === 'defect-detected' || reason === 'opinions-disagree'));
  return evidence.some(({ says }) => says === 'good') && evidence.some(speaksAgainst);
}

function isNearThreshold(score: number, { accept, reject }: Thresholds, share: number): boolean {
  if (score > accept && score <= reject) return true;
  return [accept, reject].some((threshold) => Math.abs(score - threshold) <= share * threshold);
}

function isUnsure(finding: Finding, lowConfidence: number): boolean {
  switch (finding.kind) {
    case 'class':
    case 'opinion':
      return finding.confidence < lowConfidence;
    case 'detections':
      return finding.detections.some(({ confidence }) => confidence < lowConfidence);
    default:
      return false;
  }
}
