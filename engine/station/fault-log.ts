import { type Clock, type Fault, serializeError, timestamp } from '../domain';

const KEPT = 10;
const RECENT_MS = 5 * 60_000;

/** The last faults of a station, newest first. */
export class FaultLog {
  private faults: readonly (Fault & { readonly at: string })[] = [];

  /** When the last part came that went well; ISO 8601, UTC. */
  private wellAt = '';

  constructor(private readonly clock: Clock) {}

  add(error: unknown): Fault {
    const { code, message, parameters } = serializeError(error);
    const fault: Fault = { code, message, ...(parameters && { parameters }) };
    this.faults = [{ ...fault, at: timestamp(this.clock.now()) }, ...this.faults].slice(0, KEPT);
    return fault;
  }

  /** A part that came at this time went through without failing: what failed before it is over. */
  wentWell(capturedAt: string): void {
    if (capturedAt > this.wellAt) this.wellAt = capturedAt;
  }

  get list(): readonly (Fault & { readonly at: string })[] {
    return this.faults;
  }

  /** True when something failed within the last five minutes, and no part has gone well since. */
  get hasRecent(): boolean {
    const [newest] = this.faults;
    return newest !== undefined && newest.at >= this.wellAt && this.clock.now() - Date.parse(newest.at) < RECENT_MS;
  }
}
