/** What the line does with a part. Only OK lets it pass. */
export type Verdict = 'OK' | 'NG' | 'REVIEW';

export const VERDICTS: readonly Verdict[] = ['OK', 'NG', 'REVIEW'];

/** The verdict given when inspecting a part failed. Never OK. */
export type FailSafeVerdict = Exclude<Verdict, 'OK'>;

/** Why a verdict fell when the part could be judged. */
const EVIDENCE_REASONS = [
  'score-below-accept',
  'score-between-thresholds',
  'score-above-reject',
  'defect-detected',
  'rule-passed',
  'rule-violated',
  'class-ok',
  'class-ng',
  'opinions-disagree',
  'no-positive-evidence',
  'image-quality',
  'audit-sample',
  'human-decision',
] as const;

/** Why the fail-safe verdict fell. */
const FAILURE_REASONS = [
  'deadline-exceeded',
  'no-model',
  'model-invalid',
  'no-picture',
  'picture-unreadable',
  'camera-unavailable',
  'overload',
  'inference-failed',
  'runtime-missing',
  'interrupted',
  'not-recorded',
  'internal-error',
  'part-type-invalid',
  'reference-missing',
  'reference-mismatch',
] as const;

/**
 * Why a verdict is what it is. Codes are stable: they stand in the database and in messages. The texts for people come
 * from the catalogs (`reasons.<code>`).
 */
export const REASON_CODES = [...EVIDENCE_REASONS, ...FAILURE_REASONS] as const;

export type ReasonCode = (typeof REASON_CODES)[number];

const FAILURES: ReadonlySet<ReasonCode> = new Set(FAILURE_REASONS);

/** True for the reasons of a fail-safe verdict; false for those that fell out of evidence. */
export function isFailSafeReason(reason: ReasonCode): boolean {
  return FAILURES.has(reason);
}

/** What a PLC reads for the reasons of a fail-safe verdict. Numbers never change. */
const PLC_ERROR_CODES: Readonly<Record<(typeof FAILURE_REASONS)[number], number>> = {
  'deadline-exceeded': 101,
  'no-model': 102,
  'model-invalid': 103,
  'no-picture': 104,
  'picture-unreadable': 105,
  'camera-unavailable': 106,
  overload: 107,
  'inference-failed': 108,
  'runtime-missing': 109,
  interrupted: 110,
  'not-recorded': 111,
  'internal-error': 112,
  'part-type-invalid': 113,
  'reference-missing': 114,
  'reference-mismatch': 115,
};

/** The number a PLC reads: that of the first reason for which something failed, 0 when nothing did. */
export function plcErrorCode(reasons: readonly ReasonCode[]): number {
  const codes: Readonly<Partial<Record<ReasonCode, number>>> = PLC_ERROR_CODES;
  return reasons.map((reason) => codes[reason]).find((code) => code !== undefined) ?? 0;
}
