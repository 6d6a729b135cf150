import { type Clock, type Job, newId, type TrainingRequest, TypedEmitter, timestamp } from '../../../../engine/domain';
import type { JobQueueEvents } from '../../../../engine/learning';
import type { Store } from '../../../../engine/store';

/** A queue whose trainings end when and as a test says; they are kept in the store as the real one keeps them. */
export class JobsByHand {
  readonly events = new TypedEmitter<JobQueueEvents>();
  readonly submitted: Job[] = [];
  /** Thrown by the next submission. */
  refusal: Error | null = null;

  constructor(
    private readonly store: Pick<Store, 'jobs'>,
    private readonly clock: Clock,
  ) {}

  async submit(request: TrainingRequest, actor: string, trigger?: Job['trigger']): Promise<Job> {
    if (this.refusal) throw this.refusal;
    const now = timestamp(this.clock.now());
    const job: Job = {
      id: newId(),
      request,
      state: 'running',
      progress: null,
      version: null,
      error: null,
      actor,
      ...(trigger && { trigger }),
      createdAt: now,
      startedAt: now,
      endedAt: null,
    };
    await this.store.jobs.insert(job);
    this.submitted.push(job);
    this.events.emit('job', job);
    return job;
  }

  /** Ends the job begun last. */
  async end(facts: Partial<Job>): Promise<void> {
    const job: Job = { ...this.submitted.at(-1)!, endedAt: timestamp(this.clock.now()), ...facts };
    await this.store.jobs.update(job);
    this.events.emit('job', job);
  }
}
