import type { DeclineCause, ReviewStats } from '../../engine/domain';
import type { InspectionNode } from '../shared';

/** How much waits, and what was not taken today. */
export interface QueueCounts {
  readonly stats: ReviewStats;
  readonly declined: Readonly<Record<DeclineCause, number>>;
}

/** Tells status and second output how much waits; changes in quick succession are told as one. */
export class Announcer {
  private state: 'idle' | 'reading' | 'stale' | 'closed' = 'idle';

  constructor(
    private readonly node: InspectionNode,
    private readonly counts: () => Promise<QueueCounts>,
  ) {}

  changed(): void {
    if (this.state === 'reading') this.state = 'stale';
    if (this.state === 'idle') void this.read();
  }

  close(): void {
    this.state = 'closed';
  }

  private async read(): Promise<void> {
    this.state = 'reading';
    try {
      const counts = await this.counts();
      if (!this.ended) this.tell(counts);
    } catch (error) {
      if (!this.ended) this.node.fail(error);
    }
    const again = this.stale;
    if (!this.ended) this.state = 'idle';
    if (again) this.changed();
  }

  private get ended(): boolean {
    return this.state === 'closed';
  }

  private get stale(): boolean {
    return this.state === 'stale';
  }

  private tell({ stats, declined }: QueueCounts): void {
    const { state, translation } = this.node;
    const { pending, labelled, approved, rejected, skipped } = stats;
    const waiting =
      pending > 0
        ? translation.shared('status.pending', '__count__ to review', { count: pending })
        : translation.shared('status.nothing-pending', 'nothing to review');
    const left = Object.values(declined).reduce((sum, count) => sum + count, 0);
    const notTaken = translation.shared('status.declined', '__count__ not taken today', { count: left });
    const text = left > 0 ? `${waiting} · ${notTaken}` : waiting;
    if (pending > 0) state.degraded(text);
    else state.ready(text);
    this.node.send([null, { topic: 'queue', payload: { pending, labelled, approved, rejected, skipped, declined } }]);
  }
}
