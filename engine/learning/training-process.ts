import type { ChildProcess } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { type ErrorText, InspectionError, type JobProgress, type ModelKind } from '../domain';
import { forkModule } from '../inference';
import type { TrainingMessage, TrainingOrder, TrainingOutcome } from './training-messages';

const childOf = (kind: ModelKind) => join(__dirname, `${kind}-training-child`);
const KEPT_ERROR_TEXT = 4000;

/** The training process ended without a result. */
export class TrainingDied extends InspectionError {
  /** True when something outside (a person, the system short of memory) stopped it; false when it ended by itself. */
  readonly killed: boolean;

  constructor(code: number | null, signal: NodeJS.Signals | null, errorText: string) {
    const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
    const hint =
      signal === 'SIGKILL' ? ' The system may be short of memory: train with fewer pictures or add memory.' : '';
    const tail = errorText === '' ? '' : ` Its last words: ${errorText}`;
    super({
      code: 'training-died',
      status: 'training ended early',
      message: `The training process was ended ${how} before it had a result; nothing was changed.${hint}${tail}`,
      parameters: { ending: signal ?? `exit code ${code}`, output: errorText === '' ? '-' : errorText },
    });
    this.killed = signal !== null;
  }
}

/** An error that happened in the training process. */
class TrainingFailed extends InspectionError {}

/** One training in a process of its own, with the lowest priority. */
export class TrainingProcess {
  readonly #child: ChildProcess;
  /** Settles when the process is gone. @throws {TrainingDied} or the error it reported */
  readonly result: Promise<TrainingOutcome>;

  constructor(order: TrainingOrder, onProgress: (progress: JobProgress) => void) {
    this.#child = forkModule(childOf(order.kind), [], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    // At once: threads inherit the priority the process has when they start.
    if (this.#child.pid !== undefined) lowerPriority(this.#child.pid);
    this.result = this.#follow(onProgress);
    if (this.#child.connected) this.#child.send(order, () => {});
  }

  /** Ends the process now; `result` rejects once it is gone. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #follow(onProgress: (progress: JobProgress) => void): Promise<TrainingOutcome> {
    const child = this.#child;
    let errorText = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errorText = (errorText + text).slice(-KEPT_ERROR_TEXT);
    });
    let done: TrainingOutcome | undefined;
    let failed: ErrorText | undefined;
    child.on('message', (message: TrainingMessage) => {
      if (message.kind === 'progress') onProgress(message.progress);
      else if (message.kind === 'done') done = message;
      else failed = message.error;
    });
    return new Promise((resolve, reject) => {
      // More than one may come: the process cannot be started, and then it cannot be killed.
      child.on('error', reject);
      // 'close' comes after the exit, and after the last message and the last of stderr were read.
      child.once('close', (code, signal) => {
        if (done) resolve(done);
        else if (failed) reject(new TrainingFailed(failed));
        else reject(new TrainingDied(code, signal, errorText.trim()));
      });
    });
  }
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // The process ended already, or the system does not allow it: training then competes as an equal.
  }
}
