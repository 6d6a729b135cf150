/** Who looks at what in the review, and which picture comes next. */

import type { Part } from './part';
import type { LabelledBox, ReviewItem } from './types';

/** A lock is renewed this often while its picture is on the screen; the station lets go of it after two minutes. */
export const HEARTBEAT_MS = 40_000;

type Locked = Pick<ReviewItem, 'lock'>;

/** The name of another person who looks at the item now; null when it is free or one's own. */
export function heldBy({ lock }: Locked, me: string, now: number): string | null {
  if (!lock || sameName(lock.reviewer, me) || Date.parse(lock.until) <= now) return null;
  return lock.reviewer;
}

/** The first item from a place on, then from the start, that nobody else looks at; else the one at the place itself. */
export function freeFrom<Item extends Locked>(items: readonly Item[], place: number, me: string, now: number): number {
  const at = Math.min(Math.max(0, place), items.length - 1);
  for (let step = 0; step < items.length; step++) {
    const index = (at + step) % items.length;
    if (heldBy(items[index], me, now) === null) return index;
  }
  return at;
}

/** Approval is for a second person. */
export function canApprove(item: Pick<ReviewItem, 'reviewer'>, me: string): boolean {
  return me !== '' && !sameName(item.reviewer ?? '', me);
}

/**
 * What a class key means on a picture without any box: the class lies where the model points. Null when the model
 * points nowhere; then a person has to draw.
 */
export function pointedBox(part: Pick<Part, 'regions'>, label: string): LabelledBox | null {
  const strongest = [...part.regions].sort((a, b) => b.peak - a.peak)[0];
  return strongest === undefined ? null : { label, box: strongest.box };
}

/** As the station compares them. */
function sameName(a: string, b: string): boolean {
  return a.trim().toLowerCase() === b.trim().toLowerCase();
}
