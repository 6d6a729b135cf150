import type { PictureInfo } from '../domain';
import { decoder, NEUTRAL_COLOUR, unreadable } from './decode';
import { readPictureHeader } from './header';
import { defaultPictureLimits, type PictureLimits } from './limits';
import type { Placement } from './placement';

export const RESIZE_KERNELS = ['nearest', 'linear', 'cubic', 'mitchell', 'lanczos2', 'lanczos3'] as const;
export type ResizeKernel = (typeof RESIZE_KERNELS)[number];

/** How a picture becomes a square network input. Stands in each model's manifest and is the same at training and serving. */
export interface Preprocessing {
  /** Side of the input in pixels. */
  readonly size: number;
  /**
   * `letterbox`: the whole picture, centred, the rest filled with a neutral colour; `crop`: the largest centred square;
   * `stretch`: the whole picture, its sides scaled apart.
   */
  readonly mode: 'letterbox' | 'crop' | 'stretch';
  readonly kernel: ResizeKernel;
  /** Always false: JPEGs are decoded at full size, then resized. */
  readonly fastShrinkOnLoad?: false;
}

export interface PictureTensor {
  /** Planar RGB, [3 x height x width], 0..1. */
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
  readonly placement: Placement;
  readonly picture: Omit<PictureInfo, 'sha256'>;
}

/**
 * Decodes a picture and lays it into a square input. Grey pictures fill all three channels, 16 bit is reduced to 8, CMYK
 * is converted to sRGB, transparency is laid over a neutral colour; an EXIF orientation is not applied.
 *
 * @throws {PictureUnreadable} as `inspectPicture`
 * @throws {RangeError} when `size` is not a whole number within 1..4096
 */
export async function toTensor(
  picture: Buffer,
  preprocessing: Preprocessing,
  limits: PictureLimits = defaultPictureLimits,
): Promise<PictureTensor> {
  const { size, kernel } = preprocessing;
  if (!Number.isInteger(size) || size < 1 || size > 4096)
    throw new RangeError(`input size ${size} is not within 1..4096`);
  const header = readPictureHeader(picture, limits);
  const { placement, width, height, left, top } = place(header.width, header.height, preprocessing);
  let pixels: Buffer;
  let channels: number;
  try {
    const resized = decoder(picture, header).resize(width, height, { fit: 'fill', kernel, fastShrinkOnLoad: false });
    const { data, info } = await resized.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    pixels = data;
    channels = info.channels;
  } catch (error) {
    throw unreadable(error, picture);
  }
  const data = new Float32Array(3 * size * size);
  for (let channel = 0; channel < 3; channel += 1) {
    const plane = data.subarray(channel * size * size, (channel + 1) * size * size);
    if (left > 0 || top > 0) plane.fill(NEUTRAL_COLOUR[channel] / 255);
    const band = channels >= 3 ? channel : 0;
    const firstRow = Math.max(0, -top);
    const lastRow = Math.min(height, size - top);
    const firstColumn = Math.max(0, -left);
    const lastColumn = Math.min(width, size - left);
    for (let y = firstRow; y < lastRow; y += 1) {
      let from = (y * width + firstColumn) * channels + band;
      let to = (y + top) * size + left + firstColumn;
      for (let x = firstColumn; x < lastColumn; x += 1) {
        plane[to] = pixels[from] / 255;
        from += channels;
        to += 1;
      }
    }
  }
  const { format } = header;
  return {
    data,
    width: size,
    height: size,
    placement,
    picture: { width: header.width, height: header.height, format, bytes: picture.length },
  };
}

/** Where a source of the given size lies in the input. */
export function placementOf(sourceWidth: number, sourceHeight: number, preprocessing: Preprocessing): Placement {
  return place(sourceWidth, sourceHeight, preprocessing).placement;
}

interface Placed {
  readonly placement: Placement;
  /** Size of the resized picture and where its left top corner lies in the input; negative when cropped. */
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
}

function place(sourceWidth: number, sourceHeight: number, { size, mode }: Preprocessing): Placed {
  let width = size;
  let height = size;
  if (mode !== 'stretch') {
    const choose = mode === 'letterbox' ? Math.min : Math.max;
    const scale = choose(size / sourceWidth, size / sourceHeight);
    width = Math.max(1, Math.round(sourceWidth * scale));
    height = Math.max(1, Math.round(sourceHeight * scale));
  }
  const left = Math.floor((size - width) / 2);
  const top = Math.floor((size - height) / 2);
  const placement = {
    scaleX: width / sourceWidth,
    scaleY: height / sourceHeight,
    offsetX: left,
    offsetY: top,
    inputWidth: size,
    inputHeight: size,
    sourceWidth,
    sourceHeight,
  };
  return { placement, width, height, left, top };
}
