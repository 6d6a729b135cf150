import sharp, { type Sharp } from 'sharp';
import { PictureUnreadable } from './errors';
import type { PictureHeader } from './header';

// Each picture is seen once: a cache of operations would only hold memory.
sharp.cache(false);

/** Red, green and blue of what lies outside a picture or under a transparent pixel: the mean colour of photographs. */
export const NEUTRAL_COLOUR: readonly [number, number, number] = [124, 116, 104];

/**
 * A pipeline that decodes every pixel at full size to 8-bit sRGB: grey becomes RGB or stays one channel, 16 bit is
 * reduced to 8, CMYK and embedded profiles are converted, transparent pixels are laid over {@link NEUTRAL_COLOUR}. EXIF
 * orientation is ignored. Taking the whole picture as an extract before any resize keeps libvips from decoding JPEGs at
 * reduced size (`fastShrinkOnLoad: false` alone only makes it rarer), so JPEG and PNG go the same way.
 *
 * Errors of the pipeline go through {@link unreadable}.
 */
export function decoder(picture: Buffer, header: PictureHeader): Sharp {
  const [r, g, b] = NEUTRAL_COLOUR;
  return sharp(picture, {
    failOn: 'error',
    limitInputPixels: header.width * header.height,
    sequentialRead: true,
    autoOrient: false,
  })
    .extract({ left: 0, top: 0, width: header.width, height: header.height })
    .flatten({ background: { r, g, b } })
    .toColourspace('srgb');
}

/** The error to throw for a failure inside libvips. */
export function unreadable(error: unknown): PictureUnreadable {
  if (error instanceof PictureUnreadable) return error;
  const detail = error instanceof Error ? error.message.replaceAll(/\s+/g, ' ').trim() : String(error);
  const truncated = /premature end|truncat|end of (stream|file|image|input)|unexpected eof|not enough data|read error/i;
  if (truncated.test(detail)) return new PictureUnreadable('truncated', {}, error);
  return new PictureUnreadable('damaged', { detail: detail.slice(0, 200) }, error);
}
