import type { JobProgress } from '../domain';
import { readManifest } from '../packages';
import { learntPictures, trainPatchcore, trainReferencePackage } from '../patchcore';
import { NothingNewToLearn } from './errors';
import type { PatchcoreOrder, PictureSource, TrainingOutcome } from './training-messages';
import { filePictures, openPictures } from './training-pictures';

/**
 * Makes a PatchCore model, with a memory bank or by comparison with golden pictures.
 *
 * @throws {NothingNewToLearn} when labelled pictures are to be added to a version that knows them all, and no others labelled NG
 *   could set its accept level
 */
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
    pictures: await openPictures(await unknownOf(order)),
    outFolder,
    source: order.sourceText,
    threads,
    onProgress: ({ stage, percent, remainingSeconds }: JobProgress) => onProgress({ stage, percent, remainingSeconds }),
  };
  const { referenceFolder } = options;
  if (referenceFolder !== undefined) {
    const { skipped } = await trainReferencePackage({ ...training, referenceFolder });
    return { skipped };
  }
  const { skipped, forgotten } = await trainPatchcore({
    ...training,
    ...(order.dataset && { snapshot: order.dataset }),
    // a person has said which are good
    keepSuspects: options.keepSuspects ?? order.dataset !== null,
    defects: filePictures(order.defects),
    backbone,
    updateFrom: order.updateFrom ?? undefined,
  });
  if (forgotten.length === 0) return { skipped };
  const note = `What was learnt from ${forgotten.length} pictures as good and is known to be defective now was forgotten: ${forgotten.join(', ')}.`;
  return { skipped, notes: [note] };
}

/** Labelled pictures that the version they are added to does not know yet; of other sources all. */
async function unknownOf({ source, updateFrom, partType, defects, dataset }: PatchcoreOrder): Promise<PictureSource> {
  if (source.kind !== 'files' || updateFrom === null) return source;
  const known = await learntPictures(updateFrom);
  const files = source.files.filter(({ sha256 }) => !known.has(sha256));
  const { dataset: before } = await readManifest(updateFrom, 'patchcore');
  const isSame = defects.length === 0 || before.snapshot?.hash === dataset?.hash;
  if (files.length === 0 && isSame) throw new NothingNewToLearn(partType, source.files.length);
  return { ...source, files };
}
