import { type GateReport, timestamp } from '../../domain';
import { decideGate } from './decide-gate';
import { heldOutOf } from './figures';
import type { GateOrder, GatePicture } from './gate-order';

/** What looking at the pictures came to. */
export type Measured = Pick<GateReport, 'holdOut' | 'oldClasses' | 'shadow' | 'labelledNgNewlyPassed'>;

const NOTHING_MEASURED: Measured = { holdOut: null, oldClasses: null, shadow: null, labelledNgNewlyPassed: 0 };

/** The labelled pictures that the gate looks at: what was learnt and is good tells it nothing. */
export function lookedAt({ pictures, kind }: Pick<GateOrder, 'pictures' | 'kind'>): readonly GatePicture[] {
  const heldOut = new Set(heldOutOf(pictures, kind));
  return pictures.filter((picture) => picture.label === 'NG' || heldOut.has(picture));
}

/** The report of the gate with its decision. */
export function reportOf(order: GateOrder, measured: Measured, seconds: number): GateReport {
  const { candidate, against, dataset, policy, levelledBefore, trained } = order;
  return {
    candidate: { name: candidate.name, version: candidate.version },
    against: against && { name: against.name, version: against.version },
    dataset,
    ...measured,
    decision: decideGate({ ...measured, levelledBefore, policy, trained, hasBefore: against !== null }),
    at: timestamp(Date.now()),
    seconds,
  };
}

/** The report when there is no picture to look at; null when there is. */
export function emptyReport(order: GateOrder): GateReport | null {
  const { against, production } = order;
  const comparesDecisions = against !== null && production.last > 0;
  if (comparesDecisions || lookedAt(order).length > 0) return null;
  return reportOf(order, NOTHING_MEASURED, 0);
}
