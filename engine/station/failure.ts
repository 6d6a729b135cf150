import type { FailureFinding, ReasonCode } from '../domain';

/** A failure the station itself found. */
export function failureFinding(reason: ReasonCode, message: string, milliseconds = 0): FailureFinding {
  return { kind: 'failure', node: 'station', reason, message, milliseconds: { total: milliseconds } };
}
