import sharp from 'sharp';
import { decoder, unreadable } from './decode';
import { readPictureHeader } from './header';

/**
 * A small JPEG of the whole picture, never wider than the picture itself.
 *
 * @param width columns, 1..4096
 * @throws {PictureUnreadable} as `inspectPicture`
 * @throws {RangeError} when `width` is not a whole number within 1..4096
 */
export async function thumbnail(picture: Buffer, width: number): Promise<Buffer> {
  if (!Number.isInteger(width) || width < 1 || width > 4096)
    throw new RangeError(`width ${width} is not within 1..4096`);
  const header = readPictureHeader(picture);
  try {
    return await decoder(picture, header).resize({ width, withoutEnlargement: true }).jpeg({ quality: 82 }).toBuffer();
  } catch (error) {
    throw unreadable(error, picture);
  }
}

/**
 * An 8-bit grey PNG, lossless.
 *
 * @param values row-major [height x width]
 */
export async function encodeGreyPng(values: Uint8Array, width: number, height: number): Promise<Buffer> {
  requireLength(values, width * height);
  return sharp(values, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .png({ compressionLevel: 6 })
    .toBuffer();
}

/**
 * A baseline JPEG.
 *
 * @param rgb row-major, interleaved, three bytes a pixel
 * @param quality 1..100
 */
export async function encodeJpeg(
  rgb: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
  quality = 90,
): Promise<Buffer> {
  requireLength(rgb, width * height * 3);
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg({ quality })
    .toBuffer();
}

function requireLength(values: { readonly length: number }, length: number): void {
  if (values.length !== length) throw new RangeError(`${values.length} values given, the size needs ${length}`);
}
