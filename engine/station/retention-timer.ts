import type { Clock } from '../domain';
import type { RetentionPolicy, Store } from '../store';

const FIRST_MS = 30_000;
const INTERVAL_MS = 15 * 60_000;

/** Applies the retention and removes for good what was deleted long ago, soon after the start and then every quarter of an hour. */
export class RetentionTimer {
  private timer: NodeJS.Timeout;
  private running: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(
    private readonly store: Pick<Store, 'applyRetention'>,
    private readonly policy: RetentionPolicy,
    private readonly clock: Clock,
    private readonly onFault: (error: unknown) => void,
    /** What else is removed when its time is over. */
    private readonly purges: readonly (() => Promise<unknown>)[] = [],
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
    const retain = () => this.store.applyRetention(this.policy, this.clock.now());
    for (const remove of [retain, ...this.purges]) {
      if (!this.closed) await remove().catch(this.onFault);
    }
    if (!this.closed) this.timer = this.schedule(INTERVAL_MS);
  }
}
