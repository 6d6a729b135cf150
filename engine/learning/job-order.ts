import { access, mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Job, modelNameOf, syncFolder } from '../domain';
import { ModelExists, nextVersion } from '../packages';
import { keepOrder, keptOrder } from './job-folder';
import type { ModelRegistry } from './model-registry';
import type { TrainingContext } from './training-context';
import type { TrainingOrder } from './training-messages';
import { makeOrder, outFolderOf } from './training-order';

/**
 * What a job is to do: what it was to do before, when it goes on from a checkpoint.
 *
 * @param workFolder of the job
 */
export async function orderOf(job: Job, workFolder: string, context: TrainingContext): Promise<TrainingOrder> {
  const kept = await keptOrder(workFolder);
  if (kept === null) {
    await rm(workFolder, { recursive: true, force: true });
    const order = await makeOrder(job.request, workFolder, context, job.actor);
    if (order.kind === 'detector') await keepOrder(order);
    return order;
  }
  await rm(dirname(kept.outFolder), { recursive: true, force: true });
  const version = await nextVersion(context.models.folder, kept.name);
  return { ...kept, version, workFolder, outFolder: outFolderOf(workFolder, version) };
}

/** Moves a finished package to the models, in one step. @throws {ModelExists} */
export async function placePackage(
  { name, version, outFolder }: TrainingOrder,
  models: Pick<ModelRegistry, 'folder' | 'folderOf'>,
): Promise<void> {
  const place = models.folderOf(name, version);
  await mkdir(dirname(place), { recursive: true });
  await rename(outFolder, place).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOTEMPTY' || error.code === 'EEXIST' ? new ModelExists(place) : error;
  });
  // on the disk before anything names the version; the folder of the model may be new, too
  for (const folder of [dirname(place), models.folder]) await syncFolder(folder);
}

/** The job with its version, if that lies among the models. */
export async function withPlaced(job: Job, models: Pick<ModelRegistry, 'folderOf'>): Promise<Job> {
  const { version, request } = job;
  if (version === null) return job;
  const folder = models.folderOf(modelNameOf(request.partType, request.kind ?? 'patchcore'), version);
  const isThere = await access(folder).then(
    () => true,
    () => false,
  );
  return isThere ? job : { ...job, version: null };
}
