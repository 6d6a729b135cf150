import { EventEmitter } from 'node:events';
import type { Frame, FrameSource, FrameSourceEvents, FrameSourceState, FrameSourceStatus } from './frame-source';

/** Holds a source's status and tells its changes. */
export abstract class BaseSource extends EventEmitter<FrameSourceEvents> implements FrameSource {
  private current: FrameSourceStatus = { state: 'connecting', reconnects: 0 };

  get status(): FrameSourceStatus {
    return this.current;
  }

  abstract next(signal: AbortSignal): Promise<Frame>;
  abstract close(): Promise<void>;

  protected tell(state: FrameSourceState, message?: string): void {
    this.update({ ...this.current, state, message });
  }

  protected countReconnect(): void {
    this.update({ ...this.current, reconnects: this.current.reconnects + 1 });
  }

  /** After a success: `ready`, and a reconnect when the source was unavailable before. */
  protected tellSuccess(): void {
    if (this.current.state === 'unavailable') this.countReconnect();
    this.tell('ready');
  }

  private update(next: FrameSourceStatus): void {
    const { state, reconnects, message } = this.current;
    if (state === 'closed') return;
    if (next.state === state && next.reconnects === reconnects && next.message === message) return;
    this.current = next;
    this.emit('status', next);
  }
}
