/** The current time; tests give their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** ISO 8601 in UTC. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** To hundredths: what is finer is noise. */
export function roundedMilliseconds(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}
