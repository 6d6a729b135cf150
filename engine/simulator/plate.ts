import { seededRandom } from '../domain';
import { Ink } from './ink';
import { castShadows, defocus, type Layer, paintLayer } from './layer';
import { write } from './lettering';
import { brushedTile, mottledTile, tileAt } from './noise';
import type { Scene, Site } from './scene';
import { boxDistance, circleDistance, clamp, coverage, mix, slotDistance, smoothstep } from './shapes';

const HALF_WIDTH = 430;
const HALF_HEIGHT = 255;
const CORNER = 26;
/** Towards the light, across the plate. */
const LIGHT_X = -0.55;
const LIGHT_Y = -0.835;

interface Hole {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  /** Outer radius of the bevel. */
  readonly bevel: number;
}

const HOLES: readonly Hole[] = [
  ...[-1, 1].flatMap((side) => [-1, 1].map((end) => ({ x: side * 382, y: end * 207, radius: 19, bevel: 31 }))),
  { x: 236, y: -22, radius: 76, bevel: 86 },
  ...[45, 135, 225, 315].map((degrees) => ({
    x: 236 + 122 * Math.cos((degrees * Math.PI) / 180),
    y: -22 + 122 * Math.sin((degrees * Math.PI) / 180),
    radius: 11,
    bevel: 15,
  })),
];
const SLOT = { x: -120, y: 176, halfLength: 128, radius: 17, bevel: 22 };

const LABEL_HALF_WIDTH = 196;
const LABEL_HALF_HEIGHT = 112;

/** A brushed-metal plate with a printed label, drilled holes and a slot on a dark fixture. */
export function plateScene(width: number, height: number): Scene {
  const scale = Math.min(width / 1280, height / 720);
  return {
    width,
    height,
    scale,
    background: fixture(width, height, scale),
    frame: new Float32Array(width * height * 3),
    body: plate(scale),
    print: null,
    element: label(scale),
    rest: { body: [0, 0], element: [-135, -42] },
    jitter: {
      body: { shift: 9, turn: 0.016 },
      element: { shift: 2.2, turn: 0.006 },
      print: { shift: 0, turn: 0 },
      bow: 0,
    },
    scratchWidth: 1.5,
    misalignment: { shift: [26, 52], turn: [0.07, 0.17] },
    outline: [-1, 1].flatMap((x) => [-1, 1].map((y) => [x * LABEL_HALF_WIDTH, y * LABEL_HALF_HEIGHT] as const)),
    surface: (u, v) => Math.max(boxDistance(u, v, HALF_WIDTH, HALF_HEIGHT, CORNER), -openings(u, v)),
    elementSurface: (u, v) => boxDistance(u, v, LABEL_HALF_WIDTH, LABEL_HALF_HEIGHT, 9),
    elementCovers: true,
    sites: SITES,
    grain: brushedTile(),
    grainStrength: 0.5,
    highlight: { base: 0.55, band: 1, centre: 0.42, width: 0.2 },
  };
}

const SITES: Scene['sites'] = {
  fracture: [
    edgeSite(-300, -252, 60, -252, Math.PI / 2),
    edgeSite(120, -252, 330, -252, Math.PI / 2),
    edgeSite(-320, 252, -290, 252, -Math.PI / 2),
    edgeSite(60, 252, 320, 252, -Math.PI / 2),
    edgeSite(427, -150, 427, 150, Math.PI),
    edgeSite(-427, 60, -427, 150, 0),
    { at: { left: 230, top: 52, right: 246, bottom: 56 }, direction: Math.PI / 2, spread: 0.7, size: [110, 190] },
    { at: { left: 158, top: -30, right: 164, bottom: -14 }, direction: Math.PI, spread: 0.5, size: [110, 170] },
  ],
  stain: [
    { at: { left: -330, top: -160, right: 60, bottom: 120 }, direction: 0, spread: 3.1, size: [34, 70] },
    { at: { left: 90, top: 110, right: 330, bottom: 200 }, direction: 0, spread: 3.1, size: [34, 66] },
    { at: { left: 320, top: -140, right: 380, bottom: 120 }, direction: 0, spread: 3.1, size: [30, 54] },
  ],
  scratch: [
    { at: { left: 200, top: 112, right: 260, bottom: 124 }, direction: 0.5, spread: 0.15, size: [120, 160] },
    { at: { left: -388, top: -165, right: -362, bottom: -10 }, direction: 1.57, spread: 0.16, size: [140, 220] },
    { at: { left: 70, top: -220, right: 104, bottom: -130 }, direction: 1.5, spread: 0.16, size: [140, 280] },
    { at: { left: 34, top: 76, right: 66, bottom: 92 }, direction: 1.55, spread: 0.2, size: [130, 170] },
    { at: { left: 356, top: -160, right: 392, bottom: -40 }, direction: 1.6, spread: 0.18, size: [140, 220] },
    { at: { left: 120, top: -235, right: 220, bottom: -222 }, direction: 0.45, spread: 0.15, size: [130, 180] },
  ],
};

function edgeSite(left: number, top: number, right: number, bottom: number, direction: number): Site {
  return { at: { left, top, right, bottom }, direction, spread: 0.55, size: [120, 240] };
}

/** Signed distance to the nearest opening. */
function openings(u: number, v: number): number {
  let nearest = slotDistance(u - SLOT.x, v - SLOT.y, SLOT.halfLength, SLOT.radius);
  for (const hole of HOLES) nearest = Math.min(nearest, circleDistance(u - hole.x, v - hole.y, hole.radius));
  return nearest;
}

function plate(scale: number): Layer {
  const margin = 60;
  const extent = {
    left: HALF_WIDTH + margin,
    right: HALF_WIDTH + margin,
    top: HALF_HEIGHT + margin,
    bottom: HALF_HEIGHT + margin,
  };
  const marking = new Ink(extent, scale);
  write(marking, 'OQ-2471-B', 98, 196, 26, 4.2);
  for (let tick = 0; tick <= 20; tick += 1) {
    const long = tick % 5 === 0;
    marking.line(-330 + tick * 21, -236, -330 + tick * 21, long ? -216 : -226, 2.4, 0.8);
  }
  const cloud = mottledTile(seededRandom(12), 90);
  const layer = paintLayer(extent, scale, (u, v, out, column, row) => {
    const edge = boxDistance(u, v, HALF_WIDTH, HALF_HEIGHT, CORNER);
    out[4] = coverage(edge * scale);
    if (out[4] === 0) return;
    const uneven = 1 + 0.025 * tileAt(cloud, column, row);
    let diffuse = 0.27 * uneven;
    let sheen = 0.24 * uneven;
    if (edge > -8) {
      const [nx, ny] = outward(u, v);
      const lit = nx * LIGHT_X + ny * LIGHT_Y;
      const bevel = smoothstep(-7, -4.5, edge);
      diffuse = mix(diffuse, 0.3 + 0.3 * lit, bevel);
      sheen = mix(sheen, Math.max(0.02, 0.2 + 0.34 * lit), bevel);
      diffuse += 0.12 * Math.exp(-((edge + 6.4) ** 2) / 1.2);
    }
    const engraved = marking.at(column, row);
    diffuse = mix(diffuse, 0.07, engraved * 0.85);
    sheen = mix(sheen, 0.05, engraved * 0.85);
    blend(out, diffuse, sheen, 1);
    opening(
      out,
      u - SLOT.x - clamp(u - SLOT.x, -SLOT.halfLength, SLOT.halfLength),
      v - SLOT.y,
      SLOT.radius,
      SLOT.bevel,
      scale,
    );
    for (const hole of HOLES) {
      const du = u - hole.x;
      const dv = v - hole.y;
      if (Math.abs(du) < hole.bevel + 6 && Math.abs(dv) < hole.bevel + 6)
        opening(out, du, dv, hole.radius, hole.bevel, scale);
    }
  });
  return castShadows(layer, [
    { dx: 5, dy: 8, blur: 4, strength: 0.75 },
    { dx: 14, dy: 20, blur: 14, strength: 0.6 },
  ]);
}

/** Blends one opening over the metal: bevel turned on a lathe, wall lit on the far side, dark floor. */
function opening(out: Float32Array, du: number, dv: number, radius: number, bevel: number, scale: number): void {
  const distance = Math.hypot(du, dv);
  const ring = coverage((distance - bevel) * scale);
  if (ring === 0) {
    const shade = smoothstep(bevel + 5, bevel, distance) * 0.16;
    for (let channel = 0; channel < 4; channel += 1) out[channel] *= 1 - shade;
    return;
  }
  const nx = du / (distance || 1);
  const ny = dv / (distance || 1);
  const facing = -(nx * LIGHT_X + ny * LIGHT_Y);
  const turned = (nx * 0.8 - ny * 0.6) ** 8;
  blend(out, 0.26 + 0.24 * facing, 0.2 + 0.18 * facing + 0.3 * turned, ring);
  const inside = coverage((distance - radius) * scale);
  if (inside === 0) return;
  const reach = Math.min(10, radius * 0.3);
  const floor = Math.hypot(du - reach * LIGHT_X, dv - reach * LIGHT_Y) - radius + 1.5;
  const wall = 0.05 + 0.16 * Math.max(0, facing) ** 1.5;
  const depth = coverage((floor * scale) / 2.5);
  const bottom = 0.012 + 0.02 * smoothstep(-radius, radius, du * -LIGHT_X + dv * -LIGHT_Y);
  blend(out, mix(wall, bottom, depth), 0.03 * (1 - depth), inside);
  const rim = Math.exp(-(((distance - radius) * 0.9) ** 2)) * Math.max(0, facing) * 0.25;
  for (let channel = 0; channel < 3; channel += 1) out[channel] += rim;
}

/** Neutral metal, a trace cooler than the light. */
function blend(out: Float32Array, diffuse: number, sheen: number, share: number): void {
  out[0] = mix(out[0], diffuse * 0.985, share);
  out[1] = mix(out[1], diffuse, share);
  out[2] = mix(out[2], diffuse * 1.02, share);
  out[3] = mix(out[3], sheen, share);
}

/** Direction out of the plate at a point near its border. */
function outward(u: number, v: number): [number, number] {
  const step = 0.5;
  const at = (x: number, y: number) => boxDistance(x, y, HALF_WIDTH, HALF_HEIGHT, CORNER);
  const dx = at(u + step, v) - at(u - step, v);
  const dy = at(u, v + step) - at(u, v - step);
  const length = Math.hypot(dx, dy) || 1;
  return [dx / length, dy / length];
}

function label(scale: number): Layer {
  const margin = 12;
  const w = LABEL_HALF_WIDTH;
  const h = LABEL_HALF_HEIGHT;
  const extent = { left: w + margin, right: w + margin, top: h + margin, bottom: h + margin };
  const ink = new Ink(extent, scale);
  const random = seededRandom(21);
  write(ink, 'ORBITAL DRIVES', -w + 68, -h + 20, 22, 4.6);
  drawEmblem(ink, -w + 36, -h + 31);
  ink.rectangle(-w + 14, -h + 54, 2 * w - 28, 3);
  write(ink, 'TYPE  PX-240/4', -w + 16, -h + 68, 17, 3);
  write(ink, '24V  1.5A  IP67', -w + 16, -h + 94, 17, 3);
  write(ink, 'REV C  2026/07', -w + 16, -h + 120, 17, 3);
  drawMatrix(ink, w - 90, -h + 66, 74, random);
  drawBars(ink, -w + 16, h - 76, 254, 42, random);
  write(ink, '2 471240 071826', -w + 36, h - 27, 13, 2.4);
  const mottle = mottledTile(seededRandom(22), 3);
  const layer = paintLayer(extent, scale, (u, v, out, column, row) => {
    const edge = boxDistance(u, v, w, h, 9);
    out[4] = coverage(edge * scale);
    if (out[4] === 0) return;
    const fibre = tileAt(mottle, column, row);
    const paper = 0.66 + 0.008 * fibre - 0.09 * smoothstep(-2.5, 0, edge);
    const density = ink.at(column, row) * (0.96 + 0.02 * fibre);
    out[0] = mix(paper, 0.028, density);
    out[1] = mix(paper * 0.995, 0.028, density);
    out[2] = mix(paper * 0.955, 0.031, density);
    out[3] = mix(0.045, 0.02, density);
  });
  return castShadows(layer, [{ dx: 1, dy: 2, blur: 2, strength: 0.5 }]);
}

function drawEmblem(ink: Ink, x: number, y: number): void {
  for (let step = 0; step < 40; step += 1) {
    const from = (step / 40) * 2 * Math.PI;
    const to = ((step + 1) / 40) * 2 * Math.PI;
    ink.line(x + 17 * Math.cos(from), y + 17 * Math.sin(from), x + 17 * Math.cos(to), y + 17 * Math.sin(to), 4);
    ink.line(x + 21 * Math.cos(from), y + 8 * Math.sin(from), x + 21 * Math.cos(to), y + 8 * Math.sin(to), 2.4);
  }
  ink.line(x, y, x, y, 11);
}

/** A square code of dark and light modules with a solid border on two sides. */
function drawMatrix(ink: Ink, x: number, y: number, side: number, random: () => number): void {
  const count = 16;
  const module = side / count;
  for (let row = 0; row < count; row += 1) {
    for (let column = 0; column < count; column += 1) {
      const border = column === 0 || row === count - 1;
      const clock = (row === 0 && column % 2 === 0) || (column === count - 1 && row % 2 === 1);
      const data = row > 0 && column < count - 1 && random() < 0.5;
      if (border || clock || data) ink.rectangle(x + column * module, y + row * module, module, module);
    }
  }
}

/** Bars one to three modules wide with gaps one to three modules wide. */
function drawBars(ink: Ink, x: number, y: number, width: number, height: number, random: () => number): void {
  const module = 2.4;
  let at = x;
  while (at < x + width) {
    const bar = (1 + Math.floor(random() * 3)) * module;
    ink.rectangle(at, y, Math.min(bar, x + width - at), height);
    at += bar + (1 + Math.floor(random() * 3)) * module;
  }
}

/** A black anodised tooling plate with a grid of tapped holes and round locating pins, a little out of focus. */
function fixture(width: number, height: number, scale: number): Float32Array {
  const fine = mottledTile(seededRandom(31), 2);
  const coarse = mottledTile(seededRandom(32), 60);
  const brushed = brushedTile();
  const pins = [
    { x: -480, y: -120 },
    { x: -480, y: 120 },
    { x: -200, y: 306 },
    { x: 200, y: 306 },
  ];
  const layer = paintLayer(
    { left: width / 2 / scale, right: width / 2 / scale, top: height / 2 / scale, bottom: height / 2 / scale },
    scale,
    (u, v, out, column, row) => {
      let value =
        0.036 *
        (1 +
          0.16 * tileAt(fine, column, row) +
          0.09 * tileAt(coarse, column, row) +
          0.06 * tileAt(brushed, row, column));
      const cellX = u - Math.round((u - 40) / 80) * 80 - 40;
      const cellY = v - Math.round((v - 40) / 80) * 80 - 40;
      const tapped = Math.hypot(cellX, cellY);
      const facing = -(cellX * LIGHT_X + cellY * LIGHT_Y) / (tapped || 1);
      if (tapped < 13) {
        value = mix(value, 0.045 + 0.04 * facing, coverage(tapped - 11.5));
        value = mix(value, 0.008 + 0.006 * Math.max(0, facing), coverage(tapped - 8.5));
      }
      let cool = 1.08;
      for (const pin of pins) {
        const shadow = Math.hypot(u - pin.x - 8, v - pin.y - 12);
        value *= 1 - 0.75 * smoothstep(32, 18, shadow);
        const distance = Math.hypot(u - pin.x, v - pin.y);
        const lit = -((u - pin.x) * LIGHT_X + (v - pin.y) * LIGHT_Y) / 22;
        const steel = distance < 15 ? 0.24 + 0.05 * Math.cos(distance * 1.6) : 0.2 - 0.16 * lit;
        const share = coverage((distance - 21) * scale);
        value = mix(value, steel, share);
        cool = mix(cool, 1.02, share);
      }
      out[0] = value;
      out[1] = value * 1.01;
      out[2] = value * cool;
      out[4] = 1;
    },
  );
  return defocus(layer);
}
