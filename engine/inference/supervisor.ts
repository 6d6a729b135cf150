import { EventEmitter } from 'node:events';
import { InspectionError, InvalidInput } from '../domain';
import { ComputeProcess } from './compute-process';
import { InferenceFailed, PoolClosed } from './errors';
import { ownBytes } from './owned-bytes';
import type { TaskError, ToChild } from './protocol';
import type { Request } from './request';

/** A child that is not ready after this long is ended; a machine under full load needs a few seconds. */
const START_LIMIT_MS = 60_000;
/** A session that is not loaded after this long, when nobody waits for it any more, is given up. */
const LOAD_LIMIT_MS = 60_000;
/** Time for the rest of an overdue task that loaded a session. */
const REST_LIMIT_MS = 2_000;
/** A child that ran this long counts as healthy: its end starts the back-off anew. */
const HEALTHY_MS = 60_000;

export interface BackOff {
  /** Milliseconds before the second restart in a row; the first is immediate. Doubles with each further one. */
  readonly firstMs: number;
  readonly maxMs: number;
}

export interface Restart {
  readonly cause: 'crash' | 'deadline' | 'start-failed';
  readonly message: string;
  /** Milliseconds until the replacement starts. */
  readonly delay: number;
}

export interface SupervisorEvents {
  /** `state` or `startFailure` changed. */
  change: [];
  restart: [restart: Restart];
  output: [line: string];
}

/** Keeps one child alive: starts it, gives it one request at a time, and replaces it when it dies or is overdue. */
export class Supervisor extends EventEmitter<SupervisorEvents> {
  private process: ComputeProcess | null = null;
  private current: 'stopped' | 'starting' | 'idle' | 'busy' | 'pausing' | 'closed' = 'stopped';
  private request: Request | null = null;
  private overdue = false;
  private loading = false;
  /** The running request loaded a session. */
  private cold = false;
  private killedAtDeadline = false;
  private startMessage: string | null = null;
  private failures = 0;
  private readySince = 0;
  private restartCount = 0;
  private failure: InferenceFailed | null = null;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly startOptions: Extract<ToChild, { type: 'start' }>,
    private readonly backOff: BackOff,
  ) {
    super();
  }

  get state(): 'stopped' | 'starting' | 'idle' | 'busy' | 'pausing' | 'closed' {
    return this.current;
  }

  /** Why no child can be started; null while one runs or there is hope. */
  get startFailure(): InferenceFailed | null {
    return this.failure;
  }

  get restarts(): number {
    return this.restartCount;
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }

  get running(): Request | null {
    return this.request;
  }

  start(): void {
    if (this.current === 'stopped') this.spawn();
  }

  /** Runs a request; only while `idle`. */
  assign(request: Request): void {
    try {
      this.process?.send({ type: 'run', id: request.id, task: request.task, args: request.args });
    } catch (error) {
      request.reject(new InvalidInput(`The arguments of ${request.task} cannot be sent to another process: ${error}`));
      return;
    }
    this.request = request;
    this.overdue = false;
    this.cold = false;
    this.setState('busy');
  }

  /**
   * Gives up the running request. Its child is killed, for a run cannot be stopped otherwise; only when it is loading a session,
   * or did so for this request, it may finish, or a model whose first use takes longer than the deadline would never be ready.
   */
  giveUp(request: Request): void {
    if (this.request !== request || this.overdue) return;
    this.overdue = true;
    if (!this.cold) {
      this.killAtDeadline();
      return;
    }
    this.process?.send({ type: 'abort', id: request.id });
    this.setTimer(this.loading ? LOAD_LIMIT_MS : REST_LIMIT_MS, () => this.killAtDeadline());
  }

  /** Ends the child at once and resolves when it is gone. */
  async close(): Promise<void> {
    this.clearTimer();
    this.request?.reject(new PoolClosed());
    this.request = null;
    this.setState('closed');
    await this.process?.kill();
  }

  private spawn(): void {
    this.startMessage = null;
    this.killedAtDeadline = false;
    let child: ComputeProcess;
    try {
      child = new ComputeProcess(this.startOptions);
    } catch (error) {
      // No memory or no file handles left: trying again later may help.
      this.current = 'starting';
      this.onExit(`could not be started (${error instanceof Error ? error.message : error})`, '');
      return;
    }
    this.process = child;
    child.on('ready', () => this.onReady());
    child.on('start-failed', (message) => {
      this.startMessage = message;
    });
    child.on('loading', (loading) => this.onLoading(loading));
    child.on('result', (id, value) => this.onAnswer(id, (request) => request.resolve(ownBytes(value))));
    child.on('failed', (id, error) => this.onAnswer(id, (request) => request.reject(revive(request.task, error))));
    child.on('output', (line) => this.emit('output', line));
    child.on('exit', (how) => this.onExit(how, child.lastOutput));
    this.setTimer(START_LIMIT_MS, () => void child.kill());
    this.setState('starting');
  }

  private onReady(): void {
    if (this.current !== 'starting') return;
    this.clearTimer();
    this.readySince = Date.now();
    this.failure = null;
    this.setState('idle');
  }

  private onLoading(loading: boolean): void {
    this.loading = loading;
    this.cold = true;
    if (!this.overdue || !this.request) return;
    this.setTimer(loading ? LOAD_LIMIT_MS : REST_LIMIT_MS, () => this.killAtDeadline());
  }

  private onAnswer(id: number, settle: (request: Request) => void): void {
    const request = this.request;
    if (request?.id !== id) return;
    this.clearTimer();
    this.request = null;
    this.failures = 0;
    settle(request);
    // An overdue child is being killed: its end makes room for the next.
    if (!this.killedAtDeadline) this.setState('idle');
  }

  private onExit(how: string, lastOutput: string): void {
    this.process = null;
    this.clearTimer();
    if (this.current === 'closed') return;
    const restart = this.describeEnd(how, lastOutput);
    this.request?.reject(new InferenceFailed(restart.message));
    this.request = null;
    this.loading = false;
    this.overdue = false;
    this.restartCount++;
    if (restart.delay === 0) {
      this.spawn();
    } else {
      this.setTimer(restart.delay, () => this.spawn());
      this.setState('pausing');
    }
    this.emit('restart', restart);
  }

  private describeEnd(how: string, lastOutput: string): Restart {
    const started = this.current !== 'starting';
    const output = lastOutput === '' ? '' : ` Its last output:\n${lastOutput}`;
    if (this.killedAtDeadline) {
      return { cause: 'deadline', message: 'The inference process was ended because a request was overdue.', delay: 0 };
    }
    if (started && Date.now() - this.readySince >= HEALTHY_MS) this.failures = 0;
    this.failures++;
    const delay =
      this.failures <= 1 ? 0 : Math.min(this.backOff.maxMs, this.backOff.firstMs * 2 ** (this.failures - 2));
    if (started) {
      const during = this.request === null ? '' : ` while it ran ${this.request.task}`;
      const message = `The inference process ${how}${during}. It is started again; a part inspected meanwhile gets the fail-safe verdict.${output}`;
      return { cause: 'crash', message, delay };
    }
    const reason = this.startMessage ?? `it ${how}.${output}`;
    const message = `The inference process cannot start: ${reason}`;
    const hopeless = this.startMessage !== null || this.failures >= 2;
    if (hopeless) this.failure = new InferenceFailed(message);
    return { cause: 'start-failed', message, delay: hopeless ? Math.max(delay, this.backOff.firstMs) : delay };
  }

  private killAtDeadline(): void {
    this.killedAtDeadline = true;
    void this.process?.kill();
  }

  private setState(state: Supervisor['current']): void {
    this.current = state;
    this.emit('change');
  }

  private setTimer(milliseconds: number, action: () => void): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(action, milliseconds);
  }

  private clearTimer(): void {
    clearTimeout(this.timer);
  }
}

function revive(task: string, error: TaskError): Error {
  if (error.typed) return new InspectionError(error.text);
  return new InferenceFailed(`${task} failed: ${error.message}`, error.stack);
}
