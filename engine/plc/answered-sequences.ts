import type { Inspection } from '../domain';

/** What a result is to the answer its sequence has: there is none yet, it is the same, or it is another. */
export type AnswerKind = 'first' | 'repeated' | 'contradicting';

interface Answer {
  readonly inspection: string;
  readonly verdict: string | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

const REMEMBERED = 64;

/**
 * The sequences of one result block that were answered of late. The PLC acts on the first answer, so a later one must not
 * differ. A sequence that comes round again is told by its inspection, which began after the earlier answer.
 */
export class AnsweredSequences {
  private readonly answers = new Map<number, Answer>();

  /** Tells what a verdict is to its sequence, and notes it when it is the first. A person may overrule the line. */
  answer(sequence: number, { id, capturedAt, decision }: Inspection): AnswerKind {
    const earlier = this.answers.get(sequence);
    const verdict = decision?.verdict;
    if (earlier && Date.parse(capturedAt) <= earlier.at) {
      if (earlier.inspection === id && earlier.verdict === verdict) return 'repeated';
      if (earlier.inspection !== id || decision?.by !== 'human') return 'contradicting';
    }
    this.answers.delete(sequence);
    this.answers.set(sequence, { inspection: id, verdict, at: Date.now() });
    if (this.answers.size > REMEMBERED) this.answers.delete(this.answers.keys().next().value as number);
    return 'first';
  }
}
