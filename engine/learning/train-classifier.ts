import type { JobProgress } from '../domain';
import { classPictures, trainClassifierPackage } from './classifier-training';
import { openDataset } from './labelled-dataset';
import type { ClassifierOrder, TrainingOutcome } from './training-messages';

/** Trains a classifier and writes its package, whatever the gate says of it. */
export async function trainClassifier(
  order: ClassifierOrder,
  onProgress: (progress: JobProgress) => void,
): Promise<TrainingOutcome> {
  const { options, partType, name, version, parent, parentFolder, outFolder, workFolder, threads, backbone } = order;
  onProgress({ stage: 'read', percent: 0, remainingSeconds: null });
  const dataset = await openDataset(order.source, 'classification', workFolder);
  const { trained, report } = await trainClassifierPackage({
    ...options,
    backbone,
    pictures: classPictures(dataset),
    partType,
    name,
    version,
    parent,
    parentFolder,
    outFolder,
    source: order.sourceText,
    ...(order.dataset && { snapshot: order.dataset }),
    threads,
    onProgress,
  });
  const unread = dataset.skipped.map(({ name: picture, reason }) => ({ name: picture, reason }));
  return { skipped: [...unread, ...trained.skipped], report, notes: trained.notes };
}
