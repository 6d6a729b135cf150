/**
 * Which part of a picture is shown. All lengths are shares of the frame, which shows the whole picture at zoom 1: a
 * point at share `u` of the picture lies at `x + u * zoom` of the frame's width, and likewise for its height.
 */
import type { Point, Size } from './box-geometry';
import type { Box } from './types';

export interface View {
  /** 1: the whole picture. */
  readonly zoom: number;
  /** Where the picture's left edge lies, 1 - zoom..0. */
  readonly x: number;
  /** Where the picture's upper edge lies, 1 - zoom..0. */
  readonly y: number;
}

export const WHOLE: View = { zoom: 1, x: 0, y: 0 };
export const MAX_ZOOM = 16;
/** One press of a key or button. */
export const ZOOM_STEP = 1.5;

/** A box looked at takes this share of the frame at most. */
const ROOM = 0.4;
const MAX_LOOK = 6;
const WHEEL_PIXELS_PER_DOUBLING = 300;

/**
 * The view zoomed by a factor while the point of the picture under `at` stays where it is, as far as the edges allow.
 *
 * @param at shares of the frame
 */
export function zoomed(view: View, factor: number, at: Point = { x: 0.5, y: 0.5 }): View {
  const zoom = clamp(view.zoom * factor, 1, MAX_ZOOM);
  const grown = zoom / view.zoom;
  return within({ zoom, x: at.x - (at.x - view.x) * grown, y: at.y - (at.y - view.y) * grown });
}

/** @param by shares of the frame */
export function panned(view: View, by: Point): View {
  return within({ ...view, x: view.x + by.x, y: view.y + by.y });
}

/** Two fingers: what was under them stays under them. All points are shares of the frame. */
export function pinched(view: View, before: readonly [Point, Point], now: readonly [Point, Point], frame: Size): View {
  const spread = ([a, b]: readonly [Point, Point]): number =>
    Math.hypot((a.x - b.x) * frame.width, (a.y - b.y) * frame.height);
  const from = between(...before);
  const to = between(...now);
  const factor = spread(before) === 0 ? 1 : spread(now) / spread(before);
  return panned(zoomed(view, factor, from), { x: to.x - from.x, y: to.y - from.y });
}

/** The factor of a turned wheel or a pinched touch pad. */
export function wheelFactor({ deltaY, deltaMode }: Pick<WheelEvent, 'deltaY' | 'deltaMode'>): number {
  const pixels = deltaMode === 0 ? deltaY : deltaY * 40;
  return 2 ** (-pixels / WHEEL_PIXELS_PER_DOUBLING);
}

/** A place of the picture large in the middle, with some of what is around it. */
export function lookingAt(place: Box, picture: Size): View {
  const wide = place.width / picture.width;
  const high = place.height / picture.height;
  const zoom = clamp(ROOM / Math.max(wide, high, 1e-6), 1, MAX_LOOK);
  return centred(zoom, middleOf(place, picture));
}

/**
 * The view of another picture that shows its place where the first view shows its own, at the same zoom: two pictures
 * side by side show the same detail even when the part lies elsewhere.
 *
 * @param own   middle of the place in the picture of the first view, in shares of the picture
 * @param other middle of the place in the other picture, likewise
 */
export function alongside(view: View, own: Point, other: Point): View {
  if (view.zoom === 1) return WHOLE;
  return panned(view, { x: (own.x - other.x) * view.zoom, y: (own.y - other.y) * view.zoom });
}

/** The middle of a box in shares of the picture. */
export function middleOf({ x, y, width, height }: Box, picture: Size): Point {
  return { x: (x + width / 2) / picture.width, y: (y + height / 2) / picture.height };
}

function centred(zoom: number, at: Point): View {
  return within({ zoom, x: 0.5 - at.x * zoom, y: 0.5 - at.y * zoom });
}

/** The picture always fills the frame. */
function within({ zoom, x, y }: View): View {
  return { zoom, x: clamp(x, 1 - zoom, 0), y: clamp(y, 1 - zoom, 0) };
}

function between(a: Point, b: Point): Point {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
