import { type Clock, systemClock } from '../domain';

/**
 * Knows which answers are due, to tell whether the inspection loop still turns: `stalled` while an answer is overdue and
 * nothing that began later has been answered. One lost part thus does not count for ever, a dead loop does.
 */
export class LineWatch {
  /** Due times by key, in the order of their beginning. */
  readonly #due = new Map<string, number>();

  constructor(private readonly clock: Clock = systemClock) {}

  /** An answer for `key` is expected until `dueAt` (milliseconds since the epoch). */
  expect(key: string, dueAt: number): void {
    this.#due.delete(key);
    this.#due.set(key, dueAt);
  }

  /** `key` is answered; what began before it is no longer waited for. */
  answered(key: string): void {
    if (!this.#due.has(key)) return;
    for (const earlier of [...this.#due.keys()]) {
      this.#due.delete(earlier);
      if (earlier === key) return;
    }
  }

  /** True while an answer is overdue. */
  get stalled(): boolean {
    return this.overdue > 0;
  }

  /** How many answers are overdue. */
  get overdue(): number {
    const now = this.clock.now();
    let count = 0;
    for (const dueAt of this.#due.values()) if (dueAt < now) count += 1;
    return count;
  }
}
