import type { JobProgress } from '../domain';
import { readManifest } from '../packages';
import { learntPictures, trainPatchcore, trainReferencePackage } from '../patchcore';
import { NothingNewToLearn } from './errors';
import type { PatchcoreOrder, TrainingOutcome } from './training-messages';
import { filePictures, openPictures } from './training-pictures';

/**
 * Makes a PatchCore model, with a memory bank or by comparison with golden pictures.
 *
 * @throws {NothingNewToLearn} when labelled pictures are to be added to a version that knows them all, no others labelled NG
 *   could set its accept level, and nothing is to be forgotten
 */
export async function trainAnomalyModel(
  order: PatchcoreOrder,
  onProgress: (progress: JobProgress) => void,
): Promise<TrainingOutcome> {
  const { source, withdrawn } = await sinceParent(order);
  const { options, partType, name, version, parent, outFolder, threads, backbone } = order;
  const training = {
    ...options,
    partType,
    name,
    version,
    parent,
    pictures: await openPictures(source),
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
    withdrawn: filePictures(withdrawn).map((picture, place) => ({ ...picture, sha256: withdrawn[place].sha256 })),
    backbone,
    updateFrom: order.updateFrom ?? undefined,
  });
  return { skipped, forgotten };
}

/** What labels say beyond the version they are added to: pictures that it does not know yet, and others that count no more. */
async function sinceParent(order: PatchcoreOrder): Promise<Pick<PatchcoreOrder, 'source' | 'withdrawn'>> {
  const { source, updateFrom, partType, defects, dataset } = order;
  if (source.kind !== 'files' || updateFrom === null) return { source, withdrawn: [] };
  const known = await learntPictures(updateFrom);
  const files = source.files.filter(({ sha256 }) => !known.has(sha256));
  const good = new Set(source.files.map(({ sha256 }) => sha256));
  const withdrawn = order.withdrawn.filter(({ sha256 }) => known.has(sha256) && !good.has(sha256));
  const { dataset: before } = await readManifest(updateFrom, 'patchcore');
  const isSame = withdrawn.length === 0 && (defects.length === 0 || before.snapshot?.hash === dataset?.hash);
  if (files.length === 0 && isSame) throw new NothingNewToLearn(partType, source.files.length);
  return { source: { ...source, files }, withdrawn };
}
