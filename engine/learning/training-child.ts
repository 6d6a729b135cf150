import type { JobProgress } from '../domain';
import type { TrainingOrder, TrainingOutcome } from './training-messages';
import { serveWork } from './work-child';

/**
 * Makes this process one that trains one model. Each kind of model has a process file of its own, which loads no more than
 * it needs.
 */
export function serveTraining<Order extends TrainingOrder>(
  train: (order: Order, onProgress: (progress: JobProgress) => void) => Promise<TrainingOutcome>,
): void {
  serveWork(train, isNews);
}

/** Each stage and epoch is told. */
function isNews({ stage, epoch }: JobProgress, last: JobProgress | undefined): boolean {
  return stage !== last?.stage || epoch !== last?.epoch;
}
