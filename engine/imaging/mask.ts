import { InvalidInput } from '../domain';
import { decoder, unreadable } from './decode';
import { readPictureHeader } from './header';
import { defaultPictureLimits, type PictureLimits } from './limits';
import type { ViewFrame } from './views';

/** Which pixels of a picture count. Spans the whole picture, whatever the two sizes are. */
export interface Mask {
  readonly width: number;
  readonly height: number;
  /** Row-major, 1 counts, 0 does not. */
  readonly data: Uint8Array;
}

/**
 * Reads a mask picture (PNG or JPEG): light pixels count (grey 128 and above), dark and transparent ones do not.
 *
 * @throws {PictureUnreadable} as `inspectPicture`
 * @throws {InvalidInput} when no pixel counts
 */
export async function readMask(picture: Buffer, limits: PictureLimits = defaultPictureLimits): Promise<Mask> {
  const header = readPictureHeader(picture, limits);
  const { width, height } = header;
  let greys: Buffer;
  try {
    greys = await decoder(picture, header)
      .greyscale()
      .toColourspace('b-w')
      .extractChannel(0)
      .raw({ depth: 'uchar' })
      .toBuffer();
  } catch (error) {
    throw unreadable(error, picture);
  }
  const data = Uint8Array.from(greys, (grey) => (grey >= 128 ? 1 : 0));
  if (!data.includes(1)) {
    throw new InvalidInput('The mask is dark everywhere, so nothing would be inspected. Paint white what shall count.');
  }
  return { width, height, data };
}

/** True when the mask counts at a place of the source picture, in source pixels; outside the picture nothing counts. */
export function countsAt(mask: Mask, x: number, y: number, sourceWidth: number, sourceHeight: number): boolean {
  if (!(x >= 0 && y >= 0 && x < sourceWidth && y < sourceHeight)) return false;
  const column = Math.min(mask.width - 1, Math.floor((x / sourceWidth) * mask.width));
  const row = Math.min(mask.height - 1, Math.floor((y / sourceHeight) * mask.height));
  return mask.data[row * mask.width + column] === 1;
}

/**
 * Which patches of a view count: those whose centre shows the source (not the padding of a letterbox) where the mask
 * counts.
 *
 * @param mask null: everything counts
 * @param rows patches from top to bottom over the whole input
 * @returns row-major [rows x columns], 1 counts, 0 does not
 */
export function patchCounts(view: ViewFrame, mask: Mask | null, rows: number, columns: number): Float32Array {
  const { placement, source, width, height } = view;
  const { scaleX, scaleY, offsetX, offsetY, sourceWidth, sourceHeight } = placement;
  const counts = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    const y = (((row + 0.5) * height) / rows - offsetY) / scaleY;
    if (!(y >= source.y && y < source.y + source.height)) continue;
    for (let column = 0; column < columns; column += 1) {
      const x = (((column + 0.5) * width) / columns - offsetX) / scaleX;
      if (!(x >= source.x && x < source.x + source.width)) continue;
      if (mask === null || countsAt(mask, x, y, sourceWidth, sourceHeight)) counts[row * columns + column] = 1;
    }
  }
  return counts;
}
