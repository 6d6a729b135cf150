import { type Random, seededRandom } from '../domain';
import { CHANNELS, type Layer } from './layer';
import { between, normal, TILE } from './noise';
import { bowAt, type Pose } from './pose';
import type { Scene } from './scene';
import { clamp } from './shapes';

/** How one part is lit. */
export interface Light {
  /** Factors on linear red, green and blue. */
  readonly gain: readonly [number, number, number];
  /** Change of brightness from the centre to the right and bottom border. */
  readonly gradientX: number;
  readonly gradientY: number;
  /** Strength of what metal and plastic mirror, per column and row of the picture. */
  readonly highlightX: Float32Array;
  readonly highlightY: Float32Array;
}

/** @param strength 0..3: how much the light changes from part to part */
export function lightFor(scene: Scene, random: Random, strength: number): Light {
  const vary = (amount: number) => 1 + between(random, -amount, amount) * strength;
  const brightness = vary(0.05);
  const warmth = between(random, -0.022, 0.022) * strength;
  const gradientX = 0.05 + between(random, -0.04, 0.04) * strength;
  const gradientY = -0.04 + between(random, -0.04, 0.04) * strength;
  const { base, band, centre, width } = scene.highlight;
  const shift = between(random, -0.03, 0.03) * strength;
  const power = vary(0.1);
  const highlightX = Float32Array.from({ length: scene.width }, (_, x) => {
    const at = (x / scene.width - centre - shift) / width;
    const second = (x / scene.width - centre - shift - 0.42) / (width * 0.55);
    return power * (base + band * (Math.exp(-at * at) + 0.45 * Math.exp(-second * second)));
  });
  const highlightY = Float32Array.from({ length: scene.height }, (_, y) => 1 - 0.22 * (y / scene.height - 0.35));
  return {
    gain: [brightness * (1 + warmth), brightness, brightness * (1 - warmth)],
    gradientX,
    gradientY,
    highlightX,
    highlightY,
  };
}

/** Where on the endless grain this part was cut. */
export interface Grain {
  readonly tile: Float32Array;
  readonly strength: number;
  readonly offsetU: number;
  readonly offsetV: number;
}

/** Lays a piece over the frame (linear RGB, interleaved), sampled bilinearly. */
export function drawLayer(
  frame: Float32Array,
  scene: Scene,
  layer: Layer,
  pose: Pose,
  light: Light,
  grain: Grain,
): void {
  const { width, height } = scene;
  const cos = Math.cos(pose.angle);
  const sin = Math.sin(pose.angle);
  const ratio = layer.scale / pose.scale;
  const box = drawnBox(layer, pose, width, height);
  const { pixels } = layer;
  const bent = pose.bow !== 0;
  const channels = CHANNELS;
  const stride = layer.width * channels;
  const tileSide = TILE;
  const mask = tileSide - 1;
  const { tile, strength, offsetU, offsetV } = grain;
  const { highlightX, highlightY } = light;
  const originX = layer.left * layer.scale - 0.5;
  const originY = layer.top * layer.scale - 0.5;
  const stepX = cos * ratio;
  const stepY = -sin * ratio;
  const lastColumn = layer.width - 1;
  const lastRow = layer.height - 1;
  for (let y = box.top; y < box.bottom; y += 1) {
    const dy = y + 0.5 - pose.y;
    const mirrorRow = highlightY[y];
    const rowStart = dy * cos * ratio + originY;
    const columnStart = dy * sin * ratio + originX;
    for (let x = box.left; x < box.right; x += 1) {
      const dx = x + 0.5 - pose.x;
      const column = dx * stepX + columnStart;
      if (column < 0 || column >= lastColumn) continue;
      let row = dx * stepY + rowStart;
      if (bent) row -= bowAt(pose, (column + 0.5) / layer.scale - layer.left) * layer.scale;
      if (row < 0 || row >= lastRow) continue;
      const wholeColumn = column | 0;
      const wholeRow = row | 0;
      const fx = column - wholeColumn;
      const fy = row - wholeRow;
      const a = wholeRow * stride + wholeColumn * channels;
      const c = a + stride;
      const wb = fx * (1 - fy);
      const wa = 1 - fx - fy + fx * fy;
      const wd = fx * fy;
      const wc = fy - wd;
      const alpha = pixels[a + 4] * wa + pixels[a + 9] * wb + pixels[c + 4] * wc + pixels[c + 9] * wd;
      if (alpha < 0.002) continue;
      const sheen = pixels[a + 3] * wa + pixels[a + 8] * wb + pixels[c + 3] * wc + pixels[c + 8] * wd;
      let texture = 1;
      let mirrored = 0;
      if (sheen > 0.001) {
        const tileRow = (wholeRow + offsetV) & mask;
        const tileColumn = (wholeColumn + offsetU) & mask;
        const upper = tile[tileRow * tileSide + tileColumn];
        const lower = tile[((tileRow + 1) & mask) * tileSide + tileColumn];
        texture = 1 + (upper + (lower - upper) * fy) * sheen * strength;
        mirrored = sheen * highlightX[x] * mirrorRow;
      }
      const clear = 1 - alpha;
      const index = (y * width + x) * 3;
      frame[index] =
        frame[index] * clear +
        (pixels[a] * wa + pixels[a + 5] * wb + pixels[c] * wc + pixels[c + 5] * wd + mirrored) * texture;
      frame[index + 1] =
        frame[index + 1] * clear +
        (pixels[a + 1] * wa + pixels[a + 6] * wb + pixels[c + 1] * wc + pixels[c + 6] * wd + mirrored) * texture;
      frame[index + 2] =
        frame[index + 2] * clear +
        (pixels[a + 2] * wa + pixels[a + 7] * wb + pixels[c + 2] * wc + pixels[c + 7] * wd + mirrored) * texture;
    }
  }
}

/** The part of the picture a layer can touch. */
function drawnBox(layer: Layer, pose: Pose, width: number, height: number) {
  const right = layer.width / layer.scale - layer.left;
  const bottom = layer.height / layer.scale - layer.top;
  const cos = Math.cos(pose.angle) * pose.scale;
  const sin = Math.sin(pose.angle) * pose.scale;
  const corners = [-layer.left, right].flatMap((u) => [-layer.top, bottom].map((v) => [u, v]));
  const xs = corners.map(([u, v]) => pose.x + u * cos - v * sin);
  const ys = corners.map(([u, v]) => pose.y + u * sin + v * cos);
  const spare = Math.ceil(Math.abs(pose.bow) * 2 * pose.scale) + 1;
  return {
    left: Math.max(0, Math.floor(Math.min(...xs))),
    right: Math.min(width, Math.ceil(Math.max(...xs))),
    top: Math.max(0, Math.floor(Math.min(...ys)) - spare),
    bottom: Math.min(height, Math.ceil(Math.max(...ys)) + spare),
  };
}

const NOISE_LENGTH = 1 << 20;
const TONES = 4096;
/** Linear value at the end of the tone curve. */
const BRIGHTEST = 1.6;
/** Deviation of the sensor's noise, in steps of the 8-bit picture; the gamma makes shot noise about even. */
const NOISE_DEVIATION = 1.9;

let noise: Float32Array | undefined;
let tones: Float32Array | undefined;

/**
 * What the sensor makes of a frame: vignetting, gradient and gain, tone curve, noise, 8 bits.
 *
 * @param frame linear RGB, interleaved
 * @returns RGB, interleaved
 */
export function expose(frame: Float32Array, scene: Scene, light: Light, random: Random): Uint8ClampedArray {
  const { width, height } = scene;
  noise ??= sensorNoise();
  tones ??= toneCurve();
  const result = new Uint8ClampedArray(width * height * 3);
  const [red, green, blue] = light.gain;
  const toTone = TONES / BRIGHTEST;
  const across = Float32Array.from({ length: width }, (_, x) => (2 * x) / width - 1);
  for (let y = 0; y < height; y += 1) {
    const down = (2 * y) / height - 1;
    const rowGain = 1 + light.gradientY * down;
    let grain = Math.floor(random() * (NOISE_LENGTH - width * 3));
    let index = y * width * 3;
    for (let x = 0; x < width; x += 1) {
      const side = across[x];
      const falloff = 1 - 0.055 * (side * side + down * down * 0.4) - 0.02 * side * side * down * down;
      const gain = (rowGain + light.gradientX * side) * falloff * toTone;
      const r = frame[index] * gain * red;
      const g = frame[index + 1] * gain * green;
      const b = frame[index + 2] * gain * blue;
      result[index] = tones[r < TONES ? r | 0 : TONES] + noise[grain];
      result[index + 1] = tones[g < TONES ? g | 0 : TONES] + noise[grain + 1];
      result[index + 2] = tones[b < TONES ? b | 0 : TONES] + noise[grain + 2];
      index += 3;
      grain += 3;
    }
  }
  return result;
}

/** Gaussian noise with a little correlation from pixel to pixel and between colours, as demosaicing leaves it. */
function sensorNoise(): Float32Array {
  const random = seededRandom(51);
  const values = new Float32Array(NOISE_LENGTH);
  for (let index = 0; index < NOISE_LENGTH; index += 3) {
    const common = normal(random);
    for (let channel = 0; channel < 3 && index + channel < NOISE_LENGTH; channel += 1) {
      const before = index >= 3 ? values[index + channel - 3] / NOISE_DEVIATION : 0;
      values[index + channel] = NOISE_DEVIATION * (0.3 * before + 0.67 * common + 0.68 * normal(random));
    }
  }
  return values;
}

/** From linear light to 8 bits: gamma with a soft shoulder. */
function toneCurve(): Float32Array {
  return Float32Array.from({ length: TONES + 1 }, (_, index) => {
    const linear = (index / TONES) * BRIGHTEST;
    const shoulder = 0.6;
    const bent =
      linear < shoulder ? linear : shoulder + (1 - shoulder) * Math.tanh((linear - shoulder) / (1 - shoulder));
    return 3 + 252 * clamp(bent, 0, 1) ** (1 / 2.2);
  });
}
