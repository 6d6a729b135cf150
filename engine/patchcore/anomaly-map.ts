import { encodeGreyPng, mapToSource, type Placement } from '../imaging';

/** Longer side of the map picture. */
const LONGER_SIDE = 320;

/** Where a picture is unlike good ones: an 8-bit grey PNG over the whole original picture, with its aspect ratio. */
export interface AnomalyMap {
  readonly png: Buffer;
  readonly width: number;
  readonly height: number;
}

/** What the greys of a map mean. */
export interface MapScale {
  /** Raw distance shown as 0. */
  readonly zero: number;
  /** Raw distance shown as 255. */
  readonly full: number;
}

/**
 * @param map row-major, one raw distance an input pixel
 */
export async function encodeMap(map: Float32Array, placement: Placement, scale: MapScale): Promise<AnomalyMap> {
  const { sourceWidth, sourceHeight, inputWidth, inputHeight } = placement;
  const shrink = LONGER_SIDE / Math.max(sourceWidth, sourceHeight);
  const width = Math.max(1, Math.round(sourceWidth * shrink));
  const height = Math.max(1, Math.round(sourceHeight * shrink));
  const whole = mapToSource(map, inputWidth, inputHeight, placement, width, height, scale.zero);
  const greys = new Uint8Array(whole.length);
  for (let place = 0; place < whole.length; place += 1) greys[place] = greyOf(whole[place], scale);
  return { png: await encodeGreyPng(greys, width, height), width, height };
}

/** The grey of a raw distance, 0..255. */
export function greyOf(distance: number, { zero, full }: MapScale): number {
  return Math.round(255 * Math.min(1, Math.max(0, (distance - zero) / (full - zero))));
}
