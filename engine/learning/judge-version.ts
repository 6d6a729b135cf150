import type { Store } from '../store';
import { type GateContext, gateOrderOf, judgeCandidate } from './gate';
import type { JudgeVersion } from './version-policy';

/** Judges versions by labelled and by production pictures, and keeps the reports. */
export function judgeBy(context: GateContext & { readonly store: Pick<Store, 'gateReports'> }): JudgeVersion {
  return async (wish, onProgress, signal) => {
    const report = await judgeCandidate(await gateOrderOf(wish, context), onProgress, signal);
    await context.store.gateReports.add(report);
    return report;
  };
}
