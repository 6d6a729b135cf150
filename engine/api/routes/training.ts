import { realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';
import { z } from 'zod';
import type { ClassifierTrainingOptions, DetectorTrainingOptions, TrainingOptions, TrainingSource } from '../../domain';
import type { ApiStation } from '../api-station';
import { RequestRefused } from '../problem';
import { json, route } from '../route';
import { id, job, jobList, trainerList, trainingRequest } from '../schemas';
import { limit } from './paging';

const params = z.object({ id });

export const trainingRoutes = [
  route({
    method: 'POST',
    path: '/training/start',
    operation: 'startTraining',
    summary: 'Train a model of a part type: from good parts, from boxes, or from classes',
    tag: 'training',
    body: { kind: 'json', schema: trainingRequest },
    success: { status: 202, schema: job, description: 'The job is queued' },
    problems: [403, 409, 422],
    handle: async ({ station, body, actor }) => {
      const source = await allowedSource(station, body.source);
      const options = body.options && (await allowedOptions(station, body.options));
      const detector = body.detector && (await allowedDetector(station, body.detector));
      const classifier = body.classifier && (await allowedClassifier(station, body.classifier));
      const request = {
        ...body,
        source,
        ...(options && { options }),
        ...(detector && { detector }),
        ...(classifier && { classifier }),
      };
      return json(await station.jobs.submit(request, actor), 202);
    },
  }),
  route({
    method: 'GET',
    path: '/training/jobs',
    operation: 'listJobs',
    summary: 'Training jobs, newest first, without their logs and gate reports',
    tag: 'training',
    query: z.object({ limit }),
    success: { status: 200, schema: jobList, description: 'The jobs' },
    handle: async ({ station, query }) => {
      const jobs = await station.jobs.list({ limit: query.limit });
      return json({ items: jobs.map(({ log, gateReport, ...short }) => short) });
    },
  }),
  route({
    method: 'GET',
    path: '/training/jobs/{id}',
    operation: 'getJob',
    summary: 'One job',
    tag: 'training',
    params,
    success: { status: 200, schema: job, description: 'The job' },
    handle: async ({ station, params }) => json(await station.jobs.get(params.id)),
  }),
  route({
    method: 'GET',
    path: '/training/trainers',
    operation: 'listTrainers',
    summary: 'The trainers of detectors: the built-in one, and the command that the settings of the station may name',
    tag: 'training',
    success: { status: 200, schema: trainerList, description: 'The trainers' },
    handle: async ({ station }) => json({ items: station.jobs.trainers() }),
  }),
  route({
    method: 'POST',
    path: '/training/jobs/{id}/cancel',
    operation: 'cancelJob',
    summary: 'End a job; a version that is complete already stays, not deployed',
    tag: 'training',
    params,
    body: { kind: 'json', schema: z.strictObject({}), optional: true },
    success: { status: 200, schema: job, description: 'The job is cancelled and its process is gone' },
    problems: [409],
    handle: async ({ station, params, actor }) => json(await station.jobs.cancel(params.id, actor)),
  }),
];

async function allowedSource(station: ApiStation, source: TrainingSource): Promise<TrainingSource> {
  switch (source.kind) {
    case 'folder':
      return { kind: 'folder', folder: await insideAllowedFolders(station, source.folder) };
    case 'dataset':
      return {
        kind: 'dataset',
        path: await insideAllowedFolders(station, source.path),
        within: allowedFolders(station),
      };
    default:
      return source;
  }
}

async function allowedDetector(
  station: ApiStation,
  options: DetectorTrainingOptions,
): Promise<DetectorTrainingOptions> {
  const { base, replay } = options;
  return {
    ...options,
    ...(base !== undefined && isFile(base) && { base: await insideAllowedFolders(station, base) }),
    ...(replay !== undefined && { replay: await insideAllowedFolders(station, replay) }),
  };
}

async function allowedClassifier(
  station: ApiStation,
  options: ClassifierTrainingOptions,
): Promise<ClassifierTrainingOptions> {
  const { backbone } = options;
  if (backbone === undefined || !isFile(backbone)) return options;
  return { ...options, backbone: await insideAllowedFolders(station, backbone) };
}

/** Everything that is no id of a model or backbone. */
function isFile(name: string): boolean {
  return /[./\\]/.test(name);
}

export function allowedFolders(station: ApiStation): readonly string[] {
  const { dataFolder, trainingFolders = [] } = station.options;
  return [dataFolder, ...trainingFolders];
}

async function allowedOptions(station: ApiStation, options: TrainingOptions): Promise<TrainingOptions> {
  const { defectFolder, referenceFolder, labelFolder, mask } = options;
  return {
    ...options,
    ...(defectFolder !== undefined && { defectFolder: await insideAllowedFolders(station, defectFolder) }),
    ...(referenceFolder !== undefined && { referenceFolder: await insideAllowedFolders(station, referenceFolder) }),
    ...(labelFolder !== undefined && { labelFolder: await insideAllowedFolders(station, labelFolder) }),
    ...(mask !== undefined && { mask: await insideAllowedFolders(station, mask) }),
  };
}

/**
 * A client may train only from folders inside the data folder or the training folders of the station, symbolic links
 * followed. Folders that do not exist look the same as forbidden ones.
 */
export async function insideAllowedFolders(station: ApiStation, path: string): Promise<string> {
  const folder = await realpath(resolve(station.options.dataFolder, path)).catch(() => null);
  for (const allowed of allowedFolders(station)) {
    const root = await realpath(allowed).catch(() => null);
    if (folder !== null && root !== null && isInside(folder, root)) return folder;
  }
  throw new RequestRefused(
    403,
    'folder-not-allowed',
    'folder not allowed',
    `${JSON.stringify(path)} is nothing inside the station's data folder or one of its training folders. ` +
      'Put the pictures there, or add the folder to the training folders of the inspection-station node.',
    { parameters: { folder: path } },
  );
}

function isInside(folder: string, root: string): boolean {
  const way = relative(root, folder);
  return way === '' || (!isAbsolute(way) && way.split(/[\\/]/)[0] !== '..');
}
