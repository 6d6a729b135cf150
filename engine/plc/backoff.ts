import type { Random } from '../domain';

/**
 * Exponential back-off with jitter: the nth wait is between half and the whole of `minimum * 2^n`, at most `maximum`. The
 * jitter keeps many clients from coming back to a restarted device at the same instant.
 */
export class Backoff {
  #attempt = 0;

  constructor(
    private readonly minimumMs: number,
    private readonly maximumMs: number,
    private readonly random: Random = Math.random,
  ) {}

  /** Milliseconds to wait before the next attempt. */
  next(): number {
    const span = Math.min(this.maximumMs, this.minimumMs * 2 ** Math.min(this.#attempt, 30));
    this.#attempt += 1;
    return span / 2 + (span / 2) * this.random();
  }

  /** Starts over after a success. */
  reset(): void {
    this.#attempt = 0;
  }
}
