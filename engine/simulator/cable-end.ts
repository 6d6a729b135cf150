import { seededRandom } from '../domain';
import { Ink } from './ink';
import { castShadows, defocus, type Layer, paintLayer } from './layer';
import { write } from './lettering';
import { brushedTile, mottledTile, tileAt } from './noise';
import type { Scene } from './scene';
import { boxDistance, circleDistance, clamp, coverage, mix, smoothstep } from './shapes';

// Along the cable (units): jacket, inner insulation, bare strands, then the terminal's barrel, neck and ring.
const JACKET_END = -190;
const JACKET_RADIUS = 74;
const CORE_END = -52;
const CORE_RADIUS = 50;
const STRANDS_RADIUS = 37;
const BARREL_START = -8;
const BARREL_END = 128;
const NECK_END = 190;
const NECK_HALF_WIDTH = 44;
const RING = { x: 278, radius: 104, hole: 47 };

/** Towards the light: across the picture and up out of it. */
const LIGHT = unit(-0.42, -0.6, 0.68);
const HALFWAY = unit(-0.21, -0.3, 0.84 + 0.5);

/** A cable end on a blue mat: grey jacket, red core, copper strands, crimped ring terminal, two black cradles. */
export function cableEndScene(width: number, height: number): Scene {
  const scale = 1.25 * Math.min(width / 1280, height / 720);
  return {
    width,
    height,
    scale,
    background: mat(width, height, scale),
    frame: new Float32Array(width * height * 3),
    body: cable(scale),
    print: jacketPrint(scale),
    element: terminal(scale),
    rest: { body: [30, 0], element: [0, 0] },
    jitter: {
      body: { shift: 8, turn: 0.012 },
      element: { shift: 2.5, turn: 0.012 },
      print: { shift: 5, turn: 0 },
      bow: 9,
    },
    scratchWidth: 1,
    misalignment: { shift: [8, 20], turn: [0.14, 0.27] },
    outline: OUTLINE,
    surface: cableDistance,
    elementSurface: terminalDistance,
    elementCovers: false,
    sites: SITES,
    grain: brushedTile(),
    grainStrength: 0.32,
    highlight: { base: 0.8, band: 0.25, centre: 0.5, width: 0.35 },
  };
}

const SITES: Scene['sites'] = {
  fracture: [
    { at: { left: -460, top: -72, right: -260, bottom: -66 }, direction: Math.PI / 2, spread: 0.4, size: [90, 140] },
    { at: { left: -460, top: 66, right: -260, bottom: 72 }, direction: -Math.PI / 2, spread: 0.4, size: [90, 140] },
    { at: { left: -160, top: -49, right: -90, bottom: -46 }, direction: Math.PI / 2, spread: 0.4, size: [70, 98] },
    { at: { left: 142, top: -46, right: 164, bottom: -42 }, direction: Math.PI / 2, spread: 0.35, size: [70, 92] },
    { at: { left: 276, top: 46, right: 282, bottom: 50 }, direction: Math.PI / 2, spread: 0.5, size: [50, 58] },
  ],
  stain: [
    { at: { left: -460, top: -30, right: -260, bottom: 30 }, direction: 0, spread: 3.1, size: [34, 60] },
    { at: { left: -140, top: -15, right: -80, bottom: 15 }, direction: 0, spread: 3.1, size: [28, 44] },
    { at: { left: 20, top: -15, right: 110, bottom: 15 }, direction: 0, spread: 3.1, size: [28, 42] },
    { at: { left: 220, top: -70, right: 330, bottom: -50 }, direction: 0, spread: 3.1, size: [28, 44] },
    { at: { left: 220, top: 50, right: 330, bottom: 70 }, direction: 0, spread: 3.1, size: [28, 44] },
  ],
  scratch: [
    { at: { left: -480, top: -45, right: -400, bottom: 35 }, direction: 0.1, spread: 0.35, size: [120, 230] },
    { at: { left: -460, top: -50, right: -300, bottom: -30 }, direction: 0.9, spread: 0.4, size: [80, 130] },
    { at: { left: 200, top: -80, right: 230, bottom: -55 }, direction: 0.3, spread: 0.4, size: [90, 140] },
    { at: { left: 300, top: 40, right: 330, bottom: 70 }, direction: 2.6, spread: 0.4, size: [90, 140] },
    { at: { left: -170, top: -36, right: -150, bottom: 10 }, direction: 0.2, spread: 0.4, size: [70, 100] },
  ],
};

const OUTLINE = [
  [BARREL_START, -52],
  [BARREL_START, 52],
  ...Array.from({ length: 32 }, (_, step) => {
    const angle = (step / 32) * 2 * Math.PI;
    return [RING.x + RING.radius * Math.cos(angle), RING.radius * Math.sin(angle)] as const;
  }),
] as const;

function cableDistance(u: number, v: number): number {
  const jacket = Math.max(u - JACKET_END, Math.abs(v) - JACKET_RADIUS);
  const core = Math.max(u - CORE_END, Math.abs(v) - CORE_RADIUS);
  const strands = Math.max(u - 20, Math.abs(v) - STRANDS_RADIUS);
  return Math.min(jacket, core, strands);
}

function terminalDistance(u: number, v: number): number {
  const barrel = Math.max(BARREL_START - u, u - BARREL_END, Math.abs(v) - barrelRadius(u));
  return Math.min(barrel, tongueDistance(u, v));
}

function tongueDistance(u: number, v: number): number {
  const neck = Math.max(BARREL_END - 4 - u, u - RING.x, Math.abs(v) - NECK_HALF_WIDTH);
  const ring = circleDistance(u - RING.x, v, RING.radius);
  const blended = smoothMin(neck, ring, 26);
  return Math.max(blended, -circleDistance(u - RING.x, v, RING.hole));
}

/** The union of two shapes with a fillet of about `radius`. */
function smoothMin(a: number, b: number, radius: number): number {
  const share = clamp(0.5 + (0.5 * (b - a)) / radius, 0, 1);
  return mix(b, a, share) - radius * share * (1 - share);
}

/** Half the barrel's visible width: flared mouth, two crimps. */
function barrelRadius(u: number): number {
  const mouth = 7 * (1 - smoothstep(BARREL_START, BARREL_START + 16, u));
  const crimp =
    6 * (smoothstep(22, 32, u) - smoothstep(54, 64, u)) + 6 * (smoothstep(78, 88, u) - smoothstep(106, 116, u));
  return 47 + mouth - crimp;
}

interface Shade {
  readonly diffuse: number;
  readonly mirror: number;
}

/** How a surface with the given slope answers the light: `mirror` is the glint of the bar light, 0..1. */
function shade(nx: number, ny: number, nz: number, gloss: number): Shade {
  const towards = Math.max(0, nx * LIGHT[0] + ny * LIGHT[1] + nz * LIGHT[2]);
  const glint = Math.max(0, (ny * HALFWAY[1] + nz * HALFWAY[2]) / Math.hypot(HALFWAY[1], HALFWAY[2]));
  return { diffuse: 0.3 * (0.4 + 0.6 * nz) + 0.75 * towards, mirror: glint ** gloss };
}

function cable(scale: number): Layer {
  const pebble = mottledTile(seededRandom(62), 3);
  const soft = mottledTile(seededRandom(63), 26);
  return castShadows(
    paintLayer({ left: 640, right: 60, top: 130, bottom: 150 }, scale, (u, v, out, column, row) => {
      const rough = tileAt(pebble, column, row);
      const wave = tileAt(soft, column, row);
      paintStrands(out, u, v, scale, rough);
      paintTube(
        out,
        u,
        v,
        CORE_END,
        CORE_RADIUS,
        [0.46, 0.035, 0.03],
        0.22,
        40,
        scale,
        1 + 0.012 * rough + 0.02 * wave,
      );
      paintTube(
        out,
        u,
        v,
        JACKET_END,
        JACKET_RADIUS,
        [0.2, 0.215, 0.225],
        0.11,
        14,
        scale,
        1 + 0.035 * rough + 0.02 * wave,
      );
    }),
    [
      { dx: 3, dy: 10, blur: 7, strength: 0.62 },
      { dx: 10, dy: 24, blur: 18, strength: 0.5 },
    ],
  );
}

/** A round plastic tube that ends with a cut face seen from the side. */
function paintTube(
  out: Float32Array,
  u: number,
  v: number,
  end: number,
  radius: number,
  colour: readonly [number, number, number],
  sheen: number,
  gloss: number,
  scale: number,
  texture: number,
): void {
  const bulge = end + 3 * Math.sqrt(Math.max(0, 1 - (v / radius) ** 2));
  const share = coverage(Math.max(u - bulge, Math.abs(v) - radius) * scale);
  if (share === 0) {
    if (out[4] > 0) {
      const contact = smoothstep(end + 26, end, u) * smoothstep(radius + 6, radius - 10, Math.abs(v));
      for (let channel = 0; channel < 4; channel += 1) out[channel] *= 1 - 0.55 * contact;
    }
    return;
  }
  const ny = clamp(v / radius, -0.995, 0.995);
  const rounded = smoothstep(end - 7, end + 2, u);
  const nz = Math.sqrt(1 - ny * ny);
  const { diffuse, mirror } = shade(rounded * 0.75, ny, nz * (1 - rounded * 0.5), gloss);
  for (let channel = 0; channel < 3; channel += 1) {
    out[channel] = mix(out[channel], colour[channel] * diffuse * texture * (1 - 0.25 * rounded), share);
  }
  out[3] = mix(out[3], sheen * mirror * texture * (1 - 0.6 * rounded), share);
  out[4] = Math.max(out[4], share);
}

/** Twisted copper: each strand is a small round wire on the bundle's surface. */
function paintStrands(out: Float32Array, u: number, v: number, scale: number, rough: number): void {
  const ripple = 0.9 * Math.sin(u * 0.16 + (v > 0 ? 0 : 1.7));
  const edge = Math.max(CORE_END - 40 - u, u - 30, Math.abs(v) - STRANDS_RADIUS - ripple);
  const share = coverage(edge * scale);
  if (share === 0) return;
  const across = clamp(v / (STRANDS_RADIUS + 1), -0.98, 0.98);
  const around = Math.asin(across) * STRANDS_RADIUS;
  const place = (around + u * 0.52) / 9.2;
  const strand = Math.floor(place);
  const within = (place - strand) * 2 - 1;
  const tilt = within * 0.82;
  const nz = Math.sqrt(Math.max(0.02, 1 - across * across));
  const ny = across * 0.8 + tilt * nz;
  const length = Math.hypot(ny, tilt * 0.4, nz);
  const { diffuse, mirror } = shade((tilt * 0.4) / length, ny / length, nz / length, 22);
  const gap = 1 - 0.8 * smoothstep(0.62, 1, Math.abs(within));
  const tarnish = 0.9 + 0.16 * Math.sin(strand * 12.9898) + 0.03 * rough;
  out[0] = 0.64 * diffuse * gap * tarnish;
  out[1] = 0.3 * diffuse * gap * tarnish;
  out[2] = 0.155 * diffuse * gap * tarnish;
  out[3] = 0.3 * mirror * gap;
  out[4] = share;
}

/** Ink-jet print along the jacket: dots, worn a little. */
function jacketPrint(scale: number): Layer {
  const extent = { left: 620, right: -160, top: 40, bottom: 40 };
  const ink = new Ink(extent, scale);
  write(ink, 'ORBITAL FLEX 4G6', -520, -10, 20, 3.6);
  const worn = mottledTile(seededRandom(64), 5);
  return paintLayer(extent, scale, (_u, _v, out, column, row) => {
    const wear = 0.88 + 0.06 * tileAt(worn, column, row);
    out[0] = 0.55;
    out[1] = 0.56;
    out[2] = 0.55;
    out[4] = clamp(ink.at(column, row) * wear * 0.85, 0, 1);
  });
}

function terminal(scale: number): Layer {
  const mottle = mottledTile(seededRandom(65), 7);
  const extent = { left: 60, right: 440, top: 160, bottom: 160 };
  const stamp = new Ink(extent, scale);
  write(stamp, '6-8', 142, -13, 26, 3.6);
  return castShadows(
    paintLayer(extent, scale, (u, v, out, column, row) => {
      const uneven = 1 + 0.02 * tileAt(mottle, column, row);
      paintTongue(out, u, v, scale, uneven, stamp.at(column, row));
      paintBarrel(out, u, v, scale, uneven);
    }),
    [
      { dx: 3, dy: 6, blur: 3, strength: 0.6 },
      { dx: 10, dy: 20, blur: 14, strength: 0.55 },
    ],
  );
}

function paintTongue(out: Float32Array, u: number, v: number, scale: number, uneven: number, stamped: number): void {
  const distance = tongueDistance(u, v);
  const share = coverage(distance * scale);
  if (share === 0) return;
  const step = 0.6;
  const gx = tongueDistance(u + step, v) - tongueDistance(u - step, v);
  const gy = tongueDistance(u, v + step) - tongueDistance(u, v - step);
  const length = Math.hypot(gx, gy) || 1;
  const bevel = 0.75 * smoothstep(-9, -1, distance);
  const ramp = 0.45 * smoothstep(NECK_END, BARREL_END + 10, u);
  const nx = (gx / length) * bevel + ramp;
  const ny = (gy / length) * bevel;
  const nz = Math.sqrt(Math.max(0.05, 1 - nx * nx - ny * ny));
  const { diffuse, mirror } = shade(nx, ny, nz, 9);
  const pressed = 1 - 0.7 * stamped;
  metal(out, 0.3 * diffuse * uneven * pressed, (0.1 + 0.2 * mirror) * uneven * pressed, share);
  out[4] = share;
}

function paintBarrel(out: Float32Array, u: number, v: number, scale: number, uneven: number): void {
  const radius = barrelRadius(u);
  const end = BARREL_END + 4 * Math.sqrt(Math.max(0, 1 - (v / radius) ** 2));
  const share = coverage(Math.max(BARREL_START - u, u - end, Math.abs(v) - radius) * scale);
  if (share === 0) {
    const contact = smoothstep(BARREL_END + 22, BARREL_END + 2, u) * smoothstep(52, 40, Math.abs(v));
    for (let channel = 0; channel < 4; channel += 1) out[channel] *= 1 - 0.5 * contact;
    return;
  }
  const slope = (barrelRadius(u + 1) - barrelRadius(u - 1)) / 2;
  const lipped = smoothstep(BARREL_START + 6, BARREL_START, u) - smoothstep(BARREL_END - 4, BARREL_END + 3, u);
  const ny = clamp(v / radius, -0.99, 0.99);
  const nz = Math.sqrt(1 - ny * ny);
  const nx = -slope * 2.2 * nz - 0.6 * lipped;
  const length = Math.hypot(nx, ny, nz);
  const { diffuse, mirror } = shade(nx / length, ny / length, nz / length, 16);
  const seam = Math.exp(-(((v - 6) / 1.9) ** 2));
  const serration = 1 - 0.16 * (u > 30 && u < 58 ? 0.5 + 0.5 * Math.sin(u * 0.9) : 0);
  metal(out, 0.3 * diffuse * uneven * (1 - 0.75 * seam), (0.04 + 0.5 * mirror) * serration * (1 - 0.8 * seam), share);
  out[4] = Math.max(out[4], share);
}

/** Tinned copper. */
function metal(out: Float32Array, diffuse: number, sheen: number, share: number): void {
  out[0] = mix(out[0], diffuse * 1.02, share);
  out[1] = mix(out[1], diffuse, share);
  out[2] = mix(out[2], diffuse * 0.97, share);
  out[3] = mix(out[3], sheen, share);
}

/** A blue bench mat with a fine pebble, and two black cradles with screws that hold the cable. */
function mat(width: number, height: number, scale: number): Float32Array {
  const pebble = mottledTile(seededRandom(71), 4);
  const coarse = mottledTile(seededRandom(72), 120);
  const fine = mottledTile(seededRandom(73), 2);
  const cradles = [
    { x: -430, y: 0, halfWidth: 62, halfHeight: 165 },
    { x: -108, y: 0, halfWidth: 44, halfHeight: 128 },
  ];
  const layer = paintLayer(
    { left: width / 2 / scale, right: width / 2 / scale, top: height / 2 / scale, bottom: height / 2 / scale },
    scale,
    (u, v, out, column, row) => {
      const grit = tileAt(fine, column, row);
      const rough = 1 + 0.1 * tileAt(pebble, column, row) + 0.05 * grit + 0.05 * tileAt(coarse, column, row);
      out[0] = 0.035 * rough;
      out[1] = 0.085 * rough;
      out[2] = 0.15 * rough;
      out[4] = 1;
      for (const cradle of cradles)
        paintCradle(out, u - cradle.x, v - cradle.y, cradle.halfWidth, cradle.halfHeight, scale, grit);
    },
  );
  return defocus(layer);
}

function paintCradle(
  out: Float32Array,
  u: number,
  v: number,
  halfWidth: number,
  halfHeight: number,
  scale: number,
  fine: number,
): void {
  const shadow = 0.7 * smoothstep(16, -12, boxDistance(u - 10, v - 15, halfWidth, halfHeight, 8));
  const distance = boxDistance(u, v, halfWidth, halfHeight, 7);
  const share = coverage(distance * scale);
  if (share < 1) for (let channel = 0; channel < 3; channel += 1) out[channel] *= 1 - shadow;
  if (share === 0) return;
  const bevel = smoothstep(-6, -2, distance);
  const sideways = Math.abs(u) / halfWidth > Math.abs(v) / halfHeight;
  const lit = sideways ? -Math.sign(u) * 0.45 : -Math.sign(v) * 0.75;
  let value = 0.026 * (1 + 0.1 * fine) + bevel * 0.03 * (lit + 0.25);
  const groove = smoothstep(96, 20, Math.abs(v));
  value *= 1 - 0.5 * groove;
  const screwY = Math.abs(v) - halfHeight + 28;
  const screw = Math.hypot(u, screwY);
  if (screw < 20) {
    value = mix(value, 0.012, coverage((screw - 17) * scale));
    const facing = (-u * LIGHT[0] - (v > 0 ? 1 : -1) * screwY * LIGHT[1]) / 14;
    value = mix(value, 0.2 - 0.08 * facing, coverage((screw - 14) * scale));
    const socket = Math.max(Math.abs(u), Math.abs(u) * 0.5 + Math.abs(screwY) * 0.87);
    value = mix(value, 0.012, coverage((socket - 7) * scale));
  }
  out[0] = mix(out[0], value, share);
  out[1] = mix(out[1], value, share);
  out[2] = mix(out[2], value * 1.05, share);
}

function unit(x: number, y: number, z: number): readonly [number, number, number] {
  const length = Math.hypot(x, y, z);
  return [x / length, y / length, z / length];
}
