import type { Clock } from '../domain';
import type { RetentionPolicy, Store } from '../store';

const FIRST_MS = 30_000;
const INTERVAL_MS = 15 * 60_000;

/** Applies the retention soon after the start and then every quarter of an hour. */
export class RetentionTimer {
  private timer: NodeJS.Timeout;
  private running: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(
    private readonly store: Pick<Store, 'applyRetention'>,
    private readonly policy: RetentionPolicy,
    private readonly clock: Clock,
    private readonly onFault: (error: unknown) => void,
  ) {
    this.timer = this.schedule(FIRST_MS);
  }

  /** Resolves when the run under way has ended. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private schedule(milliseconds: number): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.running = this.run();
    }, milliseconds);
    return timer.unref();
  }

  private async run(): Promise<void> {
    try {
      await this.store.applyRetention(this.policy, this.clock.now());
    } catch (error) {
      this.onFault(error);
    }
    if (!this.closed) this.timer = this.schedule(INTERVAL_MS);
  }
}
