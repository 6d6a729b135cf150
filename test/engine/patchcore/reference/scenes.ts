import sharp from 'sharp';
import { seededRandom } from '../../../../engine/domain';
import type { Plane } from '../../../../engine/patchcore/reference/plane';

/** Brightness 0..1 at any place of an endless drawing of discs and bars, with soft edges. */
export type Scene = (x: number, y: number) => number;

/** The same seed draws the same part; about every 40 units there is a disc or a bar. */
export function partScene(seed: number): Scene {
  const cell = 40;
  return (x, y) => {
    let value = 0.2;
    for (let row = Math.floor(y / cell) - 1; row <= Math.floor(y / cell) + 1; row += 1) {
      for (let column = Math.floor(x / cell) - 1; column <= Math.floor(x / cell) + 1; column += 1) {
        const random = seededRandom(seed * 7919 + row * 104_729 + column * 1_299_709);
        random();
        const middleX = (column + 0.3 + 0.4 * random()) * cell;
        const middleY = (row + 0.3 + 0.4 * random()) * cell;
        const radius = cell * (0.15 + 0.15 * random());
        const brightness = 0.5 + 0.4 * random();
        const isDisc = random() < 0.5;
        const far = isDisc
          ? Math.hypot(x - middleX, y - middleY)
          : Math.max(Math.abs(x - middleX), 2.5 * Math.abs(y - middleY));
        const share = Math.min(1, Math.max(0, radius - far + 0.5));
        value = value * (1 - share) + brightness * share;
      }
    }
    return value;
  };
}

/** What a camera sees that has `scene(place(x, y))` at each pixel. */
export function planeOf(
  scene: Scene,
  width: number,
  height: number,
  place: (x: number, y: number) => readonly [x: number, y: number] = (x, y) => [x, y],
): Plane {
  const data = new Float32Array(width * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) data[y * width + x] = scene(...place(x, y));
  }
  return { data, width, height };
}

/** A PNG of three planes, 0..1, or of the same plane thrice. */
export function pngOf(red: Plane, green = red, blue = red): Promise<Buffer> {
  const { width, height } = red;
  const pixels = new Uint8Array(width * height * 3);
  for (const [band, { data }] of [red, green, blue].entries()) {
    for (let place = 0; place < data.length; place += 1) {
      pixels[place * 3 + band] = Math.round(255 * Math.min(1, Math.max(0, data[place])));
    }
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 1 })
    .toBuffer();
}

/** A copy with a filled rectangle. */
export function withBlot(plane: Plane, x: number, y: number, width: number, height: number, value: number): Plane {
  const data = plane.data.slice();
  for (let row = y; row < y + height; row += 1) data.fill(value, row * plane.width + x, row * plane.width + x + width);
  return { ...plane, data };
}
