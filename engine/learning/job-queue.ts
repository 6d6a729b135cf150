import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type Clock,
  type DeploymentRecord,
  type Fault,
  faultOf,
  type Job,
  type JobProgress,
  type JobState,
  modelNameOf,
  NotFound,
  newId,
  systemClock,
  type TrainingRequest,
  TypedEmitter,
  timestamp,
} from '../domain';
import type { Store } from '../store';
import { checkRequest } from './check-request';
import { isSameSwitch } from './deployment-history';
import { HeldBack, JobEnded, JobQueueUnavailable, ProductionChanged, QUEUE_LIMIT, ThresholdsChanged } from './errors';
import { fatesSince } from './fate-since';
import { ComparingDied } from './gate';
import { hasCheckpoint, removeOthers } from './job-folder';
import {
  CANCELLED,
  fateLine,
  forgottenLine,
  INTERRUPTED,
  type JobNews,
  judgedLine,
  lastLineOf,
  logged,
  news,
} from './job-log';
import { freeVersion, orderOf, placeVersion, withPlaced } from './job-order';
import { judgeBy } from './judge-version';
import { publicJob, publicRequest, withoutCurves } from './public-job';
import type { TrainingContext } from './training-context';
import { TrainingDied, TrainingProcess } from './training-process';
import { fateOf, type JudgeVersion, type VersionFate } from './version-policy';

export interface JobQueueOptions extends TrainingContext {
  readonly store: TrainingContext['store'] & Pick<Store, 'jobs' | 'audit' | 'gateReports'>;
  /** Jobs at the same time, 1 unless told. One part type never trains twice at once. */
  readonly concurrency?: number;
  /** How a version is judged; by labelled and production pictures unless told. */
  readonly judge?: JudgeVersion;
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
/** Share of a job's progress that the training has; the rest is the comparison of its version. */
const TRAINING_SHARE = 0.9;
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
  /** Ends the comparison of its version. */
  readonly judging: AbortController;
  /** Why it shall stop before its end. */
  stop?: 'cancelled' | 'interrupted';
  /** Resolves when everything of the job is over. */
  over: Promise<void>;
}

/**
 * Training jobs: kept in the store, one running at a time, each in a process of its own with low priority. A job's
 * result is one new version folder, which appears in one step after the process has ended well. Only then is the version
 * compared with the one in production and, where that is wished, deployed in one transaction: whatever is killed on the
 * way, one version is in production, and it is a complete one.
 */
export class JobQueue {
  readonly events = new TypedEmitter<JobQueueEvents>();
  readonly #store: JobQueueOptions['store'];
  readonly #models: JobQueueOptions['models'];
  readonly #context: TrainingContext;
  readonly #concurrency: number;
  readonly #judge: JudgeVersion;
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
    this.#judge = options.judge ?? judgeBy(options);
    this.#clock = options.clock ?? systemClock;
    this.#workFolder = join(options.store.dataFolder, 'training');
  }

  /**
   * Lets the trainings that a dead process left running go on from their checkpoints, or from the comparison of a version
   * that is complete; marks the others as interrupted, removes what they left, and starts queued ones.
   */
  async open(): Promise<void> {
    for (const left of await this.#store.jobs.list({ state: 'running' })) {
      const job = await withPlaced(left, this.#models);
      await this.#save(
        (await this.#goesOn(job))
          ? this.#requeued(job, 'Node-RED ended while this training ran')
          : this.#logged({ ...job, ...interrupted(job, NODE_RED_ENDED), endedAt: this.#now() }, INTERRUPTED),
      );
    }
    this.#queued = [...(await this.#store.jobs.list({ state: 'queued' }))];
    await removeOthers(
      this.#workFolder,
      this.#queued.map(({ id }) => id),
    );
    this.#state = 'open';
    this.#startNext();
  }

  /**
   * Queues a training; it starts when it is its turn: those of a higher priority first, then the older ones.
   *
   * @param actor   who wants it, for the record
   * @param trigger the retraining run it belongs to
   * @throws what `checkRequest` throws of it
   * @throws {JobQueueUnavailable} while the station closes, or when too many jobs wait
   */
  async submit(request: TrainingRequest, actor: string, trigger?: Job['trigger']): Promise<Job> {
    const checked = await checkRequest(request, this.#context);
    this.#assertAccepting();
    const asked: Job = {
      id: newId(),
      request: checked,
      state: 'queued',
      progress: null,
      version: null,
      error: null,
      priority: checked.priority ?? 0,
      ...(trigger && { trigger }),
      actor,
      createdAt: this.#now(),
      startedAt: null,
      endedAt: null,
    };
    const job = this.#logged(asked, news('queued', `Asked for by ${actor}.`, { actor }));
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

  /** With what has become of its version until now. @throws {NotFound} */
  async get(id: string): Promise<Job> {
    const job = this.#live(id) ?? (await this.#store.jobs.get(id));
    if (job === null) throw new NotFound('job', id);
    return publicJob(await fatesSince(this.#models)(job));
  }

  /** Newest first, with what has become of their versions until now. */
  async list(filter: { readonly state?: JobState; readonly limit?: number } = {}): Promise<readonly Job[]> {
    const jobs = await this.#store.jobs.list(filter);
    const sinceThen = fatesSince(this.#models);
    return Promise.all(jobs.map(async (job) => publicJob(await sinceThen(this.#live(job.id) ?? job))));
  }

  /**
   * Ends a job; resolves when its process is gone. Nothing of it is left but a version that was complete already: that one
   * stays, not deployed.
   *
   * @throws {NotFound}
   * @throws {JobEnded} when it is over, also when it came to its end in the meantime
   */
  async cancel(id: string, actor: string): Promise<Job> {
    const waiting = this.#queued.find((job) => job.id === id);
    if (waiting) {
      this.#queued = this.#queued.filter((job) => job !== waiting);
      await this.#removeFolder(waiting);
      const ended = { ...waiting, ...cancelled(waiting), endedAt: this.#now() };
      const job = await this.#save(this.#logged(ended, CANCELLED));
      await this.#note(job, actor, 'training.cancel', null);
      return publicJob(job);
    }
    const running = this.#running.get(id);
    if (running) {
      stop(running, 'cancelled');
      await running.over;
    }
    const job = running?.job ?? (await this.get(id));
    if (!running || job.state !== 'cancelled') throw new JobEnded(job);
    await this.#note(job, actor, 'training.cancel', null);
    return publicJob(job);
  }

  /**
   * Ends the running jobs, which become interrupted or, where they can go on, queued; queued ones wait for the next start.
   * Leaves no process.
   */
  async close(): Promise<void> {
    this.#state = 'closed';
    for (const running of this.#running.values()) stop(running, 'interrupted');
    await Promise.all([...this.#running.values()].map((running) => running.over));
  }

  #startNext(): void {
    while (this.#state === 'open' && this.#running.size < this.#concurrency) {
      const training = new Set([...this.#running.values()].map(({ job }) => job.request.partType));
      const [next] = this.#queued.filter((job) => !training.has(job.request.partType)).sort(byTurn);
      if (!next) return;
      this.#queued = this.#queued.filter((job) => job !== next);
      const running: RunningJob = { job: next, judging: new AbortController(), over: Promise.resolve() };
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
    this.#tell(running, news('started', 'The training starts.'));
    const outcome = await this.#attempt(running);
    running.job = { ...running.job, ...outcome };
    if (outcome.state === 'queued') {
      await this.#save(running.job);
      this.#queued = [...this.#queued, running.job];
      return;
    }
    await this.#removeFolder(running.job);
    this.#tell(running, lastLineOf(running.job));
    running.job = await this.#save({ ...running.job, endedAt: this.#now() });
  }

  /** Trains, judges and deploys, from wherever the job stands. */
  async #attempt(running: RunningJob): Promise<Partial<Job>> {
    try {
      running.job = await this.#save(await withPlaced(running.job, this.#models));
      if (running.job.version === null) await this.#train(running);
      const deployment = await this.#decide(running);
      return { state: 'completed', error: null, deployment, progress: { ...running.job.progress, ...DONE } };
    } catch (caught) {
      const job = await withPlaced(running.job, this.#models);
      const { version } = job;
      if (running.stop === 'cancelled') return cancelled(job);
      const killed = wasKilled(caught);
      if ((killed || running.stop) && (await this.#goesOn(job))) {
        const why = running.stop ? 'The station was closed while this training ran' : 'The training process was ended';
        return this.#requeued(job, why);
      }
      if (running.stop === 'interrupted') return interrupted(job, STATION_CLOSED);
      const error = faultOf(caught);
      if (killed) return interrupted(job, error);
      if (version === null) return { state: 'failed', version, error };
      return { state: 'failed', version, error: notDeployed(version, error), deployment: 'none' };
    }
  }

  /** Has the version judged and, where that is wished, deployed. */
  async #decide(running: RunningJob): Promise<VersionFate> {
    const { request, report, dataset = null, actor, id } = running.job;
    const { partType, kind = 'patchcore', policy = null } = request;
    const version = running.job.version as string;
    const name = modelNameOf(partType, kind);
    const switches = await this.#models.history(partType, kind);
    // the last run may have been ended between the deployment and its own end, and another version be in place since
    if (switches.some((one) => one.name === name && one.version === version)) return 'deployed';

    const wish = { kind, partType, version, dataset, policy, trained: report?.gate ?? null };
    const gateReport = await this.#judge(
      wish,
      (progress) =>
        this.#progress(running, { ...progress, percent: share(progress.percent, 1 - TRAINING_SHARE, TRAINING_SHARE) }),
      running.judging.signal,
    );
    if (running.stop) throw new Error('stopped after it was judged');
    if (gateReport) {
      running.job = { ...running.job, gateReport };
      this.#tell(running, judgedLine(gateReport.decision));
    }
    let fate = fateOf(request, gateReport, report?.gate);
    if (fate === 'deployed') {
      const [latest = null] = switches;
      const assertWanted = async (current: DeploymentRecord | null) => {
        if (!isSameSwitch(latest, current)) throw new ProductionChanged(name, version);
        if (kind === 'patchcore') await this.#assertNoneByHand(partType, name, version);
      };
      await this.#models.deploy(name, version, actor, `training ${id}`, assertWanted).catch((error) => {
        if (!(error instanceof HeldBack)) throw error;
        // what a person chose stays
        fate = 'awaiting';
        this.#tell(running, news(error.code, error.message, error.parameters));
      });
    }
    if (fate === 'refused') {
      this.#remark(running, { text: `Version ${version} is not in production: the gate refused it.` });
    }
    this.#tell(running, fateLine(fate, version));
    return fate;
  }

  /** @throws {ThresholdsChanged} when thresholds set by hand are in force: the last change took none back and ended none */
  async #assertNoneByHand(partType: string, name: string, version: string): Promise<void> {
    const [change] = await this.#store.audit.list({ subject: partType, action: 'routing.thresholds', limit: 1 });
    if (change && change.after !== null) throw new ThresholdsChanged(name, version, change.actor);
  }

  /** Trains until the job's version has appeared among the models. */
  async #train(running: RunningJob): Promise<void> {
    const order = await orderOf(running.job, this.#folderOf(running.job), this.#context);
    await mkdir(dirname(order.outFolder), { recursive: true });
    if (order.dataset) {
      const { id, hash } = order.dataset;
      running.job = { ...running.job, dataset: { id, hash } };
      this.#tell(running, news('learnt', `It learns from data set ${id}.`, { dataset: id }));
    }
    const { contradicted = [] } = order;
    if (contradicted.length > 0) this.#remark(running, { text: contradictedNote(contradicted) });
    if (running.stop) throw new Error('stopped before it began');

    running.process = new TrainingProcess(order, (progress) =>
      this.#progress(running, { ...progress, percent: share(progress.percent, TRAINING_SHARE) }),
    );
    const { skipped, report, forgotten = [], notes = [] } = await running.process.result;
    if (skipped.length > 0) running.job = { ...running.job, skipped: skipped.slice(0, SKIPPED_KEPT) };
    if (report) running.job = { ...running.job, report: withoutCurves(report) };
    if (forgotten.length > 0) this.#remark(running, forgottenLine(forgotten));
    for (const text of notes) this.#remark(running, { text });
    if (running.stop) throw new Error('stopped at its end');
    if (skipped.length > 0) {
      const names = skipped.map(({ name, reason }) => `${name} (${reason})`);
      this.#warn(running.job, `${skipped.length} pictures were left out: ${names.slice(0, 20).join(', ')}`);
      const count = skipped.length;
      this.#tell(running, news('skipped', `${count} pictures were left out.`, { count }));
    }
    const version = await freeVersion(order, this.#models);
    // named before it is there: after a kill between the two, the next start finds out whether it is
    running.job = await this.#save({ ...running.job, version });
    await placeVersion(order, version, this.#models).catch((error) => {
      running.job = { ...running.job, version: null };
      throw error;
    });
    this.#tell(running, news('placed', `Version ${version} is made.`, { version }));
  }

  /** Whether a job that was ended from outside can go on: its version is complete, or a checkpoint is there. */
  async #goesOn(job: Job): Promise<boolean> {
    if ((job.resumed ?? 0) >= RESUMES_LIMIT) return false;
    if (job.version !== null) return true;
    return hasCheckpoint(this.#folderOf(job)).catch((error) => {
      this.#warn(job, error);
      return false;
    });
  }

  /** A job that goes on where it stands. */
  #requeued(job: Job, why: string): Job {
    const where = job.version === null ? 'from its last checkpoint' : `with the comparison of version ${job.version}`;
    const note = `${why}; it goes on ${where}.`;
    const resumed = (job.resumed ?? 0) + 1;
    const queued: Job = { ...job, state: 'queued', notes: [...(job.notes ?? []), note], resumed };
    return this.#logged(queued, { code: 'resumed', text: note, parameters: { count: resumed } });
  }

  #folderOf({ id }: Job): string {
    return join(this.#workFolder, id);
  }

  async #removeFolder(job: Job): Promise<void> {
    await rm(this.#folderOf(job), { recursive: true, force: true }).catch((error) => this.#warn(job, error));
  }

  /** A line that stands among the notes, too. */
  #remark(running: RunningJob, line: JobNews): void {
    running.job = { ...running.job, notes: [...(running.job.notes ?? []), line.text] };
    this.#tell(running, line);
  }

  #tell(running: RunningJob, line: JobNews): void {
    running.job = this.#logged(running.job, line);
  }

  #logged(job: Job, line: JobNews): Job {
    return logged(job, this.#now(), line);
  }

  #progress(running: RunningJob, progress: JobProgress): void {
    if (running.stop) return;
    const { stage } = progress;
    if (stage !== running.job.progress?.stage) this.#tell(running, news('stage', `Stage: ${stage}.`, { stage }));
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

function stop(running: RunningJob, why: NonNullable<RunningJob['stop']>): void {
  running.stop ??= why;
  running.process?.kill();
  running.judging.abort();
}

/** Those of a higher priority first, then the older ones. */
function byTurn(a: Job, b: Job): number {
  return (b.priority ?? 0) - (a.priority ?? 0) || a.id.localeCompare(b.id);
}

/** Percent of a part, of the whole. */
function share(percent: number, part: number, before = 0): number {
  return 100 * before + percent * part;
}

function contradictedNote(ids: readonly string[]): string {
  const named = ids.slice(0, 20).join(', ');
  return `${ids.length} pictures labelled OK are labelled NG, too, and count as NG: ${named}. Look at them in the review.`;
}

/** True when something outside ended the process, not what it did. */
function wasKilled(error: unknown): boolean {
  return (error instanceof TrainingDied || error instanceof ComparingDied) && error.killed;
}

function cancelled({ version }: Job): Partial<Job> & { readonly state: 'cancelled' } {
  return { state: 'cancelled', version, error: null, ...(version !== null && { deployment: 'none' as const }) };
}

function interrupted({ version }: Job, error: Fault): Partial<Job> & { readonly state: 'interrupted' } {
  return { state: 'interrupted', version, error, ...(version !== null && { deployment: 'none' as const }) };
}

function notDeployed(version: string, { message }: Fault): Fault {
  return {
    code: 'trained-not-deployed',
    message: `Version ${version} was trained, but could not be deployed: ${message}`,
    parameters: { version, detail: message },
  };
}
