import { serializeError } from '../domain';
import type { WorkMessage } from './work-messages';

const PROGRESS_INTERVAL_MS = 250;

/**
 * Makes this process one that does one piece of work: it gets an order, sends `WorkMessage`s and ends; when its parent is
 * gone, it ends at once.
 *
 * @param isNews tells which progress is sent at once; what is not is sent a few times a second
 */
export function serveWork<Order, Progress, Result>(
  work: (order: Order, onProgress: (progress: Progress) => void) => Promise<Result>,
  isNews: (progress: Progress, last: Progress | undefined) => boolean,
): void {
  process.once('message', (order: Order) => {
    work(order, progressReporter(isNews)).then(
      (result) => finish({ kind: 'done', result }),
      (error) => finish({ kind: 'failed', error: serializeError(error) }),
    );
  });
  // Not process.exit: ending in the middle of an inference would abort with a core dump.
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
}

function progressReporter<Progress>(isNews: (progress: Progress, last: Progress | undefined) => boolean) {
  let sentAt = 0;
  let last: Progress | undefined;
  return (progress: Progress): void => {
    const now = Date.now();
    if (!isNews(progress, last) && now - sentAt < PROGRESS_INTERVAL_MS) return;
    sentAt = now;
    last = progress;
    send({ kind: 'progress', progress });
  };
}

function send<Progress, Result>(message: WorkMessage<Progress, Result>, sent?: () => void): void {
  process.send?.(message, undefined, undefined, sent);
}

function finish<Progress, Result>(message: WorkMessage<Progress, Result>): void {
  send(message, () => process.exit(0));
}
