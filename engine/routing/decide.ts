import type { Decision, FailSafeVerdict, Finding, QualityReport, Random, Thresholds } from '../domain';

export interface DecisionSettings {
  /** Set by hand; null: each anomaly finding's own thresholds. */
  readonly thresholds: Thresholds | null;
  readonly failSafe: FailSafeVerdict;
  /** Share of passed parts to show to a person, 0..1. */
  readonly auditShare: number;
  readonly quality?: QualityReport;
}
export declare function decide(
  findings: readonly Finding[],
  settings: DecisionSettings,
  random: Random,
  at: string,
): Decision;
