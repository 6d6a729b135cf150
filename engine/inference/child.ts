/**
 * The child's side of the pool: loads the task modules it is told to and runs one task at a time. It keeps no state worth
 * saving, so the pool may kill it at any moment; it ends itself when the pool's process is gone.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { InspectionError, serializeError } from '../domain';
import type { FromChild, TaskError, ToChild } from './protocol';
import { SessionCache } from './session-cache';
import type { TaskHandler, TaskModule } from './task-handler';

const handlers = new Map<string, TaskHandler>();
let sessions: SessionCache;
let threads = 1;
let current: { readonly id: number; readonly abort: AbortController } | null = null;

process.title = 'opti-quality compute';
process.on('disconnect', () => process.exit());
// Ctrl-C in a terminal and a service manager's stop reach the children too: the pool's process decides when they end.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('message', (message: ToChild) => {
  switch (message.type) {
    case 'start':
      start(message);
      break;
    case 'run':
      void run(message.id, message.task, message.args);
      break;
    case 'abort':
      if (current?.id === message.id) current.abort.abort();
      break;
  }
});

function start(options: Extract<ToChild, { type: 'start' }>): void {
  try {
    limitSharp();
    sessions = new SessionCache(options.memoryCapBytes, tellLoading);
    threads = options.threads;
    for (const module of options.taskModules) addTasks(module);
    tell({ type: 'ready' });
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    tell({ type: 'start-failed', message }, () => process.exit(1));
  }
}

/**
 * One libvips thread and no operation cache: pictures come one at a time and never twice, a second thread gains nothing on
 * one small picture but takes a core from the session, and the cache would only grow.
 */
function limitSharp(): void {
  const sharp = require('sharp') as typeof import('sharp');
  sharp.concurrency(1);
  sharp.cache(false);
}

function addTasks(path: string): void {
  const { tasks } = require(path) as Partial<TaskModule>;
  if (!tasks) throw new Error(`The task module ${path} does not export "tasks".`);
  for (const [name, handler] of Object.entries(tasks)) {
    if (handlers.has(name)) throw new Error(`The task ${name} is defined twice, the second time in ${path}.`);
    handlers.set(name, handler);
  }
}

async function run(id: number, task: string, args: unknown): Promise<void> {
  const abort = new AbortController();
  current = { id, abort };
  let answer: FromChild;
  try {
    const handler = handlers.get(task);
    if (!handler)
      throw new Error(`There is no task ${JSON.stringify(task)}. Known: ${[...handlers.keys()].join(', ')}.`);
    const value = await handler(args as never, { sessions, signal: abort.signal, threads });
    answer = { type: 'result', id, value };
  } catch (error) {
    answer = { type: 'error', id, error: describe(error) };
  }
  await sessions.endUse().catch((error) => console.error('A session could not be disposed:', error));
  current = null;
  try {
    tell(answer);
  } catch (error) {
    tell({ type: 'error', id, error: describe(error) });
  }
}

function describe(error: unknown): TaskError {
  if (error instanceof InspectionError) return { typed: true, text: serializeError(error) };
  if (!(error instanceof Error)) return { typed: false, message: String(error), stack: '' };
  return { typed: false, message: error.message, stack: error.stack ?? '' };
}

/** After a load it lets a waiting `abort` in, so that nobody works on for a request that was given up meanwhile. */
async function tellLoading(loading: boolean): Promise<void> {
  tell({ type: 'loading', loading });
  await nextTurn();
}

function tell(message: FromChild, sent: () => void = () => {}): void {
  // The callback takes the error of a channel that closed; `disconnect` ends this process.
  process.send?.(message, undefined, undefined, sent);
}
