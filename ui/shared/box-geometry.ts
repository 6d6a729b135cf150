/** The arithmetic of boxes drawn on a picture, in its pixels. Boxes never leave the picture. */
import type { Box } from './types';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Corners and sides by compass. */
export const HANDLES = ['nw', 'n', 'ne', 'e', 'se', 's', 'sw', 'w'] as const;
export type Handle = (typeof HANDLES)[number];

/** Smaller boxes cannot be grabbed, and are taken for a slip of the hand. */
export const LEAST_SIDE = 4;

/** The box with these two opposite corners, cut off at the picture's edges; null when it is too small to be meant. */
export function boxBetween(a: Point, b: Point, picture: Size): Box | null {
  const box = spanned(inside(a, picture), inside(b, picture));
  return box.width < LEAST_SIDE || box.height < LEAST_SIDE ? null : box;
}

/** A box moved by whole pixels, as far as the picture reaches. */
export function movedBox(box: Box, by: Point, picture: Size): Box {
  return {
    ...box,
    x: clamp(Math.round(box.x + by.x), 0, picture.width - box.width),
    y: clamp(Math.round(box.y + by.y), 0, picture.height - box.height),
  };
}

/** A box with one of its handles moved; the opposite side stays where it is, and nothing turns over. */
export function resizedBox(box: Box, handle: Handle, by: Point, picture: Size): Box {
  let left = box.x;
  let top = box.y;
  let right = box.x + box.width;
  let bottom = box.y + box.height;
  if (handle.includes('w')) left = clamp(Math.round(left + by.x), 0, right - LEAST_SIDE);
  if (handle.includes('e')) right = clamp(Math.round(right + by.x), left + LEAST_SIDE, picture.width);
  if (handle.includes('n')) top = clamp(Math.round(top + by.y), 0, bottom - LEAST_SIDE);
  if (handle.includes('s')) bottom = clamp(Math.round(bottom + by.y), top + LEAST_SIDE, picture.height);
  return spanned({ x: left, y: top }, { x: right, y: bottom });
}

/** A box of a useful size in the middle of the picture, for those who draw by keys. */
export function middleBox(picture: Size): Box {
  const width = Math.max(LEAST_SIDE, Math.round(picture.width / 5));
  const height = Math.max(LEAST_SIDE, Math.round(picture.height / 5));
  return {
    x: Math.round((picture.width - width) / 2),
    y: Math.round((picture.height - height) / 2),
    width,
    height,
  };
}

/**
 * The index of the box under a point, -1 for none: the smallest one, so that a box within another can be reached.
 *
 * @param reach pixels by which a box counts as larger than it is, for fingers
 */
export function boxAt(boxes: readonly Box[], { x, y }: Point, reach: number): number {
  let best = -1;
  boxes.forEach((box, index) => {
    const hit =
      x >= box.x - reach && x <= box.x + box.width + reach && y >= box.y - reach && y <= box.y + box.height + reach;
    if (hit && (best < 0 || areaOf(box) < areaOf(boxes[best]))) best = index;
  });
  return best;
}

/** The box cut off at the picture's edges: models find boxes that reach beyond. Null when nothing is left. */
export function boxWithin(box: Box, picture: Size): Box | null {
  return boxBetween({ x: box.x, y: box.y }, { x: box.x + box.width, y: box.y + box.height }, picture);
}

function areaOf({ width, height }: Box): number {
  return width * height;
}

function spanned(a: Point, b: Point): Box {
  return {
    x: Math.min(a.x, b.x),
    y: Math.min(a.y, b.y),
    width: Math.abs(a.x - b.x),
    height: Math.abs(a.y - b.y),
  };
}

function inside({ x, y }: Point, { width, height }: Size): Point {
  return { x: clamp(Math.round(x), 0, width), y: clamp(Math.round(y), 0, height) };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), Math.max(low, high));
}
