import { EventEmitter } from 'node:events';

export interface CaptureQueueEvents<T> {
  /** A trigger that found the queue full; `total` counts all of them. */
  missed: [trigger: T, total: number];
  /** `capture` rejected. */
  failed: [error: unknown, trigger: T];
  /** The number of waiting triggers, or busy, changed. */
  changed: [];
}

/**
 * One capture at a time; triggers that come meanwhile wait in order, up to a limit, and those beyond are counted as missed
 * and reported, never silently lost.
 */
export class CaptureQueue<T> extends EventEmitter<CaptureQueueEvents<T>> {
  private readonly triggers: T[] = [];
  private working = false;
  private inProgress: Promise<void> = Promise.resolve();
  private missedCount = 0;
  private closed = false;

  /**
   * @param limit   triggers that may wait, >= 0
   * @param capture does one capture; a rejection is told by `failed` and the next trigger goes on
   */
  constructor(
    private readonly limit: number,
    private readonly capture: (trigger: T) => Promise<void>,
  ) {
    super();
    if (!Number.isInteger(limit) || limit < 0) throw new RangeError(`limit must be an integer >= 0, got ${limit}`);
  }

  get busy(): boolean {
    return this.working;
  }

  get waiting(): number {
    return this.triggers.length;
  }

  get missed(): number {
    return this.missedCount;
  }

  /** Takes a trigger: starts it at once, lets it wait, or counts it as missed (also after `close`). */
  offer(trigger: T): 'started' | 'queued' | 'missed' {
    if (this.closed || (this.busy && this.triggers.length >= this.limit)) {
      this.missedCount++;
      this.emit('missed', trigger, this.missedCount);
      return 'missed';
    }
    this.triggers.push(trigger);
    if (this.busy) {
      this.emit('changed');
      return 'queued';
    }
    this.inProgress = this.work();
    return 'started';
  }

  /** Takes no more triggers, waits for the capture in progress, and gives back the triggers that were still waiting. */
  async close(): Promise<readonly T[]> {
    this.closed = true;
    const left = this.triggers.splice(0);
    await this.inProgress;
    return left;
  }

  private async work(): Promise<void> {
    this.working = true;
    while (this.triggers.length > 0) {
      const trigger = this.triggers.shift() as T;
      this.emit('changed');
      try {
        await this.capture(trigger);
      } catch (error) {
        this.emit('failed', error, trigger);
      }
    }
    this.working = false;
    this.emit('changed');
  }
}
