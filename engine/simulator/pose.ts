import type { Point } from './scene';

/** Where a piece lies in the picture: rotation, then shift; a cable also bends. Units to pixels. */
export interface Pose {
  /** Picture pixels of the piece's origin. */
  readonly x: number;
  readonly y: number;
  /** Radians, clockwise in the picture. */
  readonly angle: number;
  /** Pixels a unit. */
  readonly scale: number;
  /** Units the piece is bent aside 600 units left of its origin; 0 for rigid pieces. */
  readonly bow: number;
}

const BOW_LENGTH = 600;

/** Displacement across the axis at `u`. */
export function bowAt(pose: Pose, u: number): number {
  if (pose.bow === 0 || u >= 0) return 0;
  const share = u / BOW_LENGTH;
  return pose.bow * share * share;
}

export function toPicture(pose: Pose, [u, v]: Point): Point {
  const cos = Math.cos(pose.angle) * pose.scale;
  const sin = Math.sin(pose.angle) * pose.scale;
  const bent = v + bowAt(pose, u);
  return [pose.x + u * cos - bent * sin, pose.y + u * sin + bent * cos];
}

export function toPiece(pose: Pose, [x, y]: Point): Point {
  const cos = Math.cos(pose.angle) / pose.scale;
  const sin = Math.sin(pose.angle) / pose.scale;
  const dx = x - pose.x;
  const dy = y - pose.y;
  const u = dx * cos + dy * sin;
  return [u, dy * cos - dx * sin - bowAt(pose, u)];
}

/** The pose of a piece that sits on another. */
export function onto(base: Pose, at: Point, angle: number): Pose {
  const [x, y] = toPicture(base, at);
  return { x, y, angle: base.angle + angle, scale: base.scale, bow: 0 };
}
