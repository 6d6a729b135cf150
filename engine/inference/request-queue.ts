export type Priority = 'verdict' | 'background';

interface Prioritised {
  readonly priority: Priority;
}

/** Waiting requests, first come first served within a priority, verdicts before everything else. Each priority has its own limit. */
export class RequestQueue<R extends Prioritised> {
  private readonly waiting: Readonly<Record<Priority, R[]>> = { verdict: [], background: [] };

  constructor(
    private readonly limit: number,
    private readonly policy: 'reject' | 'drop-oldest',
  ) {}

  get length(): number {
    return this.waiting.verdict.length + this.waiting.background.length;
  }

  /**
   * Adds a request.
   *
   * @returns the request that has no place: the new one, the oldest of its priority, or null
   */
  add(request: R): R | null {
    const lane = this.waiting[request.priority];
    if (lane.length < this.limit) {
      lane.push(request);
      return null;
    }
    if (this.policy === 'reject' || this.limit === 0) return request;
    lane.push(request);
    return lane.shift() as R;
  }

  /** Takes the next request: the oldest verdict, else the oldest background request when `background` is allowed. */
  take(background: boolean): R | null {
    return this.waiting.verdict.shift() ?? (background ? this.waiting.background.shift() : undefined) ?? null;
  }

  remove(request: R): boolean {
    const lane = this.waiting[request.priority];
    const place = lane.indexOf(request);
    if (place >= 0) lane.splice(place, 1);
    return place >= 0;
  }

  /** Empties the queue. */
  takeAll(): R[] {
    return [...this.waiting.verdict.splice(0), ...this.waiting.background.splice(0)];
  }
}
