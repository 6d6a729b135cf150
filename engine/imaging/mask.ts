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

/**
 * Where places along one axis of the source picture lie in a mask.
 *
 * @param places in source pixels
 * @param maskSide the mask's columns or rows
 * @returns column or row of the mask, -1 outside the picture
 */
export function cellsOf(places: Float64Array, sourceSide: number, maskSide: number): Int32Array {
  return Int32Array.from(places, (place) => {
    if (!(place >= 0 && place < sourceSide)) return -1;
    return Math.min(maskSide - 1, Math.floor((place / sourceSide) * maskSide));
  });
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
  const counting = mask ?? EVERYTHING;
  const shown = (places: Float64Array, start: number, side: number) =>
    places.map((place) => (place >= start && place < start + side ? place : -1));
  const across = shown(centres(columns, width, scaleX, offsetX), source.x, source.width);
  const down = shown(centres(rows, height, scaleY, offsetY), source.y, source.height);
  const maskColumns = cellsOf(across, sourceWidth, counting.width);
  const maskRows = cellsOf(down, sourceHeight, counting.height);
  return Float32Array.from({ length: rows * columns }, (_, patch) => {
    const column = maskColumns[patch % columns];
    const row = maskRows[Math.floor(patch / columns)];
    return column < 0 || row < 0 ? 0 : counting.data[row * counting.width + column];
  });
}

const EVERYTHING: Mask = { width: 1, height: 1, data: Uint8Array.of(1) };

/** Source coordinates of the centres of `count` cells that span an input's side. */
export function centres(count: number, side: number, scale: number, offset: number): Float64Array {
  return Float64Array.from({ length: count }, (_, index) => (((index + 0.5) * side) / count - offset) / scale);
}
