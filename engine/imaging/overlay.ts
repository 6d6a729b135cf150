import sharp from 'sharp';
import { decoder, unreadable } from './decode';
import { readPictureHeader } from './header';

export interface HeatMap {
  /** Row-major [height x width], 0 cold .. 255 hot, spanning the whole picture. */
  readonly values: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/**
 * The picture with a heat map over it: transparent where cold, then yellow to red; a JPEG of the picture's size.
 *
 * @param map a heat map, or the 8-bit grey PNG of one
 * @param opacity of the hottest places, 0..1
 * @throws {PictureUnreadable} when the picture (or the PNG) cannot be decoded
 */
export async function renderOverlay(picture: Buffer, map: HeatMap | Buffer, opacity = 0.65): Promise<Buffer> {
  const header = readPictureHeader(picture);
  try {
    const grey = Buffer.isBuffer(map)
      ? sharp(map)
      : sharp(map.values, { raw: { width: map.width, height: map.height, channels: 1 } });
    const heat = await grey
      .resize(header.width, header.height, { fit: 'fill', kernel: 'cubic' })
      .toColourspace('b-w')
      .extractChannel(0)
      .raw({ depth: 'uchar' })
      .toBuffer();
    const colours = Buffer.alloc(heat.length * 4);
    for (let index = 0; index < heat.length; index += 1) colours.set(heatColour(heat[index], opacity), index * 4);
    const overlay = { width: header.width, height: header.height, channels: 4 as const };
    return await decoder(picture, header)
      .composite([{ input: colours, raw: overlay }])
      .jpeg({ quality: 90 })
      .toBuffer();
  } catch (error) {
    throw unreadable(error, picture);
  }
}

/**
 * Colour of a heat value: transparent below a quarter, then amber turning red.
 *
 * @param value 0..255
 * @returns red, green, blue, alpha, 0..255 each
 */
export function heatColour(value: number, opacity: number): [number, number, number, number] {
  const heat = Math.max(0, (value / 255 - 0.25) / 0.75);
  return [255, Math.round(210 * (1 - heat) ** 1.2), 0, Math.round(255 * opacity * Math.min(1, heat * 1.6))];
}
