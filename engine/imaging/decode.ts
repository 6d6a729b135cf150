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
 * Whatever the decoder complains about fails: a picture that is not what the camera took must not pass a part. Errors of
 * the pipeline go through {@link unreadable}.
 */
export function decoder(picture: Buffer, header: PictureHeader): Sharp {
  const [r, g, b] = NEUTRAL_COLOUR;
  return sharp(picture, {
    failOn: 'warning',
    limitInputPixels: header.width * header.height,
    sequentialRead: true,
    autoOrient: false,
  })
    .extract({ left: 0, top: 0, width: header.width, height: header.height })
    .flatten({ background: { r, g, b } })
    .toColourspace('srgb');
}

/** The error to throw for a failure inside libvips: truncated when the end of the file is missing, otherwise damaged. */
export function unreadable(error: unknown, picture: Buffer): PictureUnreadable {
  if (error instanceof PictureUnreadable) return error;
  if (!hasEnd(picture)) return new PictureUnreadable('truncated', {}, error);
  const detail = error instanceof Error ? error.message.replaceAll(/\s+/g, ' ').trim() : String(error);
  return new PictureUnreadable('damaged', { detail: detail.slice(0, 200) }, error);
}

/** True when the JPEG's end marker or the PNG's last chunk stands near the end; cameras may append padding. */
function hasEnd(picture: Buffer): boolean {
  const tail = picture.subarray(-1024);
  return picture[0] === 0xff ? tail.includes(Buffer.from([0xff, 0xd9])) : tail.includes('IEND', 0, 'latin1');
}
