/**
 * The process that trains one model. It gets a `TrainingOrder`, sends `TrainingReport`s and ends; when its parent is
 * gone, it ends at once.
 */
import { type JobProgress, serializeError } from '../domain';
import { trainPatchcore, trainReferencePackage } from '../patchcore';
import type { TrainingOrder, TrainingReport } from './training-messages';
import { openPictures } from './training-pictures';

const PROGRESS_INTERVAL_MS = 250;

process.once('message', (order: TrainingOrder) => {
  train(order).then(
    (skipped) => finish({ kind: 'done', skipped }),
    (error) => finish({ kind: 'failed', error: serializeError(error) }),
  );
});

// Not process.exit: ending in the middle of an inference would abort with a core dump.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));

async function train(order: TrainingOrder): Promise<readonly { name: string; reason: string }[]> {
  const { options, partType, version, parent, outFolder, threads, backbone } = order;
  const training = {
    ...options,
    partType,
    name: partType,
    version,
    parent,
    pictures: await openPictures(order.source),
    outFolder,
    source: order.sourceText,
    threads,
    onProgress: progressReporter(),
  };
  const { referenceFolder } = options;
  const { skipped } =
    referenceFolder === undefined
      ? await trainPatchcore({ ...training, backbone, updateFrom: order.updateFrom ?? undefined })
      : await trainReferencePackage({ ...training, referenceFolder });
  return skipped;
}

function progressReporter(): (progress: JobProgress) => void {
  let sentAt = 0;
  let stage: JobProgress['stage'] | undefined;
  return (progress) => {
    const now = Date.now();
    if (progress.stage === stage && now - sentAt < PROGRESS_INTERVAL_MS) return;
    sentAt = now;
    stage = progress.stage;
    const { percent, remainingSeconds } = progress;
    send({ kind: 'progress', progress: { stage, percent, remainingSeconds } });
  };
}

function send(report: TrainingReport, sent?: () => void): void {
  process.send?.(report, undefined, undefined, sent);
}

function finish(report: TrainingReport): void {
  send(report, () => process.exit(0));
}
