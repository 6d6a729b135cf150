/** A number as it was typed; empty: the station's default. */
export type Typed = number | '';

export interface Range {
  readonly low: number;
  readonly high: number;
  readonly whole?: boolean;
  /** `low` itself is too little. */
  readonly above?: boolean;
}

/** True when it can be sent; empty can. */
export function isWithin(value: Typed, { low, high, whole, above }: Range): boolean {
  if (value === '') return true;
  if (typeof value !== 'number' || !Number.isFinite(value)) return false;
  return (above ? value > low : value >= low) && value <= high && (!whole || Number.isInteger(value));
}

/** A percentage as a share. */
export function shareOf(percent: number): number {
  return Number((percent / 100).toFixed(6));
}
