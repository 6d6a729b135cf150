import { join } from 'node:path';
import { InspectionError, type JobProgress, type ModelKind } from '../domain';
import type { TrainingOrder, TrainingOutcome } from './training-messages';
import { type Ending, WorkProcess } from './work-process';

const childOf = (kind: ModelKind) => join(__dirname, `${kind}-training-child`);

/** The training process ended without a result. */
export class TrainingDied extends InspectionError {
  /** True when something outside (a person, the system short of memory) stopped it; false when it ended by itself. */
  readonly killed: boolean;

  constructor({ code, signal, errorText }: Ending) {
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

/** One training in a process of its own, with the lowest priority. */
export class TrainingProcess extends WorkProcess<JobProgress, TrainingOutcome> {
  constructor(order: TrainingOrder, onProgress: (progress: JobProgress) => void) {
    super({ entry: childOf(order.kind), order, onProgress, died: (ending) => new TrainingDied(ending) });
  }
}
