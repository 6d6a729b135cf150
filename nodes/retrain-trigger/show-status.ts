import type { RetrainStatus } from '../../engine/domain';
import { localText } from '../../engine/learning';
import type { InspectionNode } from '../shared';

/** Says in a few words whether a training runs, waits, or what would start the next. */
export function showStatus({ state, translation }: InspectionNode, status: RetrainStatus, timeZone: string): void {
  const { newLabels, labelsNeeded, possibleFrom, nextSchedule, lastRun } = status;
  const time = (moment: string) => localText(Date.parse(moment), timeZone);
  if (status.state === 'running') {
    state.working(translation.shared('status.retrain-running', 'training'));
  } else if (status.state === 'waiting') {
    const text =
      possibleFrom === null
        ? translation.shared('status.retrain-waits-for-labels', 'waits for new labels')
        : translation.shared('status.retrain-waits', 'trains at __time__', { time: time(possibleFrom) });
    state.idle(text);
  } else if (lastRun && ['declined', 'failed', 'interrupted'].includes(lastRun.outcome)) {
    state.degraded(translation.shared('status.retrain-failed', 'the last training failed'));
  } else if (labelsNeeded !== null) {
    const needed = newLabels + labelsNeeded;
    state.ready(
      translation.shared('status.retrain-labels', '__count__ of __needed__ new labels', { count: newLabels, needed }),
    );
  } else if (nextSchedule !== null) {
    state.ready(translation.shared('status.retrain-next', 'trains at __time__ next', { time: time(nextSchedule) }));
  } else {
    state.ready();
  }
}
