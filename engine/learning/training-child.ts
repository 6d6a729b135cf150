import { type JobProgress, serializeError } from '../domain';
import type { TrainingMessage, TrainingOrder, TrainingOutcome } from './training-messages';

const PROGRESS_INTERVAL_MS = 250;

/**
 * Makes this process one that trains one model: it gets a `TrainingOrder`, sends `TrainingMessage`s and ends; when its
 * parent is gone, it ends at once. Each kind of model has a process file of its own, which loads no more than it needs.
 */
export function serveTraining<Order extends TrainingOrder>(
  train: (order: Order, onProgress: (progress: JobProgress) => void) => Promise<TrainingOutcome>,
): void {
  process.once('message', (order: Order) => {
    train(order, progressReporter()).then(
      (outcome) => finish({ kind: 'done', ...outcome }),
      (error) => finish({ kind: 'failed', error: serializeError(error) }),
    );
  });
  // Not process.exit: ending in the middle of an inference would abort with a core dump.
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
}

/** Tells of each stage and epoch, and else a few times a second. */
function progressReporter(): (progress: JobProgress) => void {
  let sentAt = 0;
  let last: JobProgress | undefined;
  return (progress) => {
    const now = Date.now();
    const isNews = progress.stage !== last?.stage || progress.epoch !== last?.epoch;
    if (!isNews && now - sentAt < PROGRESS_INTERVAL_MS) return;
    sentAt = now;
    last = progress;
    send({ kind: 'progress', progress });
  };
}

function send(message: TrainingMessage, sent?: () => void): void {
  process.send?.(message, undefined, undefined, sent);
}

function finish(message: TrainingMessage): void {
  send(message, () => process.exit(0));
}
