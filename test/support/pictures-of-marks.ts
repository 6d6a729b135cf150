import sharp from 'sharp';

/** Red, green and blue, 0..255. */
export type Colour = readonly [number, number, number];
export const RED: Colour = [255, 0, 0];
export const GREEN: Colour = [0, 255, 0];
export const BLUE: Colour = [0, 0, 255];

/** A rectangle of one colour: left, top, width and height in pixels. */
export type Mark = readonly [Colour, number, number, number, number];

/** A black PNG with rectangles on it. */
export function painted(width: number, height: number, marks: readonly Mark[]): Promise<Buffer> {
  const data = Buffer.alloc(width * height * 3);
  for (const [colour, left, top, markWidth, markHeight] of marks) {
    for (let y = top; y < top + markHeight; y += 1) {
      for (let x = left; x < left + markWidth; x += 1) data.set(colour, (y * width + x) * 3);
    }
  }
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}
