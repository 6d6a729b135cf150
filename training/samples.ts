import sharp from 'sharp';
import type { DetectionTarget } from '../engine/detector';
import type { LabelledBox, Random } from '../engine/domain';
import { seededRandom } from '../engine/domain';
import { SIMULATED_CLASSES, simulatedDataset } from '../engine/simulator';
import { proceduralPicture, type TruePicture } from './procedural-pictures';

/** A picture kept encoded, with its boxes. */
export interface StoredPicture {
  readonly id: string;
  readonly picture: Buffer;
  readonly boxes: readonly LabelledBox[];
}

export interface Sample {
  /** Planar RGB, 0..1, [3 x height x width]. */
  readonly data: Float32Array;
  readonly targets: readonly DetectionTarget[];
}

export interface SampleSize {
  readonly width: number;
  readonly height: number;
}

/** Sizes the simulator's camera has in training: a picture is scaled down more or less to get into the network. */
const CAMERAS = [
  { width: 1280, height: 720, share: 0.3 },
  { width: 960, height: 540, share: 0.3 },
  { width: 640, height: 360, share: 0.4 },
] as const;
/** Share of parts with a defect. */
const DEFECT_RATE = 0.8;
/** Share of a box that must be left in the picture for it to count. */
const LEAST_VISIBLE = 0.5;
/** Sides shorter than this, in pixels of the input, cannot be found. */
const SMALLEST_SIDE = 3;

/**
 * Draws the pictures to learn from: both simulated products at three sizes, and surfaces of no product.
 *
 * @param simulated  how many pictures of simulated parts
 * @param procedural how many of other surfaces
 */
export async function drawPictures(simulated: number, procedural: number, seed: number): Promise<StoredPicture[]> {
  const pictures: StoredPicture[] = [];
  let next = seed;
  for (const { width, height, share } of CAMERAS) {
    const count = Math.round(simulated * share);
    const wish = { count, seed: next, defectRate: DEFECT_RATE, width, height, lightJitter: 1.3, positionJitter: 1.5 };
    for await (const { id, picture, boxes } of simulatedDataset(wish)) pictures.push({ id, picture, boxes });
    next += count;
  }
  for (let index = 0; index < procedural; index += 1) {
    const { pixels, width, height, boxes } = proceduralPicture(next + index);
    const picture = await sharp(pixels, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 90 })
      .toBuffer();
    pictures.push({ id: `surface-${next + index}`, picture, boxes });
  }
  return pictures;
}

/** A picture, decoded, turned, moved, scaled and lit by chance, as the network's input. */
export async function sampleOf(stored: StoredPicture, size: SampleSize, seed: number): Promise<Sample> {
  const { data, info } = await sharp(stored.picture).raw().toBuffer({ resolveWithObject: true });
  const picture = { pixels: data, width: info.width, height: info.height, boxes: stored.boxes };
  return varied(picture, size, seededRandom(seed));
}

function varied(picture: TruePicture, { width, height }: SampleSize, random: Random): Sample {
  const fit = Math.min(width / picture.width, height / picture.height);
  const scale = fit * Math.exp(between(random, Math.log(0.85), Math.log(1.6)));
  const mirrored = random() < 0.5;
  const upsideDown = random() < 0.3;
  const left = placed(width, picture.width * scale, random);
  const top = placed(height, picture.height * scale, random);

  const gain = between(random, 0.75, 1.25);
  const gamma = between(random, 0.8, 1.25);
  const casts = [0, 1, 2].map(() => between(random, 0.94, 1.06));
  const tones = casts.map((cast) =>
    Float32Array.from({ length: 256 }, (_, value) => Math.min(1, gain * cast * (value / 255) ** gamma)),
  );
  const area = width * height;
  const data = new Float32Array(3 * area).fill(114 / 255);
  const columns = axis(width, left, scale, picture.width, mirrored);
  const rows = axis(height, top, scale, picture.height, upsideDown);
  const { pixels } = picture;
  for (let y = 0; y < height; y += 1) {
    if (rows.first[y] < 0) continue;
    const upper = rows.first[y] * picture.width;
    const lower = rows.second[y] * picture.width;
    const below = rows.share[y];
    for (let x = 0; x < width; x += 1) {
      if (columns.first[x] < 0) continue;
      const [before, after, right] = [columns.first[x], columns.second[x], columns.share[x]];
      const [a, b, c, d] = [(upper + before) * 3, (upper + after) * 3, (lower + before) * 3, (lower + after) * 3];
      const to = y * width + x;
      for (let channel = 0; channel < 3; channel += 1) {
        const tone = tones[channel];
        const above = tone[pixels[a + channel]] * (1 - right) + tone[pixels[b + channel]] * right;
        const under = tone[pixels[c + channel]] * (1 - right) + tone[pixels[d + channel]] * right;
        data[channel * area + to] = above * (1 - below) + under * below;
      }
    }
  }
  return { data, targets: picture.boxes.flatMap((box) => target(box)) };

  function target({ label, box }: LabelledBox): DetectionTarget[] {
    const x = mirrored ? picture.width - box.x - box.width : box.x;
    const y = upsideDown ? picture.height - box.y - box.height : box.y;
    const x0 = Math.max(0, x * scale + left);
    const y0 = Math.max(0, y * scale + top);
    const x1 = Math.min(width, (x + box.width) * scale + left);
    const y1 = Math.min(height, (y + box.height) * scale + top);
    const visible = (Math.max(0, x1 - x0) * Math.max(0, y1 - y0)) / (box.width * box.height * scale * scale);
    if (visible < LEAST_VISIBLE || Math.min(x1 - x0, y1 - y0) < SMALLEST_SIDE) return [];
    const index = (SIMULATED_CLASSES as readonly string[]).indexOf(label);
    return [{ class: index, box: { x: x0, y: y0, width: x1 - x0, height: y1 - y0 } }];
  }
}

/** Where a length lies within another: anywhere inside when it is shorter, covering it when it is longer. */
function placed(room: number, length: number, random: Random): number {
  return random() * (room - length);
}

/** For each place along a side of the input: the two pixels of the picture it lies between (-1: outside), and how it does. */
function axis(count: number, offset: number, scale: number, length: number, reversed: boolean) {
  const first = new Int32Array(count).fill(-1);
  const second = new Int32Array(count);
  const share = new Float32Array(count);
  for (let place = 0; place < count; place += 1) {
    const from = (place + 0.5 - offset) / scale - 0.5;
    if (from < -0.5 || from > length - 0.5) continue;
    const held = Math.min(Math.max(from, 0), length - 1);
    const low = Math.floor(held);
    const high = Math.min(low + 1, length - 1);
    first[place] = reversed ? length - 1 - low : low;
    second[place] = reversed ? length - 1 - high : high;
    share[place] = held - low;
  }
  return { first, second, share };
}

function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random();
}
