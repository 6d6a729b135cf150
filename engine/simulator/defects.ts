import type { Box, Random } from '../domain';
import { between, normal } from './noise';
import { type Pose, toPicture, toPiece } from './pose';
import type { Point, Scene, Site } from './scene';
import { clamp, coverage, mix, smoothstep } from './shapes';
import type { DefectClass, SimulatedDefect } from './types';

/** What a defect is drawn onto. */
export interface Canvas {
  readonly scene: Scene;
  /** Linear RGB, interleaved; changed in place. */
  readonly frame: Float32Array;
  readonly body: Pose;
  readonly element: Pose;
}

/** Steps of an 8-bit picture below which a change does not count as visible. */
const VISIBLE = 7;
/** Visible pixels (at 1280 x 720) a defect must have to be worth its label. */
const FEWEST_PIXELS = 260;
const ATTEMPTS = 24;

/**
 * Damages the surface of the part and tells where: the box encloses each pixel that changed visibly. Places are drawn
 * until one is seen well; after many, any that is seen will do.
 */
export function drawDefect(
  canvas: Canvas,
  label: Exclude<DefectClass, 'misalignment'>,
  random: Random,
): SimulatedDefect {
  const { scene } = canvas;
  const sites = scene.sites[label];
  for (let attempt = 0; ; attempt += 1) {
    const site = sites[Math.floor(random() * sites.length)];
    const edit = EDITS[label](canvas, site, random);
    const { pixels, box } = measure(canvas, edit);
    const enough = attempt < ATTEMPTS ? FEWEST_PIXELS * scene.scale * scene.scale : 1;
    if (box === null || pixels < enough) continue;
    apply(canvas, edit);
    return { label, box };
  }
}

/** New colours for a part of the frame. */
interface Edit {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Linear RGB, interleaved. */
  readonly colours: Float32Array;
}

const EDITS: Readonly<
  Record<Exclude<DefectClass, 'misalignment'>, (canvas: Canvas, site: Site, random: Random) => Edit>
> = {
  fracture: fractureEdit,
  scratch: scratchEdit,
  stain: stainEdit,
};

/** A jagged crack that starts at an edge, narrows and branches; its lips catch the light. */
function fractureEdit(canvas: Canvas, site: Site, random: Random): Edit {
  const start = pointWithin(site, random);
  const direction = site.direction + between(random, -site.spread, site.spread);
  const length = between(random, ...site.size);
  const strokes: Stroke[] = [];
  crack(strokes, start, direction, length, between(random, 4.2, 6.2), random);
  const branches = 1 + Math.floor(random() * 3);
  const trunk = strokes.length;
  for (let branch = 0; branch < branches; branch += 1) {
    const from = strokes[Math.floor(trunk * between(random, 0.25, 0.8))];
    const aside = (random() < 0.5 ? -1 : 1) * between(random, 0.5, 1);
    crack(strokes, from.from, direction + aside, length * between(random, 0.22, 0.42), from.startRadius * 0.62, random);
  }
  for (const aside of [-1, 1]) {
    const torn: Point = [
      start[0] + aside * between(random, 7, 14) * Math.sin(direction),
      start[1] - aside * between(random, 7, 14) * Math.cos(direction),
    ];
    strokes.push({ from: start, to: torn, startRadius: between(random, 5, 7.5), endRadius: 2 });
  }
  const groove = cut(canvas, strokes, 5);
  return paintEdit(
    canvas,
    groove,
    (depth, side, rgb, x, y) => {
      const core = coverage(-depth);
      const lip = (1 - core) * smoothstep(-4.5 * canvas.scene.scale, -0.3, depth);
      const shading = 1 + lip * (side > 0 ? 0.75 * side : 0.45 * side);
      const grit = 0.75 + 0.5 * hash(x, y);
      for (let channel = 0; channel < 3; channel += 1) {
        rgb[channel] = rgb[channel] * shading * (1 - core) + core * Math.min(rgb[channel] * 0.12, 0.014) * grit;
      }
    },
    true,
  );
}

function crack(
  strokes: Stroke[],
  start: Point,
  direction: number,
  length: number,
  radius: number,
  random: Random,
): void {
  let [u, v] = start;
  let heading = direction;
  for (let done = 0; done < length; ) {
    const step = Math.min(between(random, 6, 15), length - done + 0.1);
    heading = direction + (heading - direction) * 0.4 + between(random, -0.75, 0.75);
    const next: Point = [u + step * Math.cos(heading), v + step * Math.sin(heading)];
    const width = (at: number) => Math.max(0.9, radius * (1 - clamp(at / length, 0, 1)) ** 0.55);
    strokes.push({ from: [u, v], to: next, startRadius: width(done), endRadius: width(done + step) });
    [u, v] = next;
    done += step;
  }
}

/** A few parallel grooves from something hard: torn bright on dark surfaces, shadowed with a bright lip on bright metal. */
function scratchEdit(canvas: Canvas, site: Site, random: Random): Edit {
  const start = pointWithin(site, random);
  const direction = site.direction + between(random, -site.spread, site.spread);
  const length = between(random, ...site.size);
  const bend = between(random, -0.35, 0.35);
  const wide = canvas.scene.scratchWidth;
  const grooves = 2 + Math.floor(random() * 2);
  const strokes: Stroke[] = [];
  for (let groove = 0; groove < grooves; groove += 1) {
    const aside = groove === 0 ? 0 : groove * between(random, 6, 9) * wide * (groove % 2 === 0 ? 1 : -1);
    const late = groove === 0 ? 0 : between(random, 0.05, 0.3);
    const early = groove === 0 ? 1 : between(random, 0.65, 1);
    const radius = wide * (groove === 0 ? between(random, 2.6, 3.6) : between(random, 1.4, 2.4));
    let heading = direction - bend / 2;
    let [u, v] = start;
    u -= aside * Math.sin(direction);
    v += aside * Math.cos(direction);
    const steps = 24;
    for (let step = 0; step < steps; step += 1) {
      const at = step / steps;
      heading += bend / steps;
      const next: Point = [u + (length / steps) * Math.cos(heading), v + (length / steps) * Math.sin(heading)];
      const width = (t: number) => radius * (0.14 + 0.86 * Math.sin(Math.PI * clamp(t * 0.94 + 0.03, 0, 1)) ** 0.6);
      const chatter = between(random, 0.68, 1.25);
      if (at >= late && at < early) {
        strokes.push({
          from: [u, v],
          to: next,
          startRadius: width(at) * chatter,
          endRadius: width(at + 1 / steps) * chatter,
        });
      }
      [u, v] = next;
    }
  }
  const groove = cut(canvas, strokes, 4);
  return paintEdit(
    canvas,
    groove,
    (depth, side, rgb, x, y) => {
      const core = coverage(-depth);
      const flank = (1 - core) * smoothstep(-3.6 * canvas.scene.scale, -0.2, depth);
      const light = rgb[0] * 0.3 + rgb[1] * 0.6 + rgb[2] * 0.1;
      const shadowed = smoothstep(0.24, 0.4, light);
      const torn = mix(light * 1.5 + 0.22, light * 0.06, shadowed) * (0.85 + 0.3 * hash(x, y));
      const flankShade = 1 + flank * mix(side > 0 ? -0.2 : -0.6, side > 0 ? 0.55 : -0.3, shadowed);
      for (let channel = 0; channel < 3; channel += 1) {
        const fresh = Math.min(0.95, torn * 0.7 + rgb[channel] * mix(0.4, 0.12, shadowed));
        rgb[channel] = mix(rgb[channel] * flankShade, fresh, core * 0.88);
      }
    },
    true,
  );
}

const LIQUIDS: readonly (readonly [number, number, number])[] = [
  [0.26, 0.16, 0.08],
  [0.16, 0.14, 0.12],
  [0.33, 0.2, 0.07],
];

/** A dried blot of oil or grease with a dark rim and a few drops around it. */
function stainEdit(canvas: Canvas, site: Site, random: Random): Edit {
  const { scene, body } = canvas;
  const radius = between(random, ...site.size) * scene.scale;
  const liquid = LIQUIDS[Math.floor(random() * LIQUIDS.length)];
  const strength = between(random, 0.8, 0.95);
  const [centreX, centreY] = toPicture(body, pointWithin(site, random));
  const blots = [blot(centreX, centreY, radius, random)];
  const drops = 2 + Math.floor(random() * 3);
  for (let drop = 0; drop < drops; drop += 1) {
    const angle = random() * 2 * Math.PI;
    const away = radius * between(random, 1.05, 1.35);
    blots.push(
      blot(
        centreX + away * Math.cos(angle),
        centreY + away * Math.sin(angle),
        radius * between(random, 0.08, 0.17),
        random,
      ),
    );
  }
  const reach = radius * 1.75 + 2;
  const area = areaAround(scene, centreX - reach, centreY - reach, centreX + reach, centreY + reach);
  const depths = new Float32Array(area.width * area.height);
  const patches = Array.from({ length: 7 }, () => [random() * 6.28, between(random, 1.5, 4), random() * 6.28] as const);
  for (let row = 0; row < area.height; row += 1) {
    for (let column = 0; column < area.width; column += 1) {
      const x = area.left + column + 0.5;
      const y = area.top + row + 0.5;
      let depth = -1e3;
      for (const each of blots) depth = Math.max(depth, blotDepth(each, x, y));
      depths[row * area.width + column] = depth;
    }
  }
  return paintEdit(
    canvas,
    { ...area, depths, sides: depths },
    (depth, _side, rgb, x, y) => {
      const inside = smoothstep(-1.2, 1.8, depth);
      if (inside === 0) return;
      let cloud = 0;
      for (const [angle, waves, phase] of patches) {
        cloud += Math.sin(
          (((x - centreX) * Math.cos(angle) + (y - centreY) * Math.sin(angle)) / radius) * waves + phase,
        );
      }
      const rim = Math.exp(-(((depth - radius * 0.06) / (radius * 0.07)) ** 2));
      const amount = inside * clamp(strength * (0.84 + 0.05 * cloud) + 0.2 * rim, 0, 1);
      for (let channel = 0; channel < 3; channel += 1) rgb[channel] *= 1 - amount * (1 - liquid[channel]);
    },
    false,
  );
}

interface Blot {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly waves: readonly { readonly count: number; readonly height: number; readonly phase: number }[];
}

function blot(x: number, y: number, radius: number, random: Random): Blot {
  const waves = [2, 3, 4, 5, 7, 11].map((count) => ({
    count,
    height: clamp(normal(random), -1.6, 1.6) * (0.22 / count ** 0.8),
    phase: random() * 2 * Math.PI,
  }));
  return { x, y, radius, waves };
}

/** Pixels a point lies inside the blot; negative outside. */
function blotDepth({ x, y, radius, waves }: Blot, px: number, py: number): number {
  const distance = Math.hypot(px - x, py - y);
  if (distance > radius * 1.8 + 3) return -1e3;
  const angle = Math.atan2(py - y, px - x);
  let border = 1;
  for (const { count, height, phase } of waves) border += height * Math.sin(count * angle + phase);
  return radius * clamp(border, 0.5, 1.6) - distance;
}

/** A line in units of the body, with a radius at each end. */
interface Stroke {
  readonly from: Point;
  readonly to: Point;
  readonly startRadius: number;
  readonly endRadius: number;
}

interface Area {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

interface Groove extends Area {
  /** Pixels each point lies inside the groove; negative outside. */
  readonly depths: Float32Array;
  /** -1..1: how much the groove's flank there turns to the light. */
  readonly sides: Float32Array;
}

/** Rasters strokes in the picture, `margin` units around them included. */
function cut({ scene, body }: Canvas, strokes: readonly Stroke[], margin: number): Groove {
  const reach = margin * scene.scale;
  const drawn = strokes.map((stroke) => ({
    from: toPicture(body, stroke.from),
    to: toPicture(body, stroke.to),
    start: stroke.startRadius * scene.scale,
    end: stroke.endRadius * scene.scale,
  }));
  const xs = drawn.flatMap(({ from, to, start, end }) => [from[0] - start, from[0] + start, to[0] - end, to[0] + end]);
  const ys = drawn.flatMap(({ from, to, start, end }) => [from[1] - start, from[1] + start, to[1] - end, to[1] + end]);
  const area = areaAround(
    scene,
    Math.min(...xs) - reach,
    Math.min(...ys) - reach,
    Math.max(...xs) + reach,
    Math.max(...ys) + reach,
  );
  const depths = new Float32Array(area.width * area.height).fill(-1e3);
  const sides = new Float32Array(area.width * area.height);
  for (const { from, to, start, end } of drawn) {
    const dx = to[0] - from[0];
    const dy = to[1] - from[1];
    const square = dx * dx + dy * dy || 1;
    const far = Math.max(start, end) + reach;
    const firstColumn = Math.max(0, Math.floor(Math.min(from[0], to[0]) - far) - area.left);
    const lastColumn = Math.min(area.width - 1, Math.ceil(Math.max(from[0], to[0]) + far) - area.left);
    const firstRow = Math.max(0, Math.floor(Math.min(from[1], to[1]) - far) - area.top);
    const lastRow = Math.min(area.height - 1, Math.ceil(Math.max(from[1], to[1]) + far) - area.top);
    for (let row = firstRow; row <= lastRow; row += 1) {
      for (let column = firstColumn; column <= lastColumn; column += 1) {
        const px = area.left + column + 0.5 - from[0];
        const py = area.top + row + 0.5 - from[1];
        const t = clamp((px * dx + py * dy) / square, 0, 1);
        const ax = px - t * dx;
        const ay = py - t * dy;
        const distance = Math.hypot(ax, ay);
        const depth = start + (end - start) * t - distance;
        const index = row * area.width + column;
        if (depth > depths[index]) {
          depths[index] = depth;
          sides[index] = distance > 0 ? (ax * 0.55 + ay * 0.835) / distance : 0;
        }
      }
    }
  }
  return { ...area, depths, sides };
}

type Tint = (depth: number, side: number, rgb: Float32Array, x: number, y: number) => void;

/** Colours an area by depth, only where the part has a surface. `underElement`: the element hides the damage. */
function paintEdit(canvas: Canvas, groove: Groove, tint: Tint, underElement: boolean): Edit {
  const { scene, frame, body, element } = canvas;
  const { left, top, width, height } = groove;
  const colours = new Float32Array(width * height * 3);
  const rgb = new Float32Array(3);
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const index = row * width + column;
      const from = ((top + row) * scene.width + left + column) * 3;
      for (let channel = 0; channel < 3; channel += 1) colours[index * 3 + channel] = frame[from + channel];
      if (groove.depths[index] < -12) continue;
      const place: Point = [left + column + 0.5, top + row + 0.5];
      const share = surfaceShare(scene, body, element, place, underElement);
      if (share === 0) continue;
      for (let channel = 0; channel < 3; channel += 1) rgb[channel] = frame[from + channel];
      tint(groove.depths[index], groove.sides[index], rgb, left + column, top + row);
      for (let channel = 0; channel < 3; channel += 1) {
        colours[index * 3 + channel] += (rgb[channel] - frame[from + channel]) * share;
      }
    }
  }
  return { left, top, width, height, colours };
}

/** How much of a pixel is surface that can be damaged, 0..1. */
function surfaceShare(scene: Scene, body: Pose, element: Pose, place: Point, underElement: boolean): number {
  const onBody = coverage(scene.surface(...toPiece(body, place)) * scene.scale);
  const onElement = coverage(scene.elementSurface(...toPiece(element, place)) * scene.scale);
  if (!scene.elementCovers) return Math.max(onBody, onElement);
  return underElement ? Math.max(0, onBody - onElement) : onBody;
}

function measure({ scene, frame }: Canvas, edit: Edit): { pixels: number; box: Box | null } {
  let pixels = 0;
  let left = Number.POSITIVE_INFINITY;
  let top = Number.POSITIVE_INFINITY;
  let right = -1;
  let bottom = -1;
  for (let row = 0; row < edit.height; row += 1) {
    for (let column = 0; column < edit.width; column += 1) {
      const before = ((edit.top + row) * scene.width + edit.left + column) * 3 + 1;
      const after = (row * edit.width + column) * 3 + 1;
      const change = 255 * Math.abs(Math.sqrt(frame[before]) - Math.sqrt(Math.max(0, edit.colours[after])));
      if (change < VISIBLE) continue;
      pixels += 1;
      left = Math.min(left, edit.left + column);
      right = Math.max(right, edit.left + column);
      top = Math.min(top, edit.top + row);
      bottom = Math.max(bottom, edit.top + row);
    }
  }
  return { pixels, box: pixels === 0 ? null : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 } };
}

function apply({ scene, frame }: Canvas, edit: Edit): void {
  for (let row = 0; row < edit.height; row += 1) {
    const from = row * edit.width * 3;
    frame.set(edit.colours.subarray(from, from + edit.width * 3), ((edit.top + row) * scene.width + edit.left) * 3);
  }
}

/** The displaced element as a defect: the box around where it lies now. */
export function misalignmentTruth(scene: Scene, element: Pose): SimulatedDefect {
  const corners = scene.outline.map((point) => toPicture(element, point));
  const xs = corners.map(([x]) => x);
  const ys = corners.map(([, y]) => y);
  const { left, top, width, height } = areaAround(
    scene,
    Math.min(...xs),
    Math.min(...ys),
    Math.max(...xs),
    Math.max(...ys),
  );
  return { label: 'misalignment', box: { x: left, y: top, width, height } };
}

/** Whole pixels around an extent, cut at the picture's border. */
function areaAround(scene: Scene, left: number, top: number, right: number, bottom: number): Area {
  const x0 = clamp(Math.floor(left), 0, scene.width - 1);
  const y0 = clamp(Math.floor(top), 0, scene.height - 1);
  const x1 = clamp(Math.ceil(right), x0 + 1, scene.width);
  const y1 = clamp(Math.ceil(bottom), y0 + 1, scene.height);
  return { left: x0, top: y0, width: x1 - x0, height: y1 - y0 };
}

function pointWithin({ at }: Site, random: Random): Point {
  return [between(random, at.left, at.right), between(random, at.top, at.bottom)];
}

/** A steady pseudo-random number for a pixel, 0..1. */
function hash(x: number, y: number): number {
  let value = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1);
  value = Math.imul(value ^ (value >>> 15), 0x85ebca6b);
  return ((value ^ (value >>> 13)) >>> 0) / 4294967296;
}
