import type { Inspection } from '../domain';

/** Takes the verdicts that no node of the flow has made: deadline, failed capture, interrupted inspections. */
export interface Outlet {
  /** Id of the flow tab. */
  readonly route: string;
  emit(inspection: Inspection, picture?: Buffer): void;
}

export interface OutletsOptions {
  /** Notes that a kept verdict is sent on now. @returns false when it was sent already */
  readonly claim: (id: string) => Promise<boolean>;
  readonly readPicture: (inspection: Inspection) => Promise<Buffer | undefined>;
  readonly onFault: (error: unknown) => void;
  /** How long a first outlet waits for others of the same deployment to register. */
  readonly gatherMs?: number;
}

interface Kept {
  readonly inspection: Inspection;
  readonly route: string;
  /** The store says already that it was sent on. */
  readonly claimed: boolean;
}

const MOST_KEPT = 1000;

/** Hands verdicts to the flow they belong to, and keeps them while no flow takes any. */
export class Outlets {
  private readonly outlets: Outlet[] = [];
  private kept: Kept[] = [];
  private gatherTimer: NodeJS.Timeout | null = null;
  private handingOver: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(private readonly options: OutletsOptions) {}

  /** True while a verdict can be sent on at once. */
  get ready(): boolean {
    return this.outlets.length > 0 && !this.closed;
  }

  /** @returns a function that removes the outlet */
  register(outlet: Outlet): () => void {
    this.outlets.push(outlet);
    if (this.kept.length > 0) this.handOverSoon();
    return () => {
      const place = this.outlets.indexOf(outlet);
      if (place >= 0) this.outlets.splice(place, 1);
    };
  }

  /** Sends a verdict on, or keeps it until an outlet registers. @param claimed what the store says about it */
  deliver(inspection: Inspection, route: string, claimed: boolean, picture?: Buffer): void {
    const outlet = claimed ? this.outletFor(route) : undefined;
    if (outlet) this.emit(outlet, inspection, picture);
    else this.keep(inspection, route, claimed);
  }

  /** Keeps a verdict until an outlet registers; the oldest ones make room. */
  keep(inspection: Inspection, route: string, claimed: boolean): void {
    if (this.closed) return;
    this.kept.push({ inspection, route, claimed });
    if (this.kept.length > MOST_KEPT) this.kept.shift();
    if (this.ready) this.handOverSoon();
  }

  /** @returns the verdicts marked as sent on that nobody took */
  async close(): Promise<readonly Inspection[]> {
    this.closed = true;
    if (this.gatherTimer) clearTimeout(this.gatherTimer);
    await this.handingOver;
    const stranded = this.kept.filter(({ claimed }) => claimed).map(({ inspection }) => inspection);
    this.kept = [];
    this.outlets.length = 0;
    return stranded;
  }

  private outletFor(route: string): Outlet | undefined {
    if (this.closed) return undefined;
    return this.outlets.find((outlet) => outlet.route === route) ?? this.outlets[0];
  }

  private handOverSoon(): void {
    if (this.closed) return;
    this.gatherTimer ??= setTimeout(() => {
      this.gatherTimer = null;
      this.handingOver = this.handingOver.then(() => this.handOver());
    }, this.options.gatherMs ?? 250);
  }

  private async handOver(): Promise<void> {
    while (this.ready) {
      const next = this.kept.shift();
      if (!next) return;
      const { inspection, route } = next;
      try {
        if (!next.claimed && !(await this.options.claim(inspection.id))) continue;
      } catch (error) {
        this.options.onFault(error);
        this.kept.unshift(next);
        return;
      }
      const picture = await this.options.readPicture(inspection).catch(() => undefined);
      const outlet = this.outletFor(route);
      if (outlet) this.emit(outlet, inspection, picture);
      else this.kept.unshift({ ...next, claimed: true });
    }
  }

  private emit(outlet: Outlet, inspection: Inspection, picture?: Buffer): void {
    try {
      outlet.emit(inspection, picture);
    } catch (error) {
      this.options.onFault(error);
    }
  }
}
