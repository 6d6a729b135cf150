import type { Job, RetrainingRun } from '../../domain';
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
      return { outcome: 'candidate', version, reasons: [candidateReason(job), ...why] };
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

function candidateReason({ deployment, version }: Job) {
  if (deployment === 'refused') return reasons.candidateRefused(version ?? '');
  if (deployment === 'awaiting') return reasons.candidateWaits(version ?? '');
  return reasons.candidateMeasured(version ?? '');
}
