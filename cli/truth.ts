import sharp from 'sharp';
import type { PatchDistances } from '../engine/patchcore';
import type { MapWithTruth } from '../engine/statistics';

/**
 * A map with the defects of its picture: a map pixel is defective when at least half of what it shows is white in the mask;
 * a defect thinner than map pixels fills all that it touches.
 *
 * @param mask encoded picture of any size, white where a defect is; none for a good part
 */
export async function withTruth({ map, placement }: PatchDistances, mask: Buffer | undefined): Promise<MapWithTruth> {
  const { inputWidth: width, inputHeight: height, sourceWidth, sourceHeight } = placement;
  if (mask === undefined) return { map, width, height };
  const { data, info } = await sharp(mask)
    .greyscale()
    .toColourspace('b-w')
    .extractChannel(0)
    .raw()
    .toBuffer({ resolveWithObject: true });
  const sums = integral(data, info.width, info.height);
  const shares = new Float32Array(width * height);
  const edges = (count: number, scale: number, offset: number, source: number, side: number) =>
    Array.from({ length: count + 1 }, (_, place) => {
      const at = Math.min(Math.max((place - offset) / scale, 0), source);
      return Math.round((at / source) * side);
    });
  const columns = edges(width, placement.scaleX, placement.offsetX, sourceWidth, info.width);
  const rows = edges(height, placement.scaleY, placement.offsetY, sourceHeight, info.height);
  for (let y = 0; y < height; y += 1) {
    const [top, bottom] = stretch(rows[y], rows[y + 1], info.height);
    for (let x = 0; x < width; x += 1) {
      const [left, right] = stretch(columns[x], columns[x + 1], info.width);
      if (right <= left || bottom <= top) continue;
      const at = (row: number, column: number) => sums[row * (info.width + 1) + column];
      const white = at(bottom, right) - at(top, right) - at(bottom, left) + at(top, left);
      shares[y * width + x] = white / ((right - left) * (bottom - top));
    }
  }
  const half = Uint8Array.from(shares, (share) => (share >= 0.5 ? 1 : 0));
  return {
    map,
    mask: half.includes(1) ? half : Uint8Array.from(shares, (share) => (share > 0 ? 1 : 0)),
    width,
    height,
  };
}

/** At least one mask pixel, where a map pixel shows less than one; none where it shows nothing of the picture. */
function stretch(from: number, to: number, side: number): [number, number] {
  return to > from || from === 0 || from >= side ? [from, to] : [from, from + 1];
}

/** Sums of white mask pixels above and to the left, with a row and a column of zeros. */
function integral(greys: Uint8Array, width: number, height: number): Float64Array {
  const sums = new Float64Array((width + 1) * (height + 1));
  for (let y = 0; y < height; y += 1) {
    let row = 0;
    for (let x = 0; x < width; x += 1) {
      if (greys[y * width + x] >= 128) row += 1;
      sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + row;
    }
  }
  return sums;
}
