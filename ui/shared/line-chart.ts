/** The arithmetic of small line charts. */
import { ticksOf } from './score-plot';

export interface ChartPoint {
  readonly x: number;
  readonly y: number;
}

export interface Scale {
  readonly from: number;
  readonly to: number;
}

/** A scale from 0 (or `from`) to the highest value, with a little room above. */
export function scaleFor(values: readonly number[], from = 0): Scale {
  const high = Math.max(...values.filter(Number.isFinite), Number.NEGATIVE_INFINITY);
  return { from, to: high > from ? from + (high - from) * 1.08 : from + 1 };
}

/** Percent from the left or from below, 0..100. */
export function placeIn({ from, to }: Scale, value: number): number {
  return to > from ? Math.min(100, Math.max(0, ((value - from) / (to - from)) * 100)) : 0;
}

/** Corners of a polyline in a field of 100 x 100, y downwards. */
export function lineOf(points: readonly ChartPoint[], across: Scale, up: Scale): string {
  return points.map(({ x, y }) => `${round(placeIn(across, x))},${round(100 - placeIn(up, y))}`).join(' ');
}

/** Round numbers along a scale; whole ones where `whole`. */
export function chartTicks({ from, to }: Scale, whole = false): readonly number[] {
  if (!(to > from)) return [from];
  const ticks = ticksOf({ from, to, step: 0 });
  return whole ? [...new Set(ticks.filter(Number.isInteger))] : ticks;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
