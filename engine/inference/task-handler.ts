import type { SessionCache } from './session-cache';

/** What a task may use besides its arguments. */
export interface TaskContext {
  /** Models and other things worth keeping between tasks of this process. */
  readonly sessions: SessionCache;
  /** Aborted when the request's deadline passed while a session was loading; long handlers look at it between steps. */
  readonly signal: AbortSignal;
  /** Threads a session shall use; goes into `sessionOptions`. */
  readonly threads: number;
}

/** Runs in a child process. Arguments and result must be structured-cloneable; Buffers arrive as Buffers. */
export type TaskHandler = (args: never, context: TaskContext) => Promise<unknown>;

/** What a module named in `ComputePoolOptions.taskModules` exports. Names are unique over all modules of a pool. */
export interface TaskModule {
  readonly tasks: Readonly<Record<string, TaskHandler>>;
}
