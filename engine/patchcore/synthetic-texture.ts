import type { Random } from '../domain';
import type { PlanarPicture } from '../imaging';
import { between, type Shape, type ShapeWish, turn } from './synthetic-shapes';

/** What a defect lies on. */
export interface Surroundings {
  readonly mean: readonly number[];
  readonly luminance: number;
  /** Standard deviation of the luminance, 0.03..0.15: what is smaller hides nothing, what is larger is a contour. */
  readonly variation: number;
  readonly isColoured: boolean;
}

export function lookUnder({ data, width, height }: PlanarPicture, { box, alpha }: Shape): Surroundings {
  const area = width * height;
  const sums = [0, 0, 0];
  let [count, squares, colour] = [0, 0, 0];
  for (let index = 0; index < alpha.length; index += 1) {
    if (!(alpha[index] > 0)) continue;
    const place = (box.y + Math.floor(index / box.width)) * width + box.x + (index % box.width);
    const [red, green, blue] = [data[place], data[area + place], data[2 * area + place]];
    sums[0] += red;
    sums[1] += green;
    sums[2] += blue;
    squares += ((red + green + blue) / 3) ** 2;
    colour += Math.max(red, green, blue) - Math.min(red, green, blue);
    count += 1;
  }
  const mean = sums.map((sum) => sum / Math.max(count, 1));
  const luminance = (mean[0] + mean[1] + mean[2]) / 3;
  const deviation = Math.sqrt(Math.max(0, squares / Math.max(count, 1) - luminance * luminance));
  return {
    mean,
    luminance,
    variation: Math.min(0.15, Math.max(0.03, deviation)),
    isColoured: colour > 0.01 * count,
  };
}

/** From below the variation of the surroundings to well above it. */
export function contrast({ variation }: Surroundings, random: Random): number {
  return variation * Math.exp(between(random, Math.log(0.7), Math.log(2.5)));
}

/** 1 lighter, -1 darker; where there is no room for one, the other. */
export function direction({ luminance }: Surroundings, lighterShare: number, random: Random): number {
  const lighter = random() < lighterShare;
  if (luminance < 0.15) return 1;
  if (luminance > 0.85) return -1;
  return lighter ? 1 : -1;
}

/** The value of a channel at a pixel. */
export type Texture = (channel: number, x: number, y: number) => number;

/**
 * Reads a turned and scaled part of the lender, taken from a random place that counts, as if it lay at the wished place.
 *
 * @param places indices of the pixels that count, for a lender of the picture's size
 */
export function lent(
  lender: PlanarPicture,
  places: Uint32Array,
  wish: ShapeWish,
  scale: number,
  random: Random,
): Texture {
  const counting = lender.width === wish.width && lender.height === wish.height ? places : null;
  const area = lender.width * lender.height;
  const place = counting === null ? Math.floor(random() * area) : counting[Math.floor(random() * counting.length)];
  const x0 = (place % lender.width) + 0.5;
  const y0 = Math.floor(place / lender.width) + 0.5;
  const turned = turn(random() * 2 * Math.PI);
  return (channel, x, y) => {
    const [across, down] = turned((x + 0.5 - wish.x) * scale, (y + 0.5 - wish.y) * scale);
    return sample(lender, channel, x0 + across - 0.5, y0 + down - 0.5);
  };
}

/**
 * A texture with a gain, mostly brought as close to the light of its surroundings as their own variation is wide: otherwise a dark patch on bright metal would be the rule, and an easy one.
 */
export function toned(
  texture: Texture,
  gain: number,
  { box, alpha }: Shape,
  surroundings: Surroundings,
  random: Random,
): Texture {
  const sums = [0, 0, 0];
  let count = 0;
  for (let index = 0; index < alpha.length; index += 1) {
    if (alpha[index] < 0.5) continue;
    const x = box.x + (index % box.width);
    const y = box.y + Math.floor(index / box.width);
    for (let channel = 0; channel < 3; channel += 1) sums[channel] += gain * texture(channel, x, y);
    count += 1;
  }
  const means = sums.map((sum) => sum / Math.max(count, 1));
  const apart = Math.abs((means[0] + means[1] + means[2]) / 3 - surroundings.luminance);
  const wanted = contrast(surroundings, random);
  const pull = random() < 0.8 ? Math.max(0, 1 - wanted / Math.max(apart, 1e-6)) : 0;
  const offsets = means.map((mean, channel) => pull * (surroundings.mean[channel] - mean));
  return (channel, x, y) => gain * texture(channel, x, y) + offsets[channel];
}

/** Bilinear; mirrored at the edges. */
function sample({ data, width, height }: PlanarPicture, channel: number, x: number, y: number): number {
  const left = Math.floor(x);
  const top = Math.floor(y);
  const first = channel * width * height + reflected(top, height) * width;
  const second = channel * width * height + reflected(top + 1, height) * width;
  const from = reflected(left, width);
  const to = reflected(left + 1, width);
  const upper = data[first + from] * (1 - x + left) + data[first + to] * (x - left);
  const lower = data[second + from] * (1 - x + left) + data[second + to] * (x - left);
  return upper * (1 - y + top) + lower * (y - top);
}

function reflected(index: number, length: number): number {
  const within = ((index % (2 * length)) + 2 * length) % (2 * length);
  return within < length ? within : 2 * length - 1 - within;
}
