import type { Inspection } from '../domain';
import { NoOutlet } from './errors';

/** Takes the verdicts that no node of the flow has made: deadline, failed capture, interrupted inspections. */
export interface Outlet {
  /** Id of the flow tab. */
  readonly route: string;
  /** @param late the verdict was kept for a while, over a deploy or a restart: its part may be gone */
  emit(inspection: Inspection, picture: Buffer | undefined, late: boolean): void;
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
const LONGEST_PAUSE_MS = 10_000;

/** Hands verdicts to the flow they belong to, and keeps them while no flow takes any. */
export class Outlets {
  private readonly outlets: Outlet[] = [];
  /** Routes that have, or had, an outlet of their own. */
  private readonly routes = new Set<string>();
  /** Routes told of by a fault. */
  private readonly stranded = new Set<string>();
  private kept: Kept[] = [];
  private gatherTimer: NodeJS.Timeout | null = null;
  private failures = 0;
  private handingOver: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(private readonly options: OutletsOptions) {}

  /** True while a verdict of this route can be sent on at once. */
  takes(route: string): boolean {
    return this.outletFor(route) !== undefined;
  }

  /** @returns a function that removes the outlet */
  register(outlet: Outlet): () => void {
    this.outlets.push(outlet);
    this.routes.add(outlet.route);
    this.stranded.clear();
    if (this.kept.length > 0) this.handOverSoon();
    return () => {
      const place = this.outlets.indexOf(outlet);
      if (place >= 0) this.outlets.splice(place, 1);
    };
  }

  /** Sends a verdict on, or keeps it until an outlet registers. @param claimed what the store says about it */
  deliver(inspection: Inspection, route: string, claimed: boolean, picture?: Buffer): void {
    const outlet = claimed ? this.outletFor(route) : undefined;
    if (outlet) this.emit(outlet, inspection, picture, false);
    else this.keep(inspection, route, claimed);
  }

  /** Keeps a verdict until an outlet registers; the oldest ones make room. */
  keep(inspection: Inspection, route: string, claimed: boolean): void {
    if (this.closed) return;
    this.kept.push({ inspection, route, claimed });
    if (this.kept.length > MOST_KEPT) this.kept.shift();
    if (this.outlets.length > 0) this.handOverSoon();
  }

  /** @returns the verdicts marked as sent on that nobody took */
  async close(): Promise<readonly Inspection[]> {
    this.closed = true;
    if (this.gatherTimer) clearTimeout(this.gatherTimer);
    await this.handingOver;
    const untaken = this.kept.filter(({ claimed }) => claimed).map(({ inspection }) => inspection);
    this.kept = [];
    this.outlets.length = 0;
    return untaken;
  }

  /** One on the same route; else the only one, but not in the place of one that is just being deployed. */
  private outletFor(route: string): Outlet | undefined {
    if (this.closed) return undefined;
    const own = this.outlets.find((outlet) => outlet.route === route);
    return own ?? (this.outlets.length === 1 && !this.routes.has(route) ? this.outlets[0] : undefined);
  }

  private handOverSoon(): void {
    if (this.closed) return;
    this.gatherTimer ??= setTimeout(() => {
      this.gatherTimer = null;
      this.handingOver = this.handingOver.then(() => this.handOver());
    }, this.pauseMs);
  }

  /** Longer after each failure in a row. */
  private get pauseMs(): number {
    return Math.min((this.options.gatherMs ?? 250) * 2 ** this.failures, LONGEST_PAUSE_MS);
  }

  private async handOver(): Promise<void> {
    for (let next = this.takeNext(); next; next = this.takeNext()) {
      const { inspection, route } = next;
      try {
        if (!next.claimed && !(await this.options.claim(inspection.id))) continue;
        this.failures = 0;
      } catch (error) {
        this.options.onFault(error);
        this.kept.unshift(next);
        this.failures++;
        this.handOverSoon();
        return;
      }
      const picture = await this.options.readPicture(inspection).catch(() => undefined);
      const outlet = this.outletFor(route);
      if (outlet) this.emit(outlet, inspection, picture, true);
      else this.kept.unshift({ ...next, claimed: true });
    }
    this.tellStranded();
  }

  /** The oldest verdict that an outlet takes now. */
  private takeNext(): Kept | undefined {
    const place = this.kept.findIndex(({ route }) => this.takes(route));
    return place < 0 ? undefined : this.kept.splice(place, 1)[0];
  }

  /** Says once for each route that its verdicts wait although the station has outlets. */
  private tellStranded(): void {
    if (this.closed || this.outlets.length === 0) return;
    for (const { inspection, route } of this.kept) {
      if (this.stranded.has(route)) continue;
      this.stranded.add(route);
      this.options.onFault(new NoOutlet(inspection.id, route));
    }
  }

  private emit(outlet: Outlet, inspection: Inspection, picture: Buffer | undefined, late: boolean): void {
    try {
      outlet.emit(inspection, picture, late);
    } catch (error) {
      this.options.onFault(error);
    }
  }
}
