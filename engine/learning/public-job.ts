import type { Job, TrainingReportFacts, TrainingRequest } from '../domain';

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

/** Curves over all confidences stand in the model's manifest; a job that is told a few times a second is short. */
export function withoutCurves(report: TrainingReportFacts): TrainingReportFacts {
  if (report.kind !== 'detector') return report;
  const short = <Figures extends { readonly curves?: unknown } | null>(figures: Figures): Figures =>
    figures && { ...figures, curves: undefined };
  const { before, after, oldClasses } = report;
  return {
    ...report,
    before: short(before),
    after: short(after),
    oldClasses: oldClasses && { before: short(oldClasses.before), after: short(oldClasses.after) },
  };
}
