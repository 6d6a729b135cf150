import type { Sharp } from 'sharp';
import type { PictureInfo } from '../domain';
import { decoder, NEUTRAL_COLOUR, unreadable } from './decode';
import { readPictureHeader } from './header';
import { defaultPictureLimits, type PictureLimits } from './limits';
import type { Placement } from './placement';

export const RESIZE_KERNELS = ['nearest', 'linear', 'cubic', 'mitchell', 'lanczos2', 'lanczos3'] as const;
export type ResizeKernel = (typeof RESIZE_KERNELS)[number];

/** How a picture becomes a network input. Stands in each model's manifest and is the same at training and serving. */
export interface Preprocessing {
  /** Sides of the input in pixels, 1..4096 each. */
  readonly width: number;
  readonly height: number;
  /**
   * `letterbox`: the whole picture, centred, the rest filled with a neutral colour; `crop`: the largest centred part of
   * the input's shape; `stretch`: the whole picture, its sides scaled apart.
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
 * Decodes a picture and lays it into the network's input. Grey pictures fill all three channels, 16 bit is reduced to 8, CMYK
 * is converted to sRGB, transparency is laid over a neutral colour; an EXIF orientation is not applied.
 *
 * @throws {PictureUnreadable} as `inspectPicture`
 * @throws {RangeError} when a side of the input is not a whole number within 1..4096
 */
export async function toTensor(
  picture: Buffer,
  preprocessing: Preprocessing,
  limits: PictureLimits = defaultPictureLimits,
): Promise<PictureTensor> {
  requireSides(preprocessing);
  const header = readPictureHeader(picture, limits);
  const placed = place(header.width, header.height, preprocessing);
  const { width, height, format } = header;
  try {
    return {
      data: await layIn(decoder(picture, header), placed, preprocessing.kernel),
      width: preprocessing.width,
      height: preprocessing.height,
      placement: placed.placement,
      picture: { width, height, format, bytes: picture.length },
    };
  } catch (error) {
    throw unreadable(error, picture);
  }
}

/** @throws {RangeError} when a side of the input is not a whole number within 1..4096 */
export function requireSides({ width, height }: Preprocessing): void {
  for (const side of [width, height]) {
    if (!Number.isInteger(side) || side < 1 || side > 4096)
      throw new RangeError(`input side ${side} is not within 1..4096`);
  }
}

/**
 * Resizes what a pipeline gives and lays it into an input: planar RGB, 0..1, the neutral colour where nothing lies.
 *
 * @param pipeline 8-bit pixels of the size that was placed
 */
export async function layIn(pipeline: Sharp, placed: Placed, kernel: ResizeKernel): Promise<Float32Array> {
  const { placement, width, height, left, top } = placed;
  const { inputWidth, inputHeight } = placement;
  const resized = pipeline.resize(width, height, { fit: 'fill', kernel, fastShrinkOnLoad: false });
  const { data: pixels, info } = await resized.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  const { channels } = info;
  const area = inputWidth * inputHeight;
  const data = new Float32Array(3 * area);
  if (left > 0 || top > 0) {
    NEUTRAL_COLOUR.forEach((value, channel) => {
      data.fill(value / 255, channel * area, (channel + 1) * area);
    });
  }
  const green = channels >= 3 ? 1 : 0;
  const blue = channels >= 3 ? 2 : 0;
  const lastRow = Math.min(height, inputHeight - top);
  const firstColumn = Math.max(0, -left);
  const columns = Math.min(width, inputWidth - left) - firstColumn;
  for (let y = Math.max(0, -top); y < lastRow; y += 1) {
    let from = (y * width + firstColumn) * channels;
    const start = (y + top) * inputWidth + left + firstColumn;
    for (let to = start; to < start + columns; to += 1) {
      data[to] = pixels[from] / 255;
      data[to + area] = pixels[from + green] / 255;
      data[to + 2 * area] = pixels[from + blue] / 255;
      from += channels;
    }
  }
  return data;
}

/** Where a source of the given size lies in the input. */
export function placementOf(sourceWidth: number, sourceHeight: number, preprocessing: Preprocessing): Placement {
  return place(sourceWidth, sourceHeight, preprocessing).placement;
}

export interface Placed {
  readonly placement: Placement;
  /** Size of the resized picture and where its left top corner lies in the input; negative when cropped. */
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
}

/** Size and place of a source of the given size in the input. */
export function place(sourceWidth: number, sourceHeight: number, preprocessing: Preprocessing): Placed {
  const { width: inputWidth, height: inputHeight, mode } = preprocessing;
  let width = inputWidth;
  let height = inputHeight;
  if (mode !== 'stretch') {
    const choose = mode === 'letterbox' ? Math.min : Math.max;
    const scale = choose(inputWidth / sourceWidth, inputHeight / sourceHeight);
    width = Math.max(1, Math.round(sourceWidth * scale));
    height = Math.max(1, Math.round(sourceHeight * scale));
  }
  const left = Math.floor((inputWidth - width) / 2);
  const top = Math.floor((inputHeight - height) / 2);
  const placement = {
    scaleX: width / sourceWidth,
    scaleY: height / sourceHeight,
    offsetX: left,
    offsetY: top,
    inputWidth,
    inputHeight,
    sourceWidth,
    sourceHeight,
  };
  return { placement, width, height, left, top };
}
