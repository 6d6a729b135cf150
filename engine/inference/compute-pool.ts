import { EventEmitter } from 'node:events';
import { PoolClosed } from './errors';

export type Priority = 'verdict' | 'background';
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
}

export interface RunOptions {
  /** Epoch milliseconds; without one the request may take as long as it takes. */
  readonly deadline?: number;
  /** `verdict` by default. `background` requests run only while no verdict request waits. */
  readonly priority?: Priority;
}

export interface Restart {
  readonly cause: 'crash' | 'deadline' | 'start-failed';
  readonly message: string;
  /** Milliseconds until the replacement starts. */
  readonly delay: number;
}

export interface PoolEvents {
  state: [state: PoolState];
  /** A child ended and is being replaced; its sessions are gone. */
  restart: [restart: Restart];
  /** One line a child wrote to stdout or stderr. */
  output: [line: string];
}

/** Runs tasks in child processes: overload, deadlines and crashes end in typed errors, never in a hanging promise. */
export class ComputePool extends EventEmitter<PoolEvents> {
  constructor(readonly options: ComputePoolOptions) {
    super();
  }
  get state(): PoolState {
    return 'starting';
  }
  /** Requests waiting. */
  get queued(): number {
    return 0;
  }
  /** Requests running. */
  get running(): number {
    return 0;
  }
  /** Children replaced since the start. */
  get restarts(): number {
    return 0;
  }
  /** Process ids of the living children. */
  get pids(): readonly number[] {
    return [];
  }
  warmUp(): Promise<void> {
    return Promise.reject(new PoolClosed());
  }
  run<T>(_task: string, _args: unknown, _options: RunOptions = {}): Promise<T> {
    return Promise.reject(new PoolClosed());
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}
