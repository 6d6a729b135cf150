import type { Region } from '../domain';
import { boxToSource, type Placement } from '../imaging';

/** Regions given at most, the highest peaks. */
const MOST_REGIONS = 32;

/**
 * Connected areas (edges or corners touching) of a map at or above a level.
 *
 * @param map   row-major, one value an input pixel
 * @param level raw distance
 * @returns highest peak first, in pixels of the original picture
 */
export function findRegions(map: Float32Array, level: number, placement: Placement): Region[] {
  const { inputWidth: width, inputHeight: height, scaleX, scaleY } = placement;
  const seen = new Uint8Array(map.length);
  const stack: number[] = [];
  const regions: Region[] = [];
  for (let start = 0; start < map.length; start += 1) {
    if (seen[start] || !(map[start] >= level)) continue;
    let [left, top, right, bottom, pixels, peak] = [width, height, 0, 0, 0, 0];
    seen[start] = 1;
    stack.push(start);
    while (stack.length > 0) {
      const place = stack.pop() as number;
      const x = place % width;
      const y = (place - x) / width;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
      peak = Math.max(peak, map[place]);
      pixels += 1;
      for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny += 1) {
        for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx += 1) {
          const neighbour = ny * width + nx;
          if (seen[neighbour] || !(map[neighbour] >= level)) continue;
          seen[neighbour] = 1;
          stack.push(neighbour);
        }
      }
    }
    const box = boxToSource({ x: left, y: top, width: right - left + 1, height: bottom - top + 1 }, placement);
    if (box.width > 0 && box.height > 0) regions.push({ box, area: Math.round(pixels / (scaleX * scaleY)), peak });
  }
  return regions.sort((a, b) => b.peak - a.peak).slice(0, MOST_REGIONS);
}
