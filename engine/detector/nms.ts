import type { RawDetection } from './decode';

export interface SuppressionOptions {
  /** Boxes of one class that overlap more than this are one, 0..1. */
  readonly iou: number;
  readonly maxDetections: number;
}

/** Only so many of the most confident boxes are compared. */
const MOST_CANDIDATES = 30_000;

/**
 * Keeps of boxes that overlap the most confident one, each class by itself.
 *
 * @returns the most confident first
 */
export function nonMaximumSuppression(
  candidates: readonly RawDetection[],
  { iou, maxDetections }: SuppressionOptions,
): RawDetection[] {
  const sorted = [...candidates].sort((a, b) => b.confidence - a.confidence).slice(0, MOST_CANDIDATES);
  const keptOfClass = new Map<number, RawDetection[]>();
  const kept: RawDetection[] = [];
  for (const candidate of sorted) {
    if (kept.length >= maxDetections) break;
    const rivals = keptOfClass.get(candidate.classNumber) ?? [];
    if (rivals.some((rival) => intersectionOverUnion(rival, candidate) > iou)) continue;
    kept.push(candidate);
    rivals.push(candidate);
    keptOfClass.set(candidate.classNumber, rivals);
  }
  return kept;
}

/** A box by its sides. */
export type Corners = Pick<RawDetection, 'left' | 'top' | 'right' | 'bottom'>;

/** Common area of two boxes as a share of the area they cover together, 0..1. */
export function intersectionOverUnion(a: Corners, b: Corners): number {
  const common = intersection(a, b);
  const together = area(a) + area(b) - common;
  return together > 0 ? common / together : 0;
}

/** Common area of two boxes. */
export function intersection(a: Corners, b: Corners): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return width > 0 && height > 0 ? width * height : 0;
}

/** 0 for a box that ends before it begins. */
export function area({ left, top, right, bottom }: Corners): number {
  return Math.max(0, right - left) * Math.max(0, bottom - top);
}
