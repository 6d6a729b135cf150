import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type Clock,
  type Fault,
  faultOf,
  type Job,
  type JobProgress,
  type JobState,
  modelNameOf,
  NotFound,
  newId,
  syncFolder,
  systemClock,
  type TrainingReportFacts,
  type TrainingRequest,
  TypedEmitter,
  timestamp,
} from '../domain';
import { ModelExists, nextVersion } from '../packages';
import type { Store } from '../store';
import { checkRequest } from './check-request';
import { JobEnded, JobQueueUnavailable, QUEUE_LIMIT } from './errors';
import { hasCheckpoint, keepOrder, keptOrder, removeOthers } from './job-folder';
import { publicJob, publicRequest } from './public-job';
import type { TrainingContext } from './training-context';
import type { TrainingOrder } from './training-messages';
import { makeOrder, outFolderOf } from './training-order';
import { TrainingDied, TrainingProcess } from './training-process';

export interface JobQueueOptions extends TrainingContext {
  readonly store: TrainingContext['store'] & Pick<Store, 'jobs' | 'audit'>;
  /** Jobs at the same time, 1 unless told. One part type never trains twice at once. */
  readonly concurrency?: number;
  readonly clock?: Clock;
}

export interface JobQueueEvents {
  /** The job as it is now; at every change of state and a few times a second while it runs. */
  readonly job: Job;
  /** Something a person should know: pictures left out, a state that could not be stored. */
  readonly warning: { readonly job: string; readonly message: string };
}

/** Pictures left out that a job names; the first tell what is wrong with the rest. */
const SKIPPED_KEPT = 100;
/** A training that is ended from outside again and again is given up. */
const RESUMES_LIMIT = 5;
const ENDED: readonly JobState[] = ['completed', 'failed', 'cancelled', 'interrupted'];
const DONE: JobProgress = { stage: 'verify', percent: 100, remainingSeconds: 0 };
const STATION_CLOSED: Fault = {
  code: 'interrupted',
  message: 'The station was closed while this training ran; nothing was changed. Start it again.',
};
const NODE_RED_ENDED: Fault = {
  code: 'interrupted',
  message: 'Node-RED ended while this training ran; nothing was changed. Start it again.',
};

interface RunningJob {
  job: Job;
  process?: TrainingProcess;
  /** Why it shall stop before its end. */
  stop?: 'cancelled' | 'interrupted';
  /** Resolves when everything of the job is over. */
  over: Promise<void>;
}

/**
 * Training jobs: kept in the store, one running at a time, each in a process of its own with low priority. A job's
 * result is one new version folder, which appears in one step after the process has ended well.
 */
export class JobQueue {
  readonly events = new TypedEmitter<JobQueueEvents>();
  readonly #store: JobQueueOptions['store'];
  readonly #models: JobQueueOptions['models'];
  readonly #context: TrainingContext;
  readonly #concurrency: number;
  readonly #clock: Clock;
  /** Where jobs write before their result is moved to the models. */
  readonly #workFolder: string;
  #queued: Job[] = [];
  readonly #running = new Map<string, RunningJob>();
  /** Ended jobs whose last state could not be stored; in the store they look as if they still ran. */
  readonly #unstored = new Map<string, Job>();
  #state: 'new' | 'open' | 'closed' = 'new';

  constructor(options: JobQueueOptions) {
    this.#store = options.store;
    this.#models = options.models;
    this.#context = options;
    this.#concurrency = options.concurrency ?? 1;
    this.#clock = options.clock ?? systemClock;
    this.#workFolder = join(options.store.dataFolder, 'training');
  }

  /**
   * Lets the trainings that a dead process left running go on from their checkpoints, marks those without any as
   * interrupted, removes what they left, and starts queued ones.
   */
  async open(): Promise<void> {
    for (const job of await this.#store.jobs.list({ state: 'running' })) {
      const goesOn = await this.#goesOn(job);
      await this.#save(
        goesOn
          ? requeued(job, 'Node-RED ended while this training ran; it goes on from its last checkpoint.')
          : { ...job, state: 'interrupted', endedAt: this.#now(), error: NODE_RED_ENDED },
      );
    }
    this.#queued = [...(await this.#store.jobs.list({ state: 'queued' }))].reverse();
    await removeOthers(
      this.#workFolder,
      this.#queued.map(({ id }) => id),
    );
    this.#state = 'open';
    this.#startNext();
  }

  /**
   * Queues a training; it starts when it is its turn.
   *
   * @param actor who wants it, for the record
   * @throws what `checkRequest` throws of it
   * @throws {JobQueueUnavailable} while the station closes, or when too many jobs wait
   */
  async submit(request: TrainingRequest, actor: string): Promise<Job> {
    const checked = await checkRequest(request, this.#context);
    this.#assertAccepting();
    const job: Job = {
      id: newId(),
      request: checked,
      state: 'queued',
      progress: null,
      version: null,
      error: null,
      actor,
      createdAt: this.#now(),
      startedAt: null,
      endedAt: null,
    };
    await this.#store.jobs.insert(job);
    await this.#note(job, actor, 'training.start', publicRequest(checked));
    if (this.#state === 'open') {
      this.#queued.push(job);
      this.#emit(job);
      this.#startNext();
    }
    return publicJob(job);
  }

  /** The trainers that detectors can be trained by. */
  trainers(): readonly ('built-in' | 'external')[] {
    return this.#context.externalTrainer?.length ? ['built-in', 'external'] : ['built-in'];
  }

  /** @throws {NotFound} */
  async get(id: string): Promise<Job> {
    const job = this.#live(id) ?? (await this.#store.jobs.get(id));
    if (job === null) throw new NotFound('job', id);
    return publicJob(job);
  }

  /** Newest first. */
  async list(filter: { readonly state?: JobState; readonly limit?: number } = {}): Promise<readonly Job[]> {
    const jobs = await this.#store.jobs.list(filter);
    return jobs.map((job) => publicJob(this.#live(job.id) ?? job));
  }

  /**
   * Ends a job; resolves when its process is gone and nothing of it is left.
   *
   * @throws {NotFound}
   * @throws {JobEnded} when it is over, also when it came to its end in the meantime
   */
  async cancel(id: string, actor: string): Promise<Job> {
    const waiting = this.#queued.find((job) => job.id === id);
    if (waiting) {
      this.#queued = this.#queued.filter((job) => job !== waiting);
      await this.#removeFolder(waiting);
      const job = await this.#save({ ...waiting, state: 'cancelled', endedAt: this.#now() });
      await this.#note(job, actor, 'training.cancel', null);
      return publicJob(job);
    }
    const running = this.#running.get(id);
    if (running) {
      running.stop ??= 'cancelled';
      running.process?.kill();
      await running.over;
    }
    const job = running?.job ?? (await this.get(id));
    if (!running || job.state !== 'cancelled') throw new JobEnded(job);
    await this.#note(job, actor, 'training.cancel', null);
    return publicJob(job);
  }

  /**
   * Ends the running jobs, which become interrupted or, with a checkpoint, queued; queued ones wait for the next start.
   * Leaves no process.
   */
  async close(): Promise<void> {
    this.#state = 'closed';
    for (const running of this.#running.values()) {
      running.stop ??= 'interrupted';
      running.process?.kill();
    }
    await Promise.all([...this.#running.values()].map((running) => running.over));
  }

  #startNext(): void {
    while (this.#state === 'open' && this.#running.size < this.#concurrency) {
      const training = new Set([...this.#running.values()].map(({ job }) => job.request.partType));
      const next = this.#queued.find((job) => !training.has(job.request.partType));
      if (!next) return;
      this.#queued = this.#queued.filter((job) => job !== next);
      const running: RunningJob = { job: next, over: Promise.resolve() };
      this.#running.set(next.id, running);
      running.over = this.#run(running).finally(() => {
        this.#running.delete(next.id);
        this.#startNext();
      });
    }
  }

  /** Takes a job from its start to its last state, or back into the queue; never rejects. */
  async #run(running: RunningJob): Promise<void> {
    running.job = { ...running.job, state: 'running', startedAt: running.job.startedAt ?? this.#now() };
    const outcome = await this.#attempt(running);
    if (outcome.state === 'queued') {
      running.job = await this.#save({ ...running.job, ...outcome });
      this.#queued = [running.job, ...this.#queued];
      return;
    }
    await this.#removeFolder(running.job);
    running.job = await this.#save({ ...running.job, ...outcome, endedAt: this.#now() });
  }

  async #attempt(running: RunningJob): Promise<Partial<Job>> {
    const { partType, kind = 'patchcore', deploy } = running.job.request;
    let version: string | null = null;
    try {
      await this.#save(running.job);
      version = await this.#train(running);
      const refused = running.job.report?.gate.accepted === false;
      if (deploy && refused) this.#tell(running, `Version ${version} is not in production: the gate refused it.`);
      else if (deploy) await this.#models.deploy(modelNameOf(partType, kind), version, running.job.actor);
      return { state: 'completed', version, error: null, progress: { ...running.job.progress, ...DONE } };
    } catch (caught) {
      const error = faultOf(caught);
      const { progress } = running.job;
      if (version !== null) {
        return { state: 'failed', version, error: notDeployed(version, error), progress };
      }
      if (running.stop === 'cancelled') return { state: 'cancelled', version, error: null, progress };
      const killed = caught instanceof TrainingDied && caught.killed;
      if ((killed || running.stop) && (await this.#goesOn(running.job))) {
        const why = running.stop ? 'The station was closed while this training ran' : 'The training process was ended';
        return requeued(running.job, `${why}; it goes on from its last checkpoint.`);
      }
      if (running.stop === 'interrupted') return { state: 'interrupted', version, error: STATION_CLOSED, progress };
      return { state: killed ? 'interrupted' : 'failed', version, error, progress };
    }
  }

  /** @returns the version that has appeared among the models */
  async #train(running: RunningJob): Promise<string> {
    const order = await this.#orderOf(running.job);
    await mkdir(dirname(order.outFolder), { recursive: true });
    if (running.stop) throw new Error('stopped before it began');

    running.process = new TrainingProcess(order, (progress) => this.#progress(running, progress));
    const { skipped, report, notes = [] } = await running.process.result;
    if (skipped.length > 0) running.job = { ...running.job, skipped: skipped.slice(0, SKIPPED_KEPT) };
    if (report) running.job = { ...running.job, report: withoutCurves(report) };
    for (const note of notes) this.#tell(running, note);
    if (running.stop) throw new Error('stopped at its end');
    if (skipped.length > 0) {
      const names = skipped.map(({ name, reason }) => `${name} (${reason})`);
      this.#warn(running.job, `${skipped.length} pictures were left out: ${names.slice(0, 20).join(', ')}`);
    }
    await this.#place(order);
    return order.version;
  }

  /** What a job is to do: what it was to do before, when it goes on from a checkpoint. */
  async #orderOf(job: Job): Promise<TrainingOrder> {
    const workFolder = this.#folderOf(job);
    const kept = await keptOrder(workFolder);
    if (kept === null) {
      await rm(workFolder, { recursive: true, force: true });
      const order = await makeOrder(job.request, workFolder, this.#context);
      if (order.kind === 'detector') await keepOrder(order);
      return order;
    }
    await rm(dirname(kept.outFolder), { recursive: true, force: true });
    const version = await nextVersion(this.#models.folder, kept.name);
    return { ...kept, version, workFolder, outFolder: outFolderOf(workFolder, version) };
  }

  /** Moves a finished package to the models, in one step. */
  async #place({ name, version, outFolder }: TrainingOrder): Promise<void> {
    const place = this.#models.folderOf(name, version);
    await mkdir(dirname(place), { recursive: true });
    await rename(outFolder, place).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOTEMPTY' || error.code === 'EEXIST' ? new ModelExists(place) : error;
    });
    // on the disk before anything names the version; the folder of the model may be new, too
    for (const folder of [dirname(place), this.#models.folder]) await syncFolder(folder);
  }

  /** Whether a job that was ended from outside can go on where its last checkpoint stands. */
  async #goesOn(job: Job): Promise<boolean> {
    return (job.resumed ?? 0) < RESUMES_LIMIT && (await hasCheckpoint(this.#folderOf(job)));
  }

  #folderOf({ id }: Job): string {
    return join(this.#workFolder, id);
  }

  async #removeFolder(job: Job): Promise<void> {
    await rm(this.#folderOf(job), { recursive: true, force: true }).catch((error) => this.#warn(job, error));
  }

  #tell(running: RunningJob, note: string): void {
    running.job = { ...running.job, notes: [...(running.job.notes ?? []), note] };
  }

  #progress(running: RunningJob, progress: JobProgress): void {
    if (running.stop) return;
    running.job = { ...running.job, progress };
    this.#emit(running.job);
  }

  #assertAccepting(): void {
    if (this.#state !== 'open') throw new JobQueueUnavailable('closed');
    if (this.#queued.length >= QUEUE_LIMIT) throw new JobQueueUnavailable('full');
  }

  /** A job as memory has it, which is newer than the store. */
  #live(id: string): Job | null {
    return this.#running.get(id)?.job ?? this.#unstored.get(id) ?? null;
  }

  /** Stores a state and tells it. A store that fails does not stop the queue: the next start repairs the state. */
  async #save(job: Job): Promise<Job> {
    try {
      await this.#store.jobs.update(job);
      this.#unstored.delete(job.id);
    } catch (error) {
      if (ENDED.includes(job.state)) this.#unstored.set(job.id, job);
      this.#warn(job, error);
    }
    this.#emit(job);
    return job;
  }

  #emit(job: Job): void {
    this.events.emit('job', publicJob(job));
  }

  async #note(job: Job, actor: string, action: string, after: unknown): Promise<void> {
    const entry = { at: this.#now(), actor, action, subject: job.id, before: null, after };
    await this.#store.audit.add(entry).catch((error) => this.#warn(job, error));
  }

  #warn(job: Job, problem: unknown): void {
    const message = problem instanceof Error ? problem.message : String(problem);
    this.events.emit('warning', { job: job.id, message });
  }

  #now(): string {
    return timestamp(this.#clock.now());
  }
}

function notDeployed(version: string, { message }: Fault): Fault {
  return {
    code: 'trained-not-deployed',
    message: `Version ${version} was trained, but could not be deployed: ${message}`,
    parameters: { version, detail: message },
  };
}

/** A job that goes on where its last checkpoint stands. */
function requeued(job: Job, note: string): Job {
  return { ...job, state: 'queued', notes: [...(job.notes ?? []), note], resumed: (job.resumed ?? 0) + 1 };
}

/** Curves over all confidences stand in the model's manifest; a job that is told a few times a second is short. */
function withoutCurves(report: TrainingReportFacts): TrainingReportFacts {
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
