import type { ErrorParameters, GateDecision, Job, JobLine } from '../domain';
import type { VersionFate } from './version-policy';

const KEPT_LINES = 200;

/** What is told of a job, without its time. */
export type JobNews = Omit<JobLine, 'at'>;

/** The job with one more line in its log. */
export function logged(job: Job, at: string, news: JobNews): Job {
  return { ...job, log: [...(job.log ?? []), { at, ...news }].slice(-KEPT_LINES) };
}

/** A line with a text and what translations of it need. */
export function news(code: string, text: string, parameters?: ErrorParameters): JobNews {
  return { code, text, ...(parameters && { parameters }) };
}

export const CANCELLED = news('cancelled', 'Cancelled.');
export const INTERRUPTED = news('interrupted', 'Interrupted.');

/** What the gate says of a version. */
export function judgedLine({ accepted, reasons }: GateDecision): JobNews {
  const why = reasons.map(({ message }) => message).join(' ');
  return accepted
    ? news('judged-accepted', `The gate accepts the version. ${why}`.trim(), { reasons: why })
    : news('judged-refused', `The gate refuses the version. ${why}`.trim(), { reasons: why });
}

/** Pictures that were learnt, and are labelled good no more. */
export function forgottenLine(names: readonly string[]): JobNews {
  const [count, pictures] = [names.length, names.join(', ')];
  const what = count === 1 ? '1 picture' : `${count} pictures`;
  const whom = count === 1 ? 'it' : 'them';
  const text = `What was learnt from ${what} was forgotten, because nobody calls ${whom} good any more: ${pictures}.`;
  return news('forgotten', text, { count, pictures });
}

/** What becomes of a version. */
export function fateLine(fate: VersionFate, version: string): JobNews {
  const texts = {
    deployed: `Version ${version} is in production.`,
    awaiting: `Version ${version} waits for a person.`,
    refused: `Version ${version} is not deployed.`,
    none: `Version ${version} is made; its deployment was not asked for.`,
  };
  return news(fate === 'none' ? 'measured' : fate, texts[fate], { version });
}

/** How a job ended. */
export function lastLineOf({ state, error }: Job): JobNews {
  switch (state) {
    case 'cancelled':
      return CANCELLED;
    case 'interrupted':
      return INTERRUPTED;
    case 'failed':
      return news('failed', `Failed: ${error?.message}`, { detail: error?.message ?? '' });
    default:
      return news('completed', 'Completed.');
  }
}
