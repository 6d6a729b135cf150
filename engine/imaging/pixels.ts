import { decoder, unreadable } from './decode';
import { readPictureHeader } from './header';
import { defaultPictureLimits, type PictureLimits } from './limits';

/** A decoded picture. */
export interface Pixels {
  /** 8-bit RGB, row-major [height x width x 3]. */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/**
 * Decodes a picture at full size, as all other ways into a network do: grey becomes RGB, 16 bit is reduced to 8, CMYK is
 * converted to sRGB, transparency is laid over a neutral colour; an EXIF orientation is not applied.
 *
 * @throws {PictureUnreadable} as `inspectPicture`
 */
export async function readPixels(picture: Buffer, limits: PictureLimits = defaultPictureLimits): Promise<Pixels> {
  const header = readPictureHeader(picture, limits);
  try {
    const { data, info } = await decoder(picture, header).raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    return { data: info.channels === 3 ? data : rgb(data, info.channels), width: info.width, height: info.height };
  } catch (error) {
    throw unreadable(error, picture);
  }
}

function rgb(data: Uint8Array, channels: number): Uint8Array {
  const count = data.length / channels;
  const result = new Uint8Array(3 * count);
  for (let place = 0; place < count; place += 1) result.fill(data[place * channels], 3 * place, 3 * place + 3);
  return result;
}
