import { type Box, type LabelledBox, type Random, seededRandom } from '../engine/domain';

/** A decoded picture with what is to be found in it. */
export interface TruePicture {
  /** Interleaved RGB, 8 bits. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly LabelledBox[];
}

/** Steps of an 8-bit picture below which a change does not count as visible. */
const VISIBLE = 9;
/** Fewer visible pixels are no defect. */
const FEWEST = 25;

/** Brightness 0..1, row-major. */
interface Plane {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** How strongly a defect covers each pixel of its box, and what it makes of the brightness there. */
interface Mark {
  readonly label: 'defect' | 'fracture' | 'stain';
  readonly alpha: Float32Array;
  readonly tone: (before: number) => number;
}

interface Stroke {
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
  readonly startRadius: number;
  readonly endRadius: number;
}

/**
 * A surface that belongs to no product (noise, grain, stripes, tiles, shapes), with cracks, scratches and stains drawn onto
 * it, so that a detector learns them apart from the products of the simulator. The same seed gives the same pixels.
 */
export function proceduralPicture(seed: number, width = 480, height = 360): TruePicture {
  const random = seededRandom(seed);
  const plane = surface(width, height, random);
  const boxes: LabelledBox[] = [];
  const count = random() < 0.2 ? 0 : 1 + Math.floor(random() * 3);
  for (let index = 0; index < count; index += 1) {
    const draw = [crackMark, scratchMark, stainMark][Math.floor(random() * 3)];
    const mark = draw(plane, random);
    const box = apply(plane, mark);
    if (box !== null) boxes.push({ label: mark.label, box });
  }
  return { pixels: coloured(plane, random), width, height, boxes };
}

function surface(width: number, height: number, random: Random): Plane {
  const values = new Float32Array(width * height).fill(between(random, 0.2, 0.8));
  const plane = { width, height, values };
  const layers = 1 + Math.floor(random() * 3);
  for (let layer = 0; layer < layers; layer += 1) {
    const paint = [clouds, grain, stripes, tiles, shapes][Math.floor(random() * 5)];
    paint(plane, random);
  }
  const slope = [between(random, -0.25, 0.25), between(random, -0.25, 0.25)];
  const noise = between(random, 0.002, 0.025);
  each(plane, (x, y, value) => {
    const light = 1 + slope[0] * (x / width - 0.5) + slope[1] * (y / height - 0.5);
    return clamp(value * light + noise * (random() + random() - 1), 0.02, 0.98);
  });
  return plane;
}

function clouds(plane: Plane, random: Random): void {
  const strength = between(random, 0.05, 0.25);
  const noises = [between(random, 40, 160), between(random, 8, 40)].map((size) =>
    valueNoise(plane, size, size, random),
  );
  each(plane, (x, y, value) => value + strength * (noises[0](x, y) + 0.5 * noises[1](x, y)));
}

/** Fine noise drawn out in one direction, as brushed metal or rolled sheet. */
function grain(plane: Plane, random: Random): void {
  const strength = between(random, 0.03, 0.15);
  const long = between(random, 20, 120);
  const thin = between(random, 1.5, 4);
  const noise = random() < 0.5 ? valueNoise(plane, long, thin, random) : valueNoise(plane, thin, long, random);
  each(plane, (x, y, value) => value + strength * noise(x, y));
}

function stripes(plane: Plane, random: Random): void {
  const strength = between(random, 0.04, 0.2);
  const angle = random() * Math.PI;
  const period = between(random, 6, 60);
  const hard = random() < 0.5;
  each(plane, (x, y, value) => {
    const wave = Math.sin((2 * Math.PI * (x * Math.cos(angle) + y * Math.sin(angle))) / period);
    return value + strength * (hard ? Math.sign(wave) : wave);
  });
}

function tiles(plane: Plane, random: Random): void {
  const side = between(random, 24, 140);
  const joint = between(random, 1, 4);
  const dark = between(random, -0.3, 0.3);
  const shades = Float32Array.from({ length: 64 }, () => between(random, -0.06, 0.06));
  each(plane, (x, y, value) => {
    if (x % side < joint || y % side < joint) return value + dark;
    return value + shades[(Math.floor(x / side) * 7 + Math.floor(y / side) * 13) % 64];
  });
}

/** Flat rectangles, discs and straight bars with crisp edges: what a part has and a defect is not. */
function shapes(plane: Plane, random: Random): void {
  const count = 2 + Math.floor(random() * 10);
  for (let index = 0; index < count; index += 1) {
    const tone = between(random, 0.05, 0.95);
    const [x, y] = [random() * plane.width, random() * plane.height];
    const [halfWidth, halfHeight] = [between(random, 3, 90), between(random, 3, 70)];
    const isDisc = random() < 0.4;
    const box = {
      x: x - halfWidth,
      y: y - (isDisc ? halfWidth : halfHeight),
      width: 2 * halfWidth,
      height: 2 * (isDisc ? halfWidth : halfHeight),
    };
    within(plane, box, (column, row, at) => {
      const outside = isDisc
        ? Math.hypot(column + 0.5 - x, row + 0.5 - y) - halfWidth
        : Math.max(Math.abs(column + 0.5 - x) - halfWidth, Math.abs(row + 0.5 - y) - halfHeight);
      const cover = clamp(0.5 - outside, 0, 1);
      plane.values[at] += cover * (tone - plane.values[at]);
    });
  }
}

/** Jagged, tapering, branched, mostly dark. */
function crackMark(plane: Plane, random: Random): Mark {
  const length = between(random, 40, 200);
  const radius = between(random, 0.9, 3);
  const strokes: Stroke[] = [];
  const heading = random() * 2 * Math.PI;
  const start: [number, number] = [between(random, 0.1, 0.9) * plane.width, between(random, 0.1, 0.9) * plane.height];
  const crack = (from: readonly [number, number], direction: number, reach: number, thick: number) => {
    let [x, y] = from;
    for (let done = 0; done < reach; ) {
      const step = between(random, 4, 11);
      const turn = direction + between(random, -0.8, 0.8);
      const to: [number, number] = [x + step * Math.cos(turn), y + step * Math.sin(turn)];
      const at = (way: number) => Math.max(0.5, thick * (1 - clamp(way / reach, 0, 1)) ** 0.6);
      strokes.push({ from: [x, y], to, startRadius: at(done), endRadius: at(done + step) });
      [x, y] = to;
      done += step;
    }
  };
  crack(start, heading, length, radius);
  const trunk = strokes.length;
  const branches = Math.floor(random() * 4);
  for (let branch = 0; branch < branches; branch += 1) {
    const { from } = strokes[Math.floor(between(random, 0.2, 0.8) * trunk)];
    const aside = (random() < 0.5 ? -1 : 1) * between(random, 0.4, 1.1);
    crack(from, heading + aside, length * between(random, 0.2, 0.45), radius * 0.6);
  }
  const tone = random() < 0.85 ? between(random, 0, 0.12) : between(random, 0.85, 1);
  return { label: 'fracture', alpha: drawn(plane, strokes), tone: (before) => before * 0.1 + tone * 0.9 };
}

/** One to three parallel, nearly straight grooves, brighter or darker than the surface. */
function scratchMark(plane: Plane, random: Random): Mark {
  const length = between(random, 40, 220);
  const heading = random() * 2 * Math.PI;
  const bend = between(random, -0.3, 0.3);
  const [x, y] = [between(random, 0.1, 0.9) * plane.width, between(random, 0.1, 0.9) * plane.height];
  const strokes: Stroke[] = [];
  const grooves = 1 + Math.floor(random() * 3);
  for (let groove = 0; groove < grooves; groove += 1) {
    const aside = groove * between(random, 3, 6);
    const radius = between(random, 0.6, 1.9);
    let direction = heading - bend / 2;
    let at: [number, number] = [x - aside * Math.sin(heading), y + aside * Math.cos(heading)];
    const steps = 16;
    const [late, early] = [between(random, 0, 0.2), between(random, 0.8, 1)];
    for (let step = 0; step < steps; step += 1) {
      direction += bend / steps;
      const to: [number, number] = [
        at[0] + (length / steps) * Math.cos(direction),
        at[1] + (length / steps) * Math.sin(direction),
      ];
      const width = (share: number) => radius * (0.3 + 0.7 * Math.sin(Math.PI * clamp(share, 0.03, 0.97)));
      if (step / steps >= late && step / steps < early)
        strokes.push({ from: at, to, startRadius: width(step / steps), endRadius: width((step + 1) / steps) });
      at = to;
    }
  }
  const change = (random() < 0.6 ? 1 : -1) * between(random, 0.2, 0.5);
  return { label: 'defect', alpha: drawn(plane, strokes), tone: (before) => clamp(before + change, 0, 1) };
}

/** A blot with a wavy border, a darker rim and a few drops; it takes light away or, rarely, dulls to grey. */
function stainMark(plane: Plane, random: Random): Mark {
  const radius = between(random, 9, 48);
  const [x, y] = [between(random, 0.1, 0.9) * plane.width, between(random, 0.1, 0.9) * plane.height];
  const blots = [{ x, y, radius }];
  for (let drop = Math.floor(random() * 4); drop > 0; drop -= 1) {
    const [angle, away] = [random() * 2 * Math.PI, radius * between(random, 1.05, 1.4)];
    const small = radius * between(random, 0.08, 0.2);
    blots.push({ x: x + away * Math.cos(angle), y: y + away * Math.sin(angle), radius: small });
  }
  const waves = [2, 3, 5, 8].map((count) => ({
    count,
    height: between(random, 0, 0.25) / count ** 0.7,
    phase: 7 * random(),
  }));
  const soft = between(random, 1, 5);
  const strength = between(random, 0.45, 0.95);
  const alpha = new Float32Array(plane.values.length);
  for (const blot of blots) {
    const reach = blot.radius * 1.8 + soft;
    within(plane, { x: blot.x - reach, y: blot.y - reach, width: 2 * reach, height: 2 * reach }, (column, row, at) => {
      const [dx, dy] = [column + 0.5 - blot.x, row + 0.5 - blot.y];
      let border = 1;
      for (const { count, height, phase } of waves) border += height * Math.sin(count * Math.atan2(dy, dx) + phase);
      const depth = blot.radius * border - Math.hypot(dx, dy);
      const rim = 0.25 * Math.exp(-(((depth - blot.radius * 0.08) / (blot.radius * 0.08 + 1)) ** 2));
      alpha[at] = Math.max(alpha[at], clamp(0.5 + depth / soft, 0, 1) * clamp(strength + rim, 0, 1));
    });
  }
  const left = random() < 0.85 ? between(random, 0.1, 0.5) : between(random, 1.3, 1.7);
  return { label: 'stain', alpha, tone: (before) => clamp(before * left, 0, 1) };
}

/** How much of each pixel the strokes cover, 0..1. */
function drawn(plane: Plane, strokes: readonly Stroke[]): Float32Array {
  const alpha = new Float32Array(plane.values.length);
  for (const { from, to, startRadius, endRadius } of strokes) {
    const reach = Math.max(startRadius, endRadius) + 1;
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    const square = dx * dx + dy * dy || 1;
    const box = {
      x: Math.min(from[0], to[0]) - reach,
      y: Math.min(from[1], to[1]) - reach,
      width: Math.abs(dx) + 2 * reach,
      height: Math.abs(dy) + 2 * reach,
    };
    within(plane, box, (column, row, at) => {
      const [px, py] = [column + 0.5 - from[0], row + 0.5 - from[1]];
      const share = clamp((px * dx + py * dy) / square, 0, 1);
      const radius = startRadius + (endRadius - startRadius) * share;
      const distance = Math.hypot(px - share * dx, py - share * dy);
      alpha[at] = Math.max(alpha[at], clamp(radius + 0.5 - distance, 0, 1));
    });
  }
  return alpha;
}

/** @returns the extent of what changed visibly; null when that is next to nothing */
function apply(plane: Plane, { alpha, tone }: Mark): Box | null {
  let [left, top, right, bottom] = [plane.width, plane.height, -1, -1];
  let count = 0;
  const changes = alpha.map((cover, at) => (cover > 0 ? cover * (tone(plane.values[at]) - plane.values[at]) : 0));
  each(plane, (x, y, value) => {
    if (255 * Math.abs(changes[y * plane.width + x]) >= VISIBLE) {
      count += 1;
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
    return value;
  });
  if (count < FEWEST) return null;
  for (let at = 0; at < changes.length; at += 1) plane.values[at] += changes[at];
  return { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

/** Mostly grey; sometimes with a cast that varies with brightness. */
function coloured({ values }: Plane, random: Random): Uint8Array {
  const cast = random() < 0.5 ? 0 : between(random, 0.05, 0.35);
  const tints = [0, 1, 2].map(() => [1 + cast * (random() - 0.5), cast * (random() - 0.5)]);
  const pixels = new Uint8Array(values.length * 3);
  for (let at = 0; at < values.length; at += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      const [gain, shift] = tints[channel];
      pixels[at * 3 + channel] = Math.round(255 * clamp(values[at] * gain + 0.4 * shift * (1 - values[at]), 0, 1));
    }
  }
  return pixels;
}

/** Smooth noise of about -1..1 whose features are so many pixels wide and high. */
function valueNoise(plane: Plane, wide: number, high: number, random: Random): (x: number, y: number) => number {
  const columns = Math.ceil(plane.width / wide) + 2;
  const rows = Math.ceil(plane.height / high) + 2;
  const knots = Float32Array.from({ length: columns * rows }, () => 2 * random() - 1);
  const ease = (share: number) => share * share * (3 - 2 * share);
  return (x, y) => {
    const [u, v] = [x / wide, y / high];
    const [column, row] = [Math.floor(u), Math.floor(v)];
    const [across, down] = [ease(u - column), ease(v - row)];
    const at = row * columns + column;
    const upper = knots[at] + (knots[at + 1] - knots[at]) * across;
    const lower = knots[at + columns] + (knots[at + columns + 1] - knots[at + columns]) * across;
    return upper + (lower - upper) * down;
  };
}

function each({ width, height, values }: Plane, change: (x: number, y: number, value: number) => number): void {
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) values[y * width + x] = change(x, y, values[y * width + x]);
  }
}

function within({ width, height }: Plane, box: Box, visit: (x: number, y: number, at: number) => void): void {
  const right = Math.min(width, Math.ceil(box.x + box.width));
  const bottom = Math.min(height, Math.ceil(box.y + box.height));
  for (let y = Math.max(0, Math.floor(box.y)); y < bottom; y += 1) {
    for (let x = Math.max(0, Math.floor(box.x)); x < right; x += 1) visit(x, y, y * width + x);
  }
}

function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random();
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
