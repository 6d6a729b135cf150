import { seededRandom } from '../../../engine/domain';
import { encodeJpeg } from '../../../engine/imaging';

export interface DrawnPicture {
  readonly seed: number;
  /** Draws a dark blot at a place that depends on the seed. */
  readonly defective?: boolean;
  readonly width?: number;
  readonly height?: number;
  /** Where the blot lies, in pixels; a square of 24 somewhere unless told. */
  readonly blot?: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
}

/** Where the blot of a defective picture lies. */
export function blotOf({ seed, width = 160, height = 120, blot }: DrawnPicture) {
  if (blot) return blot;
  const random = seededRandom(seed + 77);
  const size = 24;
  return {
    x: Math.floor(random() * (width - size)),
    y: Math.floor(random() * (height - size)),
    width: size,
    height: size,
  };
}

/** A picture of woven stripes with noise, drawn for tests: the same seed gives the same bytes. */
export function drawPicture(options: DrawnPicture): Promise<Buffer> {
  const { seed, defective = false, width = 160, height = 120 } = options;
  const random = seededRandom(seed);
  const phase = random() * 6;
  const light = 0.9 + 0.2 * random();
  const blot = blotOf(options);
  // beside the blot the picture is that of the good part
  const stain = seededRandom(seed + 78);
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const inside = x >= blot.x && x < blot.x + blot.width && y >= blot.y && y < blot.y + blot.height;
      const weave = 128 + 40 * Math.sin(x / 4 + phase) + 30 * Math.sin(y / 5) + 12 * (random() - 0.5);
      const value = defective && inside ? 20 + 10 * stain() : weave * light;
      for (let channel = 0; channel < 3; channel += 1) {
        pixels[(y * width + x) * 3 + channel] = Math.min(255, Math.max(0, value - 10 * channel));
      }
    }
  }
  return encodeJpeg(pixels, width, height, 92);
}

/** `count` good pictures with consecutive seeds. */
export async function drawGood(
  count: number,
  firstSeed = 1,
  size: Pick<DrawnPicture, 'width' | 'height'> = {},
): Promise<{ name: string; picture: Buffer }[]> {
  const seeds = Array.from({ length: count }, (_, index) => firstSeed + index);
  return Promise.all(
    seeds.map(async (seed) => ({ name: `good-${seed}.jpg`, picture: await drawPicture({ seed, ...size }) })),
  );
}
