import type { Job, TrainingRequest } from '../domain';

/** A job as it is told outside of its queue. */
export function publicJob(job: Job): Job {
  return { ...job, request: publicRequest(job.request) };
}

/** A request without the folders that its pictures must lie in: they are the station's own. */
export function publicRequest(request: TrainingRequest): TrainingRequest {
  if (request.source.kind !== 'dataset') return request;
  const { kind, path } = request.source;
  return { ...request, source: { kind, path } };
}
