import { type Clock, serializeError, timestamp } from '../domain';
import type { Fault } from './types';

const KEPT = 10;
const RECENT_MS = 5 * 60_000;

/** The last faults of a station, newest first. */
export class FaultLog {
  private faults: readonly (Fault & { readonly at: string })[] = [];

  constructor(private readonly clock: Clock) {}

  add(error: unknown): Fault {
    const { code, message } = serializeError(error);
    this.faults = [{ code, message, at: timestamp(this.clock.now()) }, ...this.faults].slice(0, KEPT);
    return { code, message };
  }

  get list(): readonly (Fault & { readonly at: string })[] {
    return this.faults;
  }

  /** True when something failed within the last five minutes. */
  get hasRecent(): boolean {
    return this.faults.length > 0 && this.clock.now() - Date.parse(this.faults[0].at) < RECENT_MS;
  }
}
