import type { Priority } from './request-queue';

const LONGEST_TIMER = 2 ** 31 - 1;

export interface RequestText {
  readonly id: number;
  readonly task: string;
  readonly args: unknown;
  readonly priority: Priority;
  /** Epoch milliseconds. */
  readonly deadline?: number;
}

/** One call of `ComputePool.run` on its way; it is settled once, whoever comes first. */
export class Request {
  readonly id: number;
  readonly task: string;
  readonly args: unknown;
  readonly priority: Priority;
  private readonly deadline?: number;
  private timer: NodeJS.Timeout | undefined;
  private open = true;

  constructor(
    text: RequestText,
    private readonly onResult: (value: unknown) => void,
    private readonly onError: (error: Error) => void,
  ) {
    this.id = text.id;
    this.task = text.task;
    this.args = text.args;
    this.priority = text.priority;
    this.deadline = text.deadline;
  }

  /** Calls back at the deadline, unless the request is settled before. */
  atDeadline(onDeadline: () => void): void {
    if (this.deadline === undefined || !this.open) return;
    const left = Math.max(0, this.deadline - Date.now());
    this.timer = setTimeout(
      () => (left > LONGEST_TIMER ? this.atDeadline(onDeadline) : onDeadline()),
      Math.min(left, LONGEST_TIMER),
    );
  }

  resolve(value: unknown): void {
    if (this.close()) this.onResult(value);
  }

  reject(error: Error): void {
    if (this.close()) this.onError(error);
  }

  private close(): boolean {
    const wasOpen = this.open;
    this.open = false;
    clearTimeout(this.timer);
    return wasOpen;
  }
}
