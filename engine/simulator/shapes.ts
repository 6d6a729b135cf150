/** Signed distances in the unit of the arguments: negative inside, positive outside. */

export function circleDistance(x: number, y: number, radius: number): number {
  return Math.hypot(x, y) - radius;
}

/** A box around the origin with rounded corners. */
export function boxDistance(x: number, y: number, halfWidth: number, halfHeight: number, corner: number): number {
  const dx = Math.abs(x) - halfWidth + corner;
  const dy = Math.abs(y) - halfHeight + corner;
  return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - corner;
}

/** A slot along x: all points within `radius` of the middle line. */
export function slotDistance(x: number, y: number, halfLength: number, radius: number): number {
  return Math.hypot(Math.max(Math.abs(x) - halfLength, 0), y) - radius;
}

/** How much of a pixel an edge covers, 0..1, from the signed distance in pixels. */
export function coverage(distance: number): number {
  return distance <= -0.5 ? 1 : distance >= 0.5 ? 0 : 0.5 - distance;
}

/** 0 at and before `low`, 1 at and beyond `high`, smooth between; `high` may be the smaller one. */
export function smoothstep(low: number, high: number, value: number): number {
  const t = clamp((value - low) / (high - low), 0, 1);
  return t * t * (3 - 2 * t);
}

export function mix(from: number, to: number, share: number): number {
  return from + (to - from) * share;
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
