import type { Job, Reason, RetrainingRun } from '../../domain';
import { HELD_BACK } from '../errors';
import { reasons } from './reasons';

/** What came of a retraining, by the end of its job. */
export function outcomeOf(job: Job): Pick<RetrainingRun, 'outcome' | 'version' | 'reasons'> {
  const { state, version, error, deployment, gateReport, report } = job;
  switch (state) {
    case 'completed': {
      if (deployment === 'deployed')
        return { outcome: 'deployed', version, reasons: [reasons.deployed(version ?? '')] };
      const gate = gateReport?.decision ?? report?.gate;
      const why = gate?.accepted === false ? gate.reasons : [];
      return { outcome: 'candidate', version, reasons: [...heldBack(job), candidateReason(job), ...why] };
    }
    case 'cancelled':
      return { outcome: 'cancelled', version, reasons: [reasons.cancelled()] };
    case 'interrupted':
      return { outcome: 'interrupted', version, reasons: error ? [error] : [reasons.interrupted()] };
    default:
      return { outcome: 'failed', version, reasons: error ? [error] : [] };
  }
}

/** True when nothing was wrong with the training itself: the station ended while it ran. */
export function endedWithStation({ state, error }: Job): boolean {
  return state === 'interrupted' && error?.code === 'interrupted';
}

/** What a person chose that keeps the version from production. */
function heldBack({ deployment, log = [] }: Job): readonly Reason[] {
  if (deployment !== 'awaiting') return [];
  return log.flatMap(({ code, text, parameters }) =>
    HELD_BACK.some((one) => one === code)
      ? [{ code: `${code}`, message: text, ...(parameters && { parameters }) }]
      : [],
  );
}

function candidateReason({ deployment, version }: Job) {
  if (deployment === 'refused') return reasons.candidateRefused(version ?? '');
  if (deployment === 'awaiting') return reasons.candidateWaits(version ?? '');
  return reasons.candidateMeasured(version ?? '');
}
