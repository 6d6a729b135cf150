import { type Clock, InspectionError, type Job, type TrainingRequest, TypedEmitter } from '../domain';
import type { Store } from '../store';
import type { ModelRegistry } from './model-registry';

export interface JobQueueOptions {
  readonly store: Pick<Store, 'dataFolder' | 'jobs' | 'labels' | 'pictures'>;
  readonly models: ModelRegistry;
  /** Jobs at the same time, 1 unless told. One part type never trains twice at once. */
  readonly concurrency?: number;
  readonly clock?: Clock;
}

export interface JobQueueEvents {
  /** The job as it is now; sent at every change of state and a few times a second while it runs. */
  readonly job: Job;
}

/** The job is over and cannot be cancelled. */
export class JobEnded extends InspectionError {
  constructor(job: Job) {
    super({
      code: 'job-ended',
      status: 'job has ended',
      message: `Job ${job.id} is ${job.state}. Only queued and running jobs can be cancelled.`,
      parameters: { id: job.id, state: job.state },
      httpStatus: 409,
    });
  }
}

/** Training jobs: kept in the store, one running at a time, each in a process of its own. */
export class JobQueue {
  readonly events = new TypedEmitter<JobQueueEvents>();
  readonly #options: JobQueueOptions;

  constructor(options: JobQueueOptions) {
    this.#options = options;
  }

  /** Marks jobs that a dead process left running as interrupted, removes what they left, and starts queued ones. */
  async open(): Promise<void> {
    throw new Error(`${this.#options.store.dataFolder}: not written yet`);
  }

  /** Queues a training. */
  async submit(_request: TrainingRequest, _actor: string): Promise<Job> {
    throw new Error('not written yet');
  }

  /** Throws NotFound. */
  async get(_id: string): Promise<Job> {
    throw new Error('not written yet');
  }

  /** Newest first. */
  async list(): Promise<readonly Job[]> {
    throw new Error('not written yet');
  }

  /** Resolves when the job has stopped, within two seconds. Throws NotFound, JobEnded. */
  async cancel(_id: string): Promise<Job> {
    throw new Error('not written yet');
  }

  /** Resolves when the job is completed, failed, cancelled or interrupted. */
  async ended(_id: string): Promise<Job> {
    throw new Error('not written yet');
  }

  /** Stops the running job, which becomes interrupted; queued ones wait for the next start. */
  async close(): Promise<void> {
    throw new Error('not written yet');
  }
}
