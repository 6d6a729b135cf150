import type { Box, Random } from '../domain';
import type { PlanarPicture } from '../imaging';
import { between, blob, cloud, gradientNoise, line, panel, type Shape, type ShapeWish } from './synthetic-shapes';
import { contrast, direction, lent, lookUnder, type Surroundings, toned } from './synthetic-texture';

export const SYNTHETIC_KINDS = ['cut-paste', 'scratch', 'stain', 'noise'] as const;
export type SyntheticKind = (typeof SYNTHETIC_KINDS)[number];

/** Where a defect may lie: a grid of any size over the whole picture, above 0 counts (for example `patchCounts`). */
export interface CountingGrid {
  readonly data: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
}

export interface PaintedDefect {
  /** A copy, [3 x height x width], 0..1. */
  readonly data: Float32Array;
  /** Row-major [height x width], 1 where a channel was changed by at least {@link LEAST_CHANGE}; the rest is as it was. */
  readonly mask: Uint8Array;
  readonly kind: SyntheticKind;
  /** Smallest box around the mask. */
  readonly box: Box;
}

/** Smaller changes of a pixel are not painted. */
export const LEAST_CHANGE = 2 / 255;

/** Area of a defect as a share of the area that counts. */
const SMALLEST = 0.001;
const LARGEST = 0.04;
/** Part of a defect that must lie where the picture counts. */
const LEAST_INSIDE = 0.6;
const ATTEMPTS = 12;

/**
 * Paints one defect on the picture of a good part: a yardstick for choosing a method when real defects are not there.
 * Wished areas are spread from 0.1 % to 4 % of what counts (an edge may cut them), contrasts around the variation that the
 * picture itself has there, so that many are hard to see. Nothing learnt from them may become a threshold.
 *
 * - `cut-paste`: a patch from another place or picture, turned and lit a little differently (Li et al. 2021, "CutPaste")
 * - `scratch`: a thin line, darker or lighter than its surroundings
 * - `stain`: a soft spot, darker, lighter or tinted
 * - `noise`: ragged islands that let another texture shine through (Zavrtanik et al. 2021, "DRAEM")
 *
 * @param donor another picture of the same kind; null: the picture itself lends
 * @param random the same numbers give the same defect
 * @param counts null: the whole picture counts; a grid that counts nowhere is taken for null
 */
export function paintDefect(
  picture: PlanarPicture,
  donor: PlanarPicture | null,
  random: Random,
  counts: CountingGrid | null = null,
): PaintedDefect {
  const counting = countingOf(picture, counts);
  const kind = SYNTHETIC_KINDS[Math.floor(random() * SYNTHETIC_KINDS.length)];
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    // lending nothing but the same again, as on a picture of one colour, makes no defect
    const now = attempt < ATTEMPTS / 2 || kind === 'scratch' ? kind : 'stain';
    const wish = drawWish(picture, counting, random);
    const shape = drawShape(now, wish, random);
    if (shareInside(shape, picture, counting) < LEAST_INSIDE) continue;
    const surroundings = lookUnder(picture, shape);
    const colours = COLOURS[now]({ picture, donor, counting, shape, wish, surroundings, random });
    const painted = blend(picture, shape, colours);
    if (painted !== null && isVisible(painted, picture, shape, surroundings, now)) return { ...painted, kind: now };
  }
  return boldStain(picture, counting, random);
}

interface Scene {
  readonly picture: PlanarPicture;
  readonly donor: PlanarPicture | null;
  readonly counting: Counting;
  readonly shape: Shape;
  readonly wish: ShapeWish;
  readonly surroundings: Surroundings;
  readonly random: Random;
}

/** The new value of a channel at a place, given the old one, where the defect covers it wholly. */
type Colours = (old: number, channel: number, x: number, y: number) => number;

function drawShape(kind: SyntheticKind, wish: ShapeWish, random: Random): Shape {
  if (kind === 'scratch') return line(wish, random);
  if (kind === 'stain') return blob(wish, between(random, 0.25, 1), random);
  if (kind === 'noise') return cloud(wish, random);
  return random() < 0.4 ? panel(wish, random) : blob(wish, 0.15, random);
}

const COLOURS: Readonly<Record<SyntheticKind, (scene: Scene) => Colours>> = {
  'cut-paste': (scene) => {
    const { random } = scene;
    const texture = borrowed(scene, between(random, 0.85, 1.2), between(random, 0.85, 1.15));
    return (_, channel, x, y) => texture(channel, x, y);
  },
  scratch: ({ surroundings, random }) => {
    const step = direction(surroundings, 0.5, random) * 1.3 * contrast(surroundings, random);
    const level = between(random, 0, 0.5);
    // a groove has less texture than what it runs through
    return (old, channel) => old + level * (surroundings.mean[channel] - old) + step;
  },
  stain: ({ surroundings, shape, random }) => {
    const { luminance, isColoured } = surroundings;
    const tint = [0, 1, 2].map(() => (isColoured ? between(random, 0.4, 1) : 1));
    const lighter = direction(surroundings, 0.3, random) > 0;
    const room = lighter ? 1 - luminance : luminance;
    // its soft edge takes from its strength
    const strength = Math.min(0.85, (1.6 * contrast(surroundings, random)) / Math.max(room, 0.05));
    const { box } = shape;
    const side = Math.max(box.width, box.height);
    const clouds = gradientNoise(side, Math.max(3, side / 5), random);
    return (old, channel, x, y) => {
      const share = strength * tint[channel] * (1 + 0.35 * clouds(x - box.x, y - box.y));
      return lighter ? old + share * (1 - old) : old * (1 - share);
    };
  },
  noise: (scene) => {
    const { random } = scene;
    const texture = borrowed(scene, Math.exp(between(random, -0.7, 0.7)), between(random, 0.75, 1.25));
    const share = between(random, 0.4, 0.9);
    return (old, channel, x, y) => old + share * (texture(channel, x, y) - old);
  },
};

function borrowed({ picture, donor, counting, wish, shape, surroundings, random }: Scene, scale: number, gain: number) {
  const lender = donor !== null && random() < 0.6 ? donor : picture;
  return toned(lent(lender, counting.places, wish, scale, random), gain, shape, surroundings, random);
}

/** Lays the colours over the picture; null when no pixel changes enough. */
function blend(picture: PlanarPicture, { box, alpha }: Shape, colours: Colours): Omit<PaintedDefect, 'kind'> | null {
  const { width, height } = picture;
  const area = width * height;
  const data = picture.data.slice();
  const mask = new Uint8Array(area);
  const fresh = new Float32Array(3);
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let row = 0; row < box.height; row += 1) {
    for (let column = 0; column < box.width; column += 1) {
      const cover = alpha[row * box.width + column];
      if (!(cover > 0)) continue;
      const x = box.x + column;
      const y = box.y + row;
      const place = y * width + x;
      let change = 0;
      for (let channel = 0; channel < 3; channel += 1) {
        const old = picture.data[channel * area + place];
        fresh[channel] = Math.min(1, Math.max(0, old + cover * (colours(old, channel, x, y) - old)));
        change = Math.max(change, Math.abs(fresh[channel] - old));
      }
      if (change < LEAST_CHANGE) continue;
      for (let channel = 0; channel < 3; channel += 1) data[channel * area + place] = fresh[channel];
      mask[place] = 1;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  if (right < 0) return null;
  return { data, mask, box: { x: left, y: top, width: right - left + 1, height: bottom - top + 1 } };
}

/**
 * False when less than half of the shape left a trace, and for a texture that replaced its like: pixels differ, but averaged
 * over small cells the change is well below the picture's own variation.
 */
function isVisible(
  painted: Omit<PaintedDefect, 'kind'>,
  picture: PlanarPicture,
  { box, alpha }: Shape,
  { variation }: Surroundings,
  kind: SyntheticKind,
): boolean {
  const { width, height } = picture;
  const area = width * height;
  const side = kind === 'scratch' ? 1 : Math.max(2, Math.round(Math.min(width, height) / 56));
  const columns = Math.ceil(box.width / side);
  const changes = new Float64Array(columns * Math.ceil(box.height / side));
  const covered = new Float64Array(changes.length);
  let [pixels, traces] = [0, 0];
  for (let index = 0; index < alpha.length; index += 1) {
    if (alpha[index] < 0.5) continue;
    const place = placeOf(box, index, width);
    const cell = Math.floor(index / box.width / side) * columns + Math.floor((index % box.width) / side);
    for (let at = place; at < 3 * area; at += area) changes[cell] += (painted.data[at] - picture.data[at]) / 3;
    covered[cell] += 1;
    pixels += 1;
    traces += painted.mask[place];
  }
  if (pixels === 0 || traces < pixels / 2) return false;
  const squares = changes.reduce((sum, change, cell) => sum + change ** 2 / Math.max(covered[cell], 1), 0);
  return Math.sqrt(squares / pixels) >= Math.max(0.015, 0.4 * variation);
}

/** Never fails: a spot within the area that counts, half of the way from the picture to black or white. */
function boldStain(picture: PlanarPicture, counting: Counting, random: Random): PaintedDefect {
  const wish = drawWish(picture, counting, random);
  const { box, alpha } = blob(wish, 0.5, random);
  const inside = alpha.map((cover, index) => (counting.flags[placeOf(box, index, picture.width)] === 1 ? cover : 0));
  // the wished place itself counts and is painted, however small the spot
  inside[(Math.floor(wish.y) - box.y) * box.width + Math.floor(wish.x) - box.x] = 1;
  const painted = blend(picture, { box, alpha: inside }, (old) => (old < 0.5 ? (1 + old) / 2 : old / 2));
  if (painted === null) throw new RangeError('the picture has values that are no numbers');
  return { ...painted, kind: 'stain' };
}

type Size = Pick<PlanarPicture, 'width' | 'height'>;

/** The pixels that count, as flags and as indices. */
interface Counting {
  readonly flags: Uint8Array;
  readonly places: Uint32Array;
}

function countingOf({ width, height }: Size, counts: CountingGrid | null): Counting {
  const flags = new Uint8Array(width * height);
  const places = new Uint32Array(width * height);
  let found = 0;
  for (let y = 0; y < height; y += 1) {
    const row = counts === null ? 0 : Math.floor(((y + 0.5) / height) * counts.height) * counts.width;
    for (let x = 0; x < width; x += 1) {
      if (counts !== null && !(counts.data[row + Math.floor(((x + 0.5) / width) * counts.width)] > 0)) continue;
      flags[y * width + x] = 1;
      places[found] = y * width + x;
      found += 1;
    }
  }
  return found > 0 ? { flags, places: places.subarray(0, found) } : countingOf({ width, height }, null);
}

function drawWish({ width, height }: PlanarPicture, { places }: Counting, random: Random): ShapeWish {
  const place = places[Math.floor(random() * places.length)];
  const share = Math.exp(between(random, Math.log(SMALLEST), Math.log(LARGEST)));
  return {
    x: (place % width) + 0.5,
    y: Math.floor(place / width) + 0.5,
    area: Math.max(4, share * places.length),
    width,
    height,
  };
}

function shareInside({ box, alpha }: Shape, picture: PlanarPicture, { flags }: Counting): number {
  let [inside, all] = [0, 0];
  for (let index = 0; index < alpha.length; index += 1) {
    all += alpha[index];
    if (flags[placeOf(box, index, picture.width)] === 1) inside += alpha[index];
  }
  return all > 0 ? inside / all : 0;
}

/** Index in the picture of a pixel of a box. */
function placeOf(box: Box, index: number, width: number): number {
  return (box.y + Math.floor(index / box.width)) * width + box.x + (index % box.width);
}
