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
  return { png: await encodeGreyPng(greysOf(whole, scale), width, height), width, height };
}

/** The greys of raw distances, 0..255. */
export function greysOf(distances: Float32Array, { zero, full }: MapScale): Uint8Array {
  const greys = new Uint8Array(distances.length);
  for (let place = 0; place < distances.length; place += 1) {
    const share = (distances[place] - zero) / (full - zero);
    // The store cuts the fraction off.
    greys[place] = share <= 0 ? 0 : share >= 1 ? 255 : 255 * share + 0.5;
  }
  return greys;
}
