import { access, constants, mkdir, rename, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { BackboneStore } from '../catalogue';
import {
  type Clock,
  InspectionError,
  InvalidInput,
  isName,
  type Job,
  type JobProgress,
  type JobState,
  NotFound,
  newId,
  serializeError,
  syncFolder,
  systemClock,
  type TrainingOptions,
  type TrainingRequest,
  type TrainingSource,
  TypedEmitter,
  timestamp,
} from '../domain';
import { ModelExists, nextVersion } from '../packages';
import { MINIMUM_PICTURES, picturesInFolder, TooFewPictures } from '../patchcore';
import type { Store } from '../store';
import type { ModelRegistry } from './model-registry';
import type { PictureSource } from './training-messages';
import { readTrainingOptions } from './training-options';
import { simulatedProduct } from './training-pictures';
import { TrainingDied, TrainingProcess } from './training-process';

export interface JobQueueOptions {
  readonly store: Pick<Store, 'dataFolder' | 'jobs' | 'labels' | 'pictures' | 'audit'>;
  readonly models: ModelRegistry;
  /** Finds the file of a backbone by its id; without it only the embedded one is known. */
  readonly backbones?: Pick<BackboneStore, 'pathOf'>;
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

/** There is no version the pictures could be added to. */
export class NothingToUpdate extends InspectionError {
  constructor(partType: string) {
    super({
      code: 'nothing-to-update',
      status: 'no model to add to',
      message: `Part type ${partType} has no model in production that pictures could be added to. Train one first, or deploy a version.`,
      parameters: { partType },
      httpStatus: 409,
    });
  }
}

/** The queue takes no jobs (any more). */
export class JobQueueUnavailable extends InspectionError {
  constructor(trouble: 'closed' | 'full') {
    super({
      code: `job-queue-${trouble}`,
      status: trouble === 'closed' ? 'station closed' : 'job queue full',
      message:
        trouble === 'closed'
          ? 'The station is closing; start the training again when it runs.'
          : `${QUEUE_LIMIT} trainings wait already. Wait until some are done, or cancel some.`,
      httpStatus: 503,
    });
  }
}

const QUEUE_LIMIT = 100;
/** Pictures left out that a job names; the first tell what is wrong with the rest. */
const SKIPPED_KEPT = 100;
export const SIMULATED_PICTURES_LIMIT = 1000;
const ENDED: readonly JobState[] = ['completed', 'failed', 'cancelled', 'interrupted'];
const DONE: JobProgress = { stage: 'verify', percent: 100, remainingSeconds: 0 };
const STATION_CLOSED = {
  code: 'interrupted',
  message: 'The station was closed while this training ran; nothing was changed. Start it again.',
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
  readonly #models: ModelRegistry;
  readonly #backbones: JobQueueOptions['backbones'];
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
    this.#backbones = options.backbones;
    this.#concurrency = options.concurrency ?? 1;
    this.#clock = options.clock ?? systemClock;
    this.#workFolder = join(options.store.dataFolder, 'training');
  }

  /** Marks jobs that a dead process left running as interrupted, removes what they left, and starts queued ones. */
  async open(): Promise<void> {
    for (const job of await this.#store.jobs.list({ state: 'running' })) {
      await this.#save({
        ...job,
        state: 'interrupted',
        endedAt: this.#now(),
        error: {
          code: 'interrupted',
          message: 'Node-RED ended while this training ran; nothing was changed. Start it again.',
        },
      });
    }
    await rm(this.#workFolder, { recursive: true, force: true });
    this.#queued = [...(await this.#store.jobs.list({ state: 'queued' }))].reverse();
    this.#state = 'open';
    this.#startNext();
  }

  /**
   * Queues a training; it starts when it is its turn.
   *
   * @param actor who wants it, for the record
   * @throws {InvalidInput} naming what is wrong with the request
   * @throws {BackboneUnknown | BackboneNotPulled} when the backbone asked for is not here
   * @throws {NothingToUpdate} when pictures shall be added and no version is in production
   * @throws {TooFewPictures} when the source has fewer pictures than any training needs
   * @throws {JobQueueUnavailable} while the station closes, or when too many jobs wait
   */
  async submit(request: TrainingRequest, actor: string): Promise<Job> {
    const options = await this.#checkOptions(request);
    const source = await this.#checkSource(request);
    await this.#backbonePath(request);
    const checked: TrainingRequest = { ...request, source, ...(options && { options }) };
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
    await this.#note(job, actor, 'training.start', checked);
    if (this.#state === 'open') {
      this.#queued.push(job);
      this.events.emit('job', job);
      this.#startNext();
    }
    return job;
  }

  /** @throws {NotFound} */
  async get(id: string): Promise<Job> {
    const job = this.#live(id) ?? (await this.#store.jobs.get(id));
    if (job === null) throw new NotFound('job', id);
    return job;
  }

  /** Newest first. */
  async list(filter: { readonly state?: JobState; readonly limit?: number } = {}): Promise<readonly Job[]> {
    const jobs = await this.#store.jobs.list(filter);
    return jobs.map((job) => this.#live(job.id) ?? job);
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
      const job = await this.#save({ ...waiting, state: 'cancelled', endedAt: this.#now() });
      await this.#note(job, actor, 'training.cancel', null);
      return job;
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
    return job;
  }

  /** Ends the running jobs, which become interrupted; queued ones wait for the next start. Leaves no process. */
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

  /** Takes a job from its start to its last state; never rejects. */
  async #run(running: RunningJob): Promise<void> {
    running.job = { ...running.job, state: 'running', startedAt: this.#now() };
    const workFolder = join(this.#workFolder, running.job.id);
    const outcome = await this.#attempt(running, workFolder);
    await rm(workFolder, { recursive: true, force: true }).catch((error) => this.#warn(running.job, error));
    running.job = await this.#save({ ...running.job, ...outcome, endedAt: this.#now() });
  }

  async #attempt(
    running: RunningJob,
    workFolder: string,
  ): Promise<Pick<Job, 'state' | 'version' | 'error' | 'progress'>> {
    const { partType, deploy } = running.job.request;
    let version: string | null = null;
    try {
      await this.#save(running.job);
      version = await this.#train(running, workFolder);
      if (deploy) await this.#models.deploy(partType, version, running.job.actor);
      return { state: 'completed', version, error: null, progress: DONE };
    } catch (caught) {
      const { code, message } = serializeError(caught);
      const { progress } = running.job;
      if (version !== null) {
        const told = `Version ${version} was trained, but could not be deployed: ${message}`;
        return { state: 'failed', version, error: { code, message: told }, progress };
      }
      if (running.stop === 'cancelled') return { state: 'cancelled', version, error: null, progress };
      if (running.stop === 'interrupted') return { state: 'interrupted', version, error: STATION_CLOSED, progress };
      const killed = caught instanceof TrainingDied && caught.killed;
      return { state: killed ? 'interrupted' : 'failed', version, error: { code, message }, progress };
    }
  }

  /** @returns the version that has appeared among the models */
  async #train(running: RunningJob, workFolder: string): Promise<string> {
    const { partType, options = {} } = running.job.request;
    const version = await nextVersion(this.#models.folder, partType);
    const source = await this.#pictureSource(running.job.request);
    const deployed = await this.#models.deployed(partType).catch((error) => {
      if (options.update) throw error;
      return null;
    });
    if (options.update && deployed === null) throw new NothingToUpdate(partType);
    const outFolder = join(workFolder, partType, version);
    await mkdir(dirname(outFolder), { recursive: true });
    if (running.stop) throw new Error('stopped before it began');

    running.process = new TrainingProcess(
      {
        partType,
        version,
        parent: deployed?.version ?? null,
        outFolder,
        source,
        sourceText: sourceText(source),
        backbone: await this.#backbonePath(running.job.request),
        options,
        updateFrom: options.update && deployed ? deployed.folder : null,
        threads: Math.max(1, availableParallelism() - 1),
      },
      (progress) => this.#progress(running, progress),
    );
    const skipped = await running.process.result;
    if (skipped.length > 0) running.job = { ...running.job, skipped: skipped.slice(0, SKIPPED_KEPT) };
    if (running.stop) throw new Error('stopped at its end');
    if (skipped.length > 0) {
      const names = skipped.map(({ name, reason }) => `${name} (${reason})`);
      this.#warn(running.job, `${skipped.length} pictures were left out: ${names.slice(0, 20).join(', ')}`);
    }
    const place = this.#models.folderOf(partType, version);
    await mkdir(dirname(place), { recursive: true });
    await rename(outFolder, place).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOTEMPTY' || error.code === 'EEXIST' ? new ModelExists(place) : error;
    });
    // on the disk before anything names the version; the folder of the model may be new, too
    for (const folder of [dirname(place), this.#models.folder]) await syncFolder(folder);
    return version;
  }

  #progress(running: RunningJob, progress: JobProgress): void {
    if (running.stop) return;
    running.job = { ...running.job, progress };
    this.events.emit('job', running.job);
  }

  async #pictureSource({ partType, source }: TrainingRequest): Promise<PictureSource> {
    switch (source.kind) {
      case 'folder':
        return source;
      case 'simulator':
        return { ...source, seed: source.seed ?? 1 };
      case 'dataset':
        throw new InvalidInput('PatchCore learns from pictures of good parts: give a folder of them, not a data set.');
      case 'labelled': {
        const pictures = await this.#store.labels.labelledPictures(partType, 'OK');
        const files = pictures.map(({ id, picturePath }) => ({
          name: id,
          path: this.#store.pictures.absolute(picturePath),
        }));
        return { kind: 'files', files };
      }
    }
  }

  /** The options with absolute paths; undefined when there are none. */
  async #checkOptions({ partType, backbone, options }: TrainingRequest): Promise<TrainingOptions | undefined> {
    if (options === undefined) return undefined;
    const { defectFolder, referenceFolder, labelFolder, mask, ...others } = readTrainingOptions(options);
    const absolute = (path: string) => resolve(this.#store.dataFolder, path);
    if (others.update && backbone !== undefined) {
      throw new InvalidInput('An update keeps the backbone of its version: leave the backbone out, or train anew.');
    }
    if (others.update && (await this.#models.deployed(partType)) === null) throw new NothingToUpdate(partType);
    if (defectFolder !== undefined) await picturesInFolder(absolute(defectFolder));
    if (referenceFolder !== undefined) await picturesInFolder(absolute(referenceFolder));
    if (labelFolder !== undefined) {
      await access(absolute(labelFolder), constants.R_OK).catch(() => {
        throw new InvalidInput(`The folder of labels ${labelFolder} cannot be read. Check the path.`, { labelFolder });
      });
    }
    if (others.method === 'reference' && backbone !== undefined) {
      throw new InvalidInput('A comparison with golden pictures has no backbone: leave it out.');
    }
    if (mask !== undefined) {
      await access(absolute(mask), constants.R_OK).catch(() => {
        throw new InvalidInput(`The mask ${mask} cannot be read. Check the path.`, { mask });
      });
    }
    return {
      ...others,
      ...(defectFolder !== undefined && { defectFolder: absolute(defectFolder) }),
      ...(referenceFolder !== undefined && { referenceFolder: absolute(referenceFolder) }),
      ...(labelFolder !== undefined && { labelFolder: absolute(labelFolder) }),
      ...(mask !== undefined && { mask: absolute(mask) }),
    };
  }

  async #backbonePath({ backbone }: TrainingRequest): Promise<string | undefined> {
    return backbone === undefined || !this.#backbones ? backbone : this.#backbones.pathOf(backbone);
  }

  /** The source with an absolute folder. */
  async #checkSource({ partType, source }: TrainingRequest): Promise<TrainingSource> {
    if (!isName(partType)) {
      throw new InvalidInput(
        `The part type ${JSON.stringify(partType)} cannot be the name of a model. Use letters, digits, ".", "_" and "-", at most 64.`,
        { partType },
      );
    }
    switch (source.kind) {
      case 'folder': {
        const folder = resolve(this.#store.dataFolder, source.folder);
        assertEnough((await picturesInFolder(folder)).length);
        return { kind: 'folder', folder };
      }
      case 'dataset':
        throw new InvalidInput('PatchCore learns from pictures of good parts: give a folder of them, not a data set.');
      case 'labelled':
        assertEnough((await this.#store.labels.labelledPictures(partType, 'OK')).length);
        return source;
      case 'simulator':
        simulatedProduct(source.product);
        if (!Number.isInteger(source.count) || source.count > SIMULATED_PICTURES_LIMIT) {
          throw new InvalidInput(
            `The number of simulated pictures must be whole and at most ${SIMULATED_PICTURES_LIMIT}.`,
          );
        }
        if (source.seed !== undefined && !Number.isSafeInteger(source.seed)) {
          throw new InvalidInput('The seed of the simulator must be a whole number.');
        }
        assertEnough(source.count);
        return source;
    }
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
    this.events.emit('job', job);
    return job;
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

function assertEnough(count: number): void {
  if (count < MINIMUM_PICTURES) throw new TooFewPictures(count, 0, MINIMUM_PICTURES);
}

function sourceText(source: PictureSource): string {
  switch (source.kind) {
    case 'folder':
      return `folder ${source.folder}`;
    case 'files':
      return 'pictures labelled OK';
    case 'simulator':
      return `simulator, ${source.product}, seeds ${source.seed} to ${source.seed + source.count - 1}`;
  }
}
