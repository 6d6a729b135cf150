import type {
  Decision,
  FailSafeVerdict,
  Finding,
  QualityReport,
  Random,
  ReasonCode,
  Thresholds,
  Verdict,
} from '../domain';
import { type Evidence, evidenceOf } from './evidence';

export interface DecisionSettings {
  /** Set by hand; null: each anomaly finding's own thresholds. */
  readonly thresholds: Thresholds | null;
  readonly failSafe: FailSafeVerdict;
  /** Share of passed parts to show to a person, 0..1. */
  readonly auditShare: number;
  readonly quality?: QualityReport;
}

/**
 * Turns the findings about a part into its verdict (docs/routing.md tells the rule to users):
 *
 * 1. A failure finding: the fail-safe verdict.
 * 2. Evidence against the part (score above reject, a detection, a class NG, a violated rule): NG.
 * 3. Doubt (score between the thresholds, only detections of classes set to REVIEW, a class REVIEW or a class OK below
 *    0.5, an opinion that is not OK, bad picture quality) or nothing that speaks for the part: REVIEW.
 * 4. Else OK; `audit` is set for a random share.
 *
 * The confidence is 0..1: of NG that of the strongest evidence, of OK and REVIEW that of the weakest; 0 without
 * evidence and for fail-safe verdicts. A score's confidence is its distance from the threshold it passed, relative to
 * that threshold; between the thresholds, the distance from the nearer one relative to half the gap.
 *
 * @param random asked once for each part that passes while `auditShare` is above 0
 * @param at     ISO 8601, UTC
 */
export function decide(findings: readonly Finding[], settings: DecisionSettings, random: Random, at: string): Decision {
  const failures = failuresIn(findings);
  if (failures.length > 0) return failSafeDecision(settings.failSafe, failures, at);

  const evidence = findings.map((finding) => evidenceOf(finding, settings.thresholds));
  const saying = (what: Evidence['says']) => evidence.filter(({ says }) => says === what);
  const thresholds = decisiveThresholds(evidence);
  const decision = (verdict: Verdict, confidence: number, reasons: readonly ReasonCode[], audit = false): Decision => ({
    verdict,
    confidence,
    reasons: [...new Set(reasons)],
    by: 'model',
    ...(thresholds && { thresholds }),
    ...(audit && { audit }),
    at,
  });

  const bad = saying('bad').sort((one, other) => other.confidence - one.confidence);
  if (bad.length > 0) return decision('NG', bad[0].confidence, reasonsOf(bad));

  const unsure = saying('unsure');
  const good = saying('good');
  const doubts: ReasonCode[] = reasonsOf(unsure);
  if (settings.quality?.passed === false) doubts.push('image-quality');
  if (good.length === 0 && unsure.length === 0) doubts.push('no-positive-evidence');
  if (doubts.length > 0) return decision('REVIEW', weakest(unsure), doubts);

  const audit = settings.auditShare > 0 && random() < settings.auditShare;
  return decision('OK', weakest(good), [...reasonsOf(good), ...(audit ? (['audit-sample'] as const) : [])], audit);
}

/** The verdict for a part whose inspection failed. */
export function failSafeDecision(verdict: FailSafeVerdict, reasons: readonly ReasonCode[], at: string): Decision {
  return { verdict, confidence: 0, reasons: [...new Set(reasons)], by: 'failsafe', at };
}

/** A score that is no number is a failure too: nothing can be concluded from it. */
function failuresIn(findings: readonly Finding[]): ReasonCode[] {
  return findings.flatMap((finding): ReasonCode[] => {
    if (finding.kind === 'failure') return [finding.reason];
    if (finding.kind === 'anomaly' && !Number.isFinite(finding.score)) return ['inference-failed'];
    return [];
  });
}

/** The thresholds of the score that speaks most against the part. */
function decisiveThresholds(evidence: readonly Evidence[]): Thresholds | undefined {
  const scores = evidence.filter((one) => one.thresholds !== undefined);
  const bad = scores.filter(({ says }) => says === 'bad');
  if (bad.length > 0) return bad.reduce((most, one) => (one.confidence > most.confidence ? one : most)).thresholds;
  const unsure = scores.filter(({ says }) => says === 'unsure');
  const rest = unsure.length > 0 ? unsure : scores;
  return rest.length > 0
    ? rest.reduce((least, one) => (one.confidence < least.confidence ? one : least)).thresholds
    : undefined;
}

function weakest(evidence: readonly Evidence[]): number {
  return evidence.length === 0 ? 0 : Math.min(...evidence.map(({ confidence }) => confidence));
}

function reasonsOf(evidence: readonly Evidence[]): ReasonCode[] {
  return evidence.map(({ reason }) => reason);
}
