import type { ChildProcess } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { type ErrorText, InspectionError } from '../domain';
import { forkModule } from '../inference';
import type { WorkMessage } from './work-messages';

const KEPT_ERROR_TEXT = 4000;

/** How a process ended that had no result. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last it wrote to stderr. */
  readonly errorText: string;
}

export interface Work<Progress> {
  /** Module that calls `serveWork`; absolute path without extension. */
  readonly entry: string;
  readonly order: object;
  readonly onProgress: (progress: Progress) => void;
  /** The error for a process that ended without a result. */
  readonly died: (ending: Ending) => Error;
}

/** An error that happened in the process. */
class WorkFailed extends InspectionError {}

/** One piece of long work in a process of its own, with the lowest priority. */
export class WorkProcess<Progress, Result> {
  readonly #child: ChildProcess;
  /** Settles when the process is gone. @throws what `died` makes, or the error it reported */
  readonly result: Promise<Result>;

  constructor(work: Work<Progress>) {
    this.#child = forkModule(work.entry, [], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    // At once: threads inherit the priority the process has when they start.
    if (this.#child.pid !== undefined) lowerPriority(this.#child.pid);
    this.result = this.#follow(work);
    if (this.#child.connected) this.#child.send(work.order, () => {});
  }

  /** Ends the process now; `result` rejects once it is gone. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #follow({ onProgress, died }: Work<Progress>): Promise<Result> {
    const child = this.#child;
    let errorText = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errorText = (errorText + text).slice(-KEPT_ERROR_TEXT);
    });
    let done: { readonly result: Result } | undefined;
    let failed: ErrorText | undefined;
    child.on('message', (message: WorkMessage<Progress, Result>) => {
      if (message.kind === 'progress') onProgress(message.progress);
      else if (message.kind === 'done') done = message;
      else failed = message.error;
    });
    return new Promise((resolve, reject) => {
      // More than one may come: the process cannot be started, and then it cannot be killed.
      child.on('error', reject);
      // 'close' comes after the exit, and after the last message and the last of stderr were read.
      child.once('close', (code, signal) => {
        if (done) resolve(done.result);
        else if (failed) reject(new WorkFailed(failed));
        else reject(died({ code, signal, errorText: errorText.trim() }));
      });
    });
  }
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // The process ended already, or the system does not allow it: the work then competes as an equal.
  }
}
