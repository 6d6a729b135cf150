/** The arithmetic of the score histograms. */
import type { Thresholds } from './types';

/** The scores that are drawn, and the grid on which thresholds move. */
export interface ScoreScale {
  readonly from: number;
  readonly to: number;
  /** Smallest move of a threshold: a round number, about a 400th of the scale. */
  readonly step: number;
}

export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

const BINS_AT_LEAST = 14;
const BINS_AT_MOST = 44;
/** Empty room beside the outermost score or level, as a share of their distance. */
const MARGIN = 0.08;
const STEPS = 400;

/** A scale on which all scores and levels have room. Scores are never below 0. */
export function scaleOf(scores: readonly number[], levels: readonly Thresholds[]): ScoreScale {
  const shown = [...scores, ...levels.flatMap(({ accept, reject }) => [accept, reject])].filter(Number.isFinite);
  if (shown.length === 0) return { from: 0, to: 1, step: 0.005 };
  const low = Math.min(...shown);
  const high = Math.max(...shown);
  const room = (high - low || Math.abs(high) || 1) * MARGIN;
  const step = roundStep((high - low + 2 * room) / STEPS);
  return { from: Math.max(0, floorTo(low - room, step)), to: floorTo(high + room, step) + step, step };
}

/** Bins of equal width over the scale; more of them, the more scores there are. */
export function binsOf(scores: readonly number[], { from, to }: ScoreScale, bins = binCount(scores.length)): Bin[] {
  const width = (to - from) / bins;
  const counts = new Array<number>(bins).fill(0);
  for (const score of scores) counts[Math.min(bins - 1, Math.max(0, Math.floor((score - from) / width)))] += 1;
  return counts.map((count, index) => ({ from: from + index * width, to: from + (index + 1) * width, count }));
}

export function binCount(scores: number): number {
  return Math.min(BINS_AT_MOST, Math.max(BINS_AT_LEAST, Math.round(3 * Math.sqrt(scores))));
}

/** Percent of the scale's length, 0..100. */
export function placeOn({ from, to }: ScoreScale, value: number): number {
  return Math.min(100, Math.max(0, ((value - from) / (to - from)) * 100));
}

/** One level moved; the other stays, and accept never passes reject. */
export function moved(
  thresholds: Thresholds,
  level: keyof Thresholds,
  value: number,
  { from, to, step }: ScoreScale,
): Thresholds {
  const low = level === 'accept' ? Math.min(from, thresholds.reject) : thresholds.accept;
  const high = level === 'accept' ? thresholds.reject : Math.max(to, thresholds.accept);
  const onGrid = Number((Math.round(value / step) * step).toFixed(6));
  return { ...thresholds, [level]: Math.min(high, Math.max(low, onGrid)) };
}

/** Round numbers along the scale, 3 to 7 of them. */
export function ticksOf({ from, to }: ScoreScale): number[] {
  const step = roundStep((to - from) / 5);
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/** 1, 2 or 5 times a power of ten, the nearest above. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= least * (1 - 1e-9)) ?? 10;
  return Number((factor * power).toPrecision(6));
}

function floorTo(value: number, step: number): number {
  return Number((Math.floor(value / step) * step).toPrecision(12));
}
