export { ComputePool, type ComputePoolOptions, type PoolEvents, type PoolState, type RunOptions } from './compute-pool';
export { DeadlineExceeded, InferenceFailed, Overload, PoolClosed, RuntimeMissing } from './errors';
export { forkModule } from './fork';
export type { Priority } from './request-queue';
export { defaultThreads, loadRuntime, type OnnxRuntime, sessionOptions } from './runtime';
export { Session, type Tensor } from './session';
export { type LoadedSession, SessionCache } from './session-cache';
export type { BackOff, Restart } from './supervisor';
export type { TaskContext, TaskHandler, TaskModule } from './task-handler';
