import { join } from 'node:path';
import { type GateReport, InspectionError, type JobProgress } from '../../domain';
import { type Ending, WorkProcess } from '../work-process';
import type { GateOrder } from './gate-order';
import { emptyReport } from './report';

/** Of the process that judges and compares versions. */
export const COMPARING_CHILD = join(__dirname, '..', 'comparing-child');

/** The process that compared versions ended without a result. */
export class ComparingDied extends InspectionError {
  /** True when something outside stopped it; false when it ended by itself. */
  readonly killed: boolean;

  constructor({ code, signal, errorText }: Ending) {
    const ending = signal ?? `exit code ${code}`;
    const tail = errorText === '' ? '' : ` Its last words: ${errorText}`;
    super({
      code: 'comparing-died',
      status: 'comparison ended early',
      message: `The process that compared the versions was ended (${ending}) before it had a result; nothing was changed. Ask for it again; if it ends once more, the system may be short of memory.${tail}`,
      parameters: { ending, output: errorText === '' ? '-' : errorText },
    });
    this.killed = signal !== null;
  }
}

/**
 * Judges a candidate in a process of its own, with the lowest priority; at once when there is nothing to look at.
 *
 * @param onProgress 0..100 over the judging
 * @param signal     ends the process at once
 * @throws {ComparingDied} when the process was ended from outside
 * @throws the signal's reason when it is aborted, and what `judge` throws
 */
export async function judgeCandidate(
  order: GateOrder,
  onProgress: (progress: JobProgress) => void,
  signal: AbortSignal,
): Promise<GateReport> {
  return emptyReport(order) ?? inComparingChild<JobProgress, GateReport>(order, onProgress, signal);
}

/** @throws as `judgeCandidate` */
export async function inComparingChild<Progress, Result>(
  order: object,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Result> {
  signal.throwIfAborted();
  const died = (ending: Ending) => new ComparingDied(ending);
  const work = new WorkProcess<Progress, Result>({ entry: COMPARING_CHILD, order, onProgress, died });
  const kill = () => work.kill();
  signal.addEventListener('abort', kill, { once: true });
  try {
    return await work.result;
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', kill);
  }
}
