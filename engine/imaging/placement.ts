import type { Box } from '../domain';

/**
 * Where a source picture lies in a network input: `input = source * scale + offset`, in pixels, with pixel `i`
 * covering `i..i+1`.
 */
export interface Placement {
  readonly scaleX: number;
  readonly scaleY: number;
  readonly offsetX: number;
  readonly offsetY: number;
  readonly inputWidth: number;
  readonly inputHeight: number;
  readonly sourceWidth: number;
  readonly sourceHeight: number;
}

/** A box in input pixels as whole pixels of the source picture: grown to pixel borders, cut at the picture's edge. */
export function boxToSource(box: Box, placement: Placement): Box {
  const { scaleX, scaleY, offsetX, offsetY, sourceWidth, sourceHeight } = placement;
  const left = clamp(Math.floor(round((box.x - offsetX) / scaleX)), sourceWidth);
  const top = clamp(Math.floor(round((box.y - offsetY) / scaleY)), sourceHeight);
  const right = clamp(Math.ceil(round((box.x + box.width - offsetX) / scaleX)), sourceWidth);
  const bottom = clamp(Math.ceil(round((box.y + box.height - offsetY) / scaleY)), sourceHeight);
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** A box in source pixels as a box in input pixels, not rounded and not cut. */
export function boxToInput(box: Box, placement: Placement): Box {
  const { scaleX, scaleY, offsetX, offsetY } = placement;
  return {
    x: box.x * scaleX + offsetX,
    y: box.y * scaleY + offsetY,
    width: box.width * scaleX,
    height: box.height * scaleY,
  };
}

/**
 * Resamples a map over the network input (for example patch scores) so that it covers the whole source picture: padding
 * is cut away; where a crop left the source unseen the map is `outside`. Bilinear, edge values are held.
 *
 * @param map row-major [mapHeight x mapWidth] over the whole input
 * @param width columns of the result, which spans the source's width
 * @param height rows of the result
 * @returns row-major [height x width]
 */
export function mapToSource(
  map: Float32Array,
  mapWidth: number,
  mapHeight: number,
  placement: Placement,
  width: number,
  height: number,
  outside = 0,
): Float32Array {
  const { sourceWidth, sourceHeight, inputWidth, inputHeight, scaleX, scaleY, offsetX, offsetY } = placement;
  const columns = axisSamples(width, sourceWidth, scaleX, offsetX);
  const rows = axisSamples(height, sourceHeight, scaleY, offsetY);
  const lefts = new Int32Array(width);
  const rights = new Int32Array(width);
  const shares = new Float64Array(width);
  for (let x = 0; x < width; x += 1) {
    [lefts[x], rights[x], shares[x]] = neighbours((columns[x] / inputWidth) * mapWidth, mapWidth);
  }
  const result = new Float32Array(width * height).fill(outside);
  for (let y = 0; y < height; y += 1) {
    if (rows[y] < 0 || rows[y] > inputHeight) continue;
    const [top, bottom, down] = neighbours((rows[y] / inputHeight) * mapHeight, mapHeight);
    const above = top * mapWidth;
    const below = bottom * mapWidth;
    for (let x = 0; x < width; x += 1) {
      if (columns[x] < 0 || columns[x] > inputWidth) continue;
      const across = shares[x];
      const upper = map[above + lefts[x]] * (1 - across) + map[above + rights[x]] * across;
      const lower = map[below + lefts[x]] * (1 - across) + map[below + rights[x]] * across;
      result[y * width + x] = upper * (1 - down) + lower * down;
    }
  }
  return result;
}

/** Input coordinates of the centres of `count` cells that span the source's side. */
function axisSamples(count: number, sourceSide: number, scale: number, offset: number): Float64Array {
  return Float64Array.from({ length: count }, (_, index) => (((index + 0.5) * sourceSide) / count) * scale + offset);
}

function neighbours(position: number, count: number): [number, number, number] {
  const centre = Math.min(Math.max(position - 0.5, 0), count - 1);
  const low = Math.floor(centre);
  return [low, Math.min(low + 1, count - 1), centre - low];
}

/** Takes away what floating point added, so that exact borders stay exact. */
function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

function clamp(value: number, max: number): number {
  return Math.min(Math.max(value, 0), max);
}
