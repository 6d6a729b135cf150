import type { Job } from '../../engine/domain';
import type { JobQueue } from '../../engine/learning';
import { waitFor } from './wait';

/** Trainings have the lowest priority: beside other work they take many times as long. */
export const TRAINING_LIMIT_MS = 480_000;

/** Waits for the end of a training job. */
export function jobEnded(jobs: Pick<JobQueue, 'get'>, id: string): Promise<Job> {
  return waitFor(
    `the end of job ${id}`,
    async () => {
      const job = await jobs.get(id);
      return job.endedAt !== null && job;
    },
    TRAINING_LIMIT_MS,
  );
}
