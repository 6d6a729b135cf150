import { availableParallelism } from 'node:os';
import type * as Runtime from 'onnxruntime-node';
import { RuntimeMissing } from './errors';

export type OnnxRuntime = typeof Runtime;

/**
 * The onnxruntime-node module. It is an optional dependency, so nobody imports it directly. Call it in child processes only:
 * `session.run` blocks its thread for the whole inference.
 *
 * @throws {RuntimeMissing} when it is not installed or its native part does not load
 */
export function loadRuntime(load: () => unknown = () => require('onnxruntime-node')): OnnxRuntime {
  try {
    return load() as OnnxRuntime;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND';
    const detail = missing ? 'the package onnxruntime-node is not installed' : firstLine(error);
    throw new RuntimeMissing(detail, error);
  }
}

/** Threads for one session: all cores but one, which stays free for the main process; shared among `processes`, at least 1. */
export function defaultThreads(processes = 1): number {
  return Math.max(1, Math.floor((availableParallelism() - 1) / processes));
}

/**
 * Session options for steady latency beside Node-RED: `threads` threads that sleep instead of spinning between runs, and
 * one execution provider, the CPU.
 */
export function sessionOptions(threads: number): Runtime.InferenceSession.SessionOptions {
  return {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
  };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0];
}
