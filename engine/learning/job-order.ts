import { access, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Job, makeFolder, modelNameOf } from '../domain';
import { nextVersion, placePackage, renumberPackage } from '../packages';
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

/**
 * Gives a finished package the next number when its own was taken while it was made, by an import for example.
 *
 * @returns the version that it has now
 */
export async function freeVersion(
  { name, version, outFolder }: TrainingOrder,
  { folder }: Pick<ModelRegistry, 'folder'>,
): Promise<string> {
  // also an empty folder takes a number: that of a version which was removed
  const taken = await readdir(join(folder, name)).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (!taken.includes(version)) return version;
  const next = await nextVersion(folder, name);
  await renumberPackage(outFolder, next);
  return next;
}

/** Moves a finished package to the models, in one step. @throws {ModelExists} */
export async function placeVersion(
  { name, outFolder }: TrainingOrder,
  version: string,
  models: Pick<ModelRegistry, 'folderOf'>,
): Promise<void> {
  const place = models.folderOf(name, version);
  await makeFolder(dirname(place));
  await placePackage(outFolder, place);
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
