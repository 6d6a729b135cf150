import type { Box, Random } from '../domain';

/** How much of a defect lies on each pixel of a box. */
export interface Shape {
  /** Whole pixels within the picture. */
  readonly box: Box;
  /** Row-major over the box, 0..1. */
  readonly alpha: Float32Array;
}

/** Where a shape is wanted and how many pixels it shall cover. */
export interface ShapeWish {
  readonly x: number;
  readonly y: number;
  readonly area: number;
  /** Size of the picture. */
  readonly width: number;
  readonly height: number;
}

/** A turned rectangle, up to eight times as long as wide, with an edge that fades over one pixel to half its width. */
export function panel(wish: ShapeWish, random: Random): Shape {
  const aspect = Math.exp(between(random, -1, 1) * Math.log(8));
  const halfWidth = Math.sqrt(wish.area * aspect) / 2;
  const halfHeight = Math.sqrt(wish.area / aspect) / 2;
  const fade = between(random, 1, Math.max(2, Math.min(halfWidth, halfHeight)));
  const turned = turn(random() * Math.PI);
  return raster(wish, Math.hypot(halfWidth, halfHeight) + fade, (x, y) => {
    const [across, down] = turned(x, y);
    return smooth((Math.min(halfWidth - Math.abs(across), halfHeight - Math.abs(down)) + fade / 2) / fade);
  });
}

/**
 * An irregular round spot.
 *
 * @param softness share of the radius over which it fades out, above 0 and at most 1
 */
export function blob(wish: ShapeWish, softness: number, random: Random): Shape {
  const aspect = Math.exp(between(random, -0.7, 0.7));
  const waves = [2, 3, 4, 5].map((count) => ({
    count,
    height: between(random, 0, 0.5) / count,
    phase: random() * 2 * Math.PI,
  }));
  const radius = Math.sqrt(wish.area / Math.PI) * (1 + softness / 3);
  const turned = turn(random() * Math.PI);
  return raster(wish, radius * Math.sqrt(Math.max(aspect, 1 / aspect)) * 1.7, (x, y) => {
    const [across, down] = turned(x, y);
    const u = across / Math.sqrt(aspect);
    const v = down * Math.sqrt(aspect);
    const angle = Math.atan2(v, u);
    let reach = radius;
    for (const { count, height, phase } of waves) reach += radius * height * Math.cos(count * angle + phase);
    return smooth((1 - Math.hypot(u, v) / reach) / softness);
  });
}

/** A thin, slightly bent line whose ends taper; its strength varies along the way. */
export function line(wish: ShapeWish, random: Random): Shape {
  const thick = Math.max(1, Math.min(wish.width, wish.height) / 250) * between(random, 0.5, 1.8);
  const length = Math.min(wish.area / thick, 0.6 * Math.hypot(wish.width, wish.height));
  const track = drawTrack(wish, length, random);
  const shape = empty(wish, track, thick + 1);
  for (let step = 1; step < track.length; step += 1) {
    const from = track[step - 1];
    const to = track[step];
    cover(shape, empty(wish, [from, to], thick + 1).box, (x, y) => {
      const { distance, along } = toSegment(x, y, from, to);
      const strength = from.strength * (1 - along) + to.strength * along;
      return strength * clamp(thick / 2 + 0.5 - distance);
    });
  }
  return shape;
}

/** A way of the given length whose middle is the wished place. */
function drawTrack(wish: ShapeWish, length: number, random: Random): (Point & { readonly strength: number })[] {
  const steps = 24;
  let heading = random() * 2 * Math.PI;
  let bend = between(random, -1, 1) * 0.03;
  let [x, y] = [0, 0];
  const points = Array.from({ length: steps + 1 }, (_, step) => {
    const taper = Math.min(1, (4 * Math.min(step, steps - step)) / steps + 0.25);
    const point = { x, y, strength: taper * between(random, 0.6, 1) };
    if (random() < 0.12) bend = between(random, -1, 1) * 0.08;
    heading += bend + between(random, -1, 1) * 0.03;
    x += (Math.cos(heading) * length) / steps;
    y += (Math.sin(heading) * length) / steps;
    return point;
  });
  const middle = points[steps / 2];
  return points.map((point) => ({ ...point, x: wish.x + point.x - middle.x, y: wish.y + point.y - middle.y }));
}

/**
 * Ragged islands: gradient noise of two octaves over a spot, cut at the level that leaves the wished area.
 *
 * @see Perlin 1985, "An Image Synthesizer"
 */
export function cloud(wish: ShapeWish, random: Random): Shape {
  const radius = Math.sqrt(wish.area / Math.PI) * between(random, 1.4, 2.2);
  const grain = Math.max(4, radius * between(random, 0.3, 0.8));
  const coarse = gradientNoise(2 * radius, grain, random);
  const fine = gradientNoise(2 * radius, grain / 2, random);
  const height = raster(wish, radius, (x, y) => {
    const away = Math.hypot(x, y) / radius;
    if (away >= 1) return 0;
    const noise = coarse(x + radius, y + radius) + 0.5 * fine(x + radius, y + radius);
    return Math.max(0, 1 + 0.8 * noise - 0.9 * away * away);
  });
  const sorted = height.alpha.slice().sort();
  const level = Math.max(sorted[Math.max(0, sorted.length - Math.round(wish.area))], 1e-6);
  const edge = Math.max(1.5 / grain, between(random, 0.02, 0.4));
  return { box: height.box, alpha: height.alpha.map((value) => smooth((value - level) / edge + 0.5)) };
}

/** Smooth noise of about -1..1 over a square from 0 to `side`; features are `grain` wide. */
export function gradientNoise(side: number, grain: number, random: Random): (x: number, y: number) => number {
  const cells = Math.ceil(side / grain) + 2;
  const angles = Float32Array.from({ length: cells * cells }, () => random() * 2 * Math.PI);
  const at = (column: number, row: number, dx: number, dy: number): number => {
    const angle = angles[Math.min(row, cells - 1) * cells + Math.min(column, cells - 1)];
    return Math.cos(angle) * dx + Math.sin(angle) * dy;
  };
  return (x, y) => {
    const column = Math.max(0, Math.floor(x / grain));
    const row = Math.max(0, Math.floor(y / grain));
    const dx = x / grain - column;
    const dy = y / grain - row;
    const across = smooth(dx);
    const upper = at(column, row, dx, dy) * (1 - across) + at(column + 1, row, dx - 1, dy) * across;
    const lower = at(column, row + 1, dx, dy - 1) * (1 - across) + at(column + 1, row + 1, dx - 1, dy - 1) * across;
    const down = smooth(dy);
    return 1.5 * (upper * (1 - down) + lower * down);
  };
}

export function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random();
}

/** Turns a place about the origin. */
export function turn(angle: number): (x: number, y: number) => [number, number] {
  const cosine = Math.cos(angle);
  const sine = Math.sin(angle);
  return (x, y) => [x * cosine + y * sine, y * cosine - x * sine];
}

/** Evaluates a shape around its wished place, cut at the picture's edge. */
function raster(wish: ShapeWish, reach: number, alphaAt: (x: number, y: number) => number): Shape {
  const shape = empty(wish, [wish], reach);
  cover(shape, shape.box, (x, y) => alphaAt(x - wish.x, y - wish.y));
  return shape;
}

/** A shape without any cover around some points, cut at the picture's edge. */
function empty({ width, height }: ShapeWish, points: readonly Point[], reach: number): Shape {
  const left = clamp(Math.floor(Math.min(...points.map(({ x }) => x)) - reach), width);
  const top = clamp(Math.floor(Math.min(...points.map(({ y }) => y)) - reach), height);
  const right = clamp(Math.ceil(Math.max(...points.map(({ x }) => x)) + reach), width);
  const bottom = clamp(Math.ceil(Math.max(...points.map(({ y }) => y)) + reach), height);
  const box = { x: left, y: top, width: right - left, height: bottom - top };
  return { box, alpha: new Float32Array(box.width * box.height) };
}

/** Covers the pixels of a part of the shape's box, where they are not covered more already. */
function cover({ box, alpha }: Shape, part: Box, alphaAt: (x: number, y: number) => number): void {
  for (let y = part.y; y < part.y + part.height; y += 1) {
    for (let x = part.x; x < part.x + part.width; x += 1) {
      const index = (y - box.y) * box.width + x - box.x;
      alpha[index] = Math.max(alpha[index], alphaAt(x + 0.5, y + 0.5));
    }
  }
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function toSegment(x: number, y: number, from: Point, to: Point): { distance: number; along: number } {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const along = clamp(((x - from.x) * dx + (y - from.y) * dy) / Math.max(dx * dx + dy * dy, 1e-12));
  return { distance: Math.hypot(x - from.x - along * dx, y - from.y - along * dy), along };
}

function smooth(value: number): number {
  const within = clamp(value);
  return within * within * (3 - 2 * within);
}

function clamp(value: number, most = 1): number {
  return Math.min(most, Math.max(0, value));
}
