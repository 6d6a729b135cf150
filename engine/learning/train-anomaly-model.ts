import type { JobProgress } from '../domain';
import { trainPatchcore, trainReferencePackage } from '../patchcore';
import type { PatchcoreOrder, TrainingOutcome } from './training-messages';
import { openPictures } from './training-pictures';

/** Makes a PatchCore model, with a memory bank or by comparison with golden pictures. */
export async function trainAnomalyModel(
  order: PatchcoreOrder,
  onProgress: (progress: JobProgress) => void,
): Promise<TrainingOutcome> {
  const { options, partType, name, version, parent, outFolder, threads, backbone } = order;
  const training = {
    ...options,
    partType,
    name,
    version,
    parent,
    pictures: await openPictures(order.source),
    outFolder,
    source: order.sourceText,
    threads,
    onProgress: ({ stage, percent, remainingSeconds }: JobProgress) => onProgress({ stage, percent, remainingSeconds }),
  };
  const { referenceFolder } = options;
  const { skipped } =
    referenceFolder === undefined
      ? await trainPatchcore({ ...training, backbone, updateFrom: order.updateFrom ?? undefined })
      : await trainReferencePackage({ ...training, referenceFolder });
  return { skipped };
}
