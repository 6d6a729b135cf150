/** What the line does with a part. Only OK lets it pass. */
export type Verdict = 'OK' | 'NG' | 'REVIEW';

export const VERDICTS: readonly Verdict[] = ['OK', 'NG', 'REVIEW'];

/** The verdict given when inspecting a part failed. Never OK. */
export type FailSafeVerdict = Exclude<Verdict, 'OK'>;

/**
 * Why a verdict is what it is. Codes are stable: they stand in the database, in messages and on the PLC's error register.
 * The texts for people come from the catalogs (`reasons.<code>`).
 */
export const REASON_CODES = [
  // evidence
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
  // fail-safe
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
] as const;

export type ReasonCode = (typeof REASON_CODES)[number];

/**
 * The number a PLC reads for a reason: 0 when nothing failed, otherwise 100 + the place in `REASON_CODES`.
 * Places never change: new codes are appended.
 */
export function plcErrorCode(reasons: readonly ReasonCode[]): number {
  const failSafeStart = REASON_CODES.indexOf('deadline-exceeded');
  const place = reasons.map((reason) => REASON_CODES.indexOf(reason)).find((index) => index >= failSafeStart);
  return place === undefined ? 0 : 100 + place;
}
