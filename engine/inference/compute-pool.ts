import { EventEmitter } from 'node:events';
import { DeadlineExceeded, type InferenceFailed, Overload, PoolClosed } from './errors';
import { Request } from './request';
import { type Priority, RequestQueue } from './request-queue';
import { defaultThreads } from './runtime';
import { type BackOff, type Restart, Supervisor } from './supervisor';

export type PoolState = 'starting' | 'ready' | 'restarting' | 'closed';

export interface ComputePoolOptions {
  /** Child processes, 1..64. */
  readonly size: number;
  /** Requests that may wait, counted for each priority on its own, so that thumbnails cannot crowd out verdicts; >= 0. */
  readonly queueLimit: number;
  /** With a full queue: refuse the new request, or drop the oldest waiting one of the same priority. */
  readonly queuePolicy: 'reject' | 'drop-oldest';
  /** Bytes of loaded sessions each child keeps. */
  readonly memoryCapBytes: number;
  /** Threads of a session; by default the cores but one, shared among the children. */
  readonly threads?: number;
  /** Absolute module paths (extension not needed); each exports `tasks`, see `TaskModule`. */
  readonly taskModules: readonly string[];
  /** Pauses between restarts in a row: 250 ms, doubled each time, up to 10 s by default; the first restart is immediate. */
  readonly backOff?: BackOff;
}

export interface RunOptions {
  /** Epoch milliseconds; without one the request may take as long as it takes. */
  readonly deadline?: number;
  /**
   * `verdict` by default. `background` requests run only while no verdict request waits, and with two or more children never
   * in all of them.
   */
  readonly priority?: Priority;
}

export interface PoolEvents {
  state: [state: PoolState];
  /** A child ended and is being replaced; its sessions are gone, so this is the moment to load models again. */
  restart: [restart: Restart];
  /** One line a child wrote to stdout or stderr. */
  output: [line: string];
}

/**
 * Runs tasks in child processes. Overload, deadlines, crashes and closing end in typed errors, never in a hanging promise.
 * The children start with the first `run` or `warmUp`.
 */
export class ComputePool extends EventEmitter<PoolEvents> {
  private readonly supervisors: readonly Supervisor[];
  private readonly queue: RequestQueue<Request>;
  /** Requests for one child in particular. */
  private readonly pinned = new Map<Supervisor, Request[]>();
  private nextId = 1;
  private told: PoolState = 'starting';
  private everReady = false;
  private closed = false;
  private closing: Promise<void> | null = null;

  /** @throws {RangeError} for options out of range */
  constructor(readonly options: ComputePoolOptions) {
    super();
    const { size, queueLimit, memoryCapBytes, taskModules } = options;
    if (!Number.isInteger(size) || size < 1 || size > 64) throw new RangeError(`size must be 1..64, got ${size}`);
    if (!(queueLimit >= 0)) throw new RangeError(`queueLimit must be >= 0, got ${queueLimit}`);
    if (!(memoryCapBytes > 0)) throw new RangeError(`memoryCapBytes must be above 0, got ${memoryCapBytes}`);
    const threads = options.threads ?? defaultThreads(size);
    if (!Number.isInteger(threads) || threads < 1) throw new RangeError(`threads must be >= 1, got ${threads}`);
    this.queue = new RequestQueue(queueLimit, options.queuePolicy);
    this.supervisors = Array.from({ length: size }, () => {
      const start = { type: 'start', taskModules, memoryCapBytes, threads } as const;
      const supervisor = new Supervisor(start, options.backOff ?? { firstMs: 250, maxMs: 10_000 });
      supervisor.on('change', () => this.onChange());
      supervisor.on('restart', (restart) => this.emit('restart', restart));
      supervisor.on('output', (line) => this.emit('output', line));
      return supervisor;
    });
  }

  /** `ready` while at least one child is; before the first one was, `starting`. */
  get state(): PoolState {
    if (this.closed) return 'closed';
    if (this.supervisors.some(isUp)) return 'ready';
    return this.everReady ? 'restarting' : 'starting';
  }

  /** Requests waiting. */
  get queued(): number {
    return [...this.pinned.values()].reduce((sum, requests) => sum + requests.length, this.queue.length);
  }

  /** Requests running. */
  get running(): number {
    return this.supervisors.filter((supervisor) => supervisor.running !== null).length;
  }

  /** Children replaced since the start. */
  get restarts(): number {
    return this.supervisors.reduce((sum, supervisor) => sum + supervisor.restarts, 0);
  }

  /** Process ids of the living children. */
  get pids(): readonly number[] {
    return this.supervisors.flatMap((supervisor) => supervisor.pid ?? []);
  }

  /**
   * Starts all children and resolves when they take requests.
   *
   * @throws {InferenceFailed} when one cannot start
   * @throws {PoolClosed} when the pool is or gets closed
   */
  async warmUp(): Promise<void> {
    this.start();
    await new Promise<void>((resolve, reject) => {
      const supervisors = this.supervisors;
      const check = () => {
        const failure = supervisors.map((supervisor) => supervisor.startFailure).find((error) => error !== null);
        if (!this.closed && !failure && !supervisors.every(isUp)) return;
        for (const supervisor of supervisors) supervisor.off('change', check);
        if (this.closed) reject(new PoolClosed());
        else if (failure) reject(failure);
        else resolve();
      };
      for (const supervisor of supervisors) supervisor.on('change', check);
      check();
    });
  }

  /**
   * Runs a task in a child and gives back its result. Buffers and typed arrays arrive with the type they were sent with and
   * are copies; only the bytes of the view are sent, not the memory it is a part of.
   *
   * @throws {Overload} when the queue is full, or the request was dropped for a newer one
   * @throws {DeadlineExceeded} when it was not done in time; a waiting request is then never run
   * @throws {InferenceFailed} when the child died, cannot start, or the task threw something untyped
   * @throws {InspectionError} thrown by the task, with the same code, status, message and reason
   * @throws {PoolClosed} when the pool is or gets closed
   */
  run<T>(task: string, args: unknown, options: RunOptions = {}): Promise<T> {
    return this.submit(task, args, options, null);
  }

  /**
   * Runs a task in each child, in one after the other, so that the others go on with their work: for loading a model
   * everywhere. The queue limit does not count here, and the priority has no effect.
   *
   * @returns the results, one for each child
   * @throws like `run`, at the first child that fails
   */
  async runInEach<T>(task: string, args: unknown, options: Pick<RunOptions, 'deadline'> = {}): Promise<T[]> {
    const results: T[] = [];
    for (const supervisor of this.supervisors.toReversed()) {
      results.push(await this.submit<T>(task, args, { ...options, priority: 'background' }, supervisor));
    }
    return results;
  }

  /** Rejects everything waiting and running, ends the children at once, and resolves when they are gone. */
  close(): Promise<void> {
    if (!this.closing) {
      this.closed = true;
      this.closing = this.shutDown();
    }
    return this.closing;
  }

  private start(): void {
    if (!this.closed) for (const supervisor of this.supervisors) supervisor.start();
  }

  private submit<T>(task: string, args: unknown, options: RunOptions, child: Supervisor | null): Promise<T> {
    const { deadline, priority = 'verdict' } = options;
    if (this.closed) return Promise.reject(new PoolClosed());
    if (deadline !== undefined && deadline <= Date.now()) return Promise.reject(new DeadlineExceeded(task, 'queue'));
    this.start();
    const failure = child ? child.startFailure : this.startFailure();
    if (failure) return Promise.reject(failure);
    return new Promise<T>((resolve, reject) => {
      const text = { id: this.nextId++, task, args, priority, deadline };
      const request = new Request(text, (value) => resolve(value as T), reject);
      request.atDeadline(() => this.onDeadline(request));
      this.accept(request, child);
    });
  }

  private accept(request: Request, child: Supervisor | null): void {
    if (child) {
      this.pinned.set(child, [...(this.pinned.get(child) ?? []), request]);
      this.dispatch();
      return;
    }
    const free = this.freeFor(request.priority);
    if (free) free.assign(request);
    else this.queue.add(request)?.reject(new Overload(this.options.queueLimit));
  }

  private onDeadline(request: Request): void {
    const waited = this.queue.remove(request) || this.unpin(request);
    request.reject(new DeadlineExceeded(request.task, waited ? 'queue' : 'run'));
    if (!waited) for (const supervisor of this.supervisors) supervisor.giveUp(request);
  }

  private unpin(request: Request): boolean {
    for (const requests of this.pinned.values()) {
      const place = requests.indexOf(request);
      if (place < 0) continue;
      requests.splice(place, 1);
      return true;
    }
    return false;
  }

  private onChange(): void {
    if (this.closed) return;
    this.everReady ||= this.supervisors.some(isUp);
    const failure = this.startFailure();
    if (failure) for (const request of this.queue.takeAll()) request.reject(failure);
    for (const [supervisor, requests] of this.pinned) {
      const { startFailure } = supervisor;
      if (startFailure) for (const request of requests.splice(0)) request.reject(startFailure);
    }
    this.dispatch();
    if (this.state !== this.told) {
      this.told = this.state;
      this.emit('state', this.told);
    }
  }

  private dispatch(): void {
    for (const [supervisor, requests] of this.pinned) {
      const request = supervisor.state === 'idle' ? requests.shift() : undefined;
      if (request) supervisor.assign(request);
    }
    while (this.freeFor('verdict')) {
      const request = this.queue.take(this.freeFor('background') !== null);
      if (!request) return;
      this.freeFor(request.priority)?.assign(request);
    }
  }

  /**
   * A free child. Verdicts go to the first one and background work to the last, so that few children need to load the models;
   * background work leaves one child free when there is more than one.
   */
  private freeFor(priority: Priority): Supervisor | null {
    const free = this.supervisors.filter((supervisor) => supervisor.state === 'idle');
    if (priority === 'verdict') return free.at(0) ?? null;
    const background = this.supervisors.filter((supervisor) => supervisor.running?.priority === 'background').length;
    return background < Math.max(1, this.supervisors.length - 1) ? (free.at(-1) ?? null) : null;
  }

  private startFailure(): InferenceFailed | null {
    const failures = this.supervisors.map((supervisor) => supervisor.startFailure);
    return failures.every((failure) => failure !== null) ? failures[0] : null;
  }

  private async shutDown(): Promise<void> {
    const waiting = [...this.queue.takeAll(), ...[...this.pinned.values()].flatMap((requests) => requests.splice(0))];
    for (const request of waiting) request.reject(new PoolClosed());
    await Promise.all(this.supervisors.map((supervisor) => supervisor.close()));
    this.told = 'closed';
    this.emit('state', 'closed');
  }
}

function isUp(supervisor: Supervisor): boolean {
  return supervisor.state === 'idle' || supervisor.state === 'busy';
}
