import sharp from 'sharp';
import { PictureUnreadable } from '../imaging';

/** Cells across and down. */
const SIDE = 64;
/** Each coarse cell is a block of so many cells a side. */
const BLOCK = 8;
/** Greys a picture varies by at least, to be compared at all. */
const LEAST_CONTRAST = 0.5;
/**
 * Distance up to which two pictures are one. Copies saved anew at JPEG quality 50, brightened or at 60 % of their size were
 * within 0.045 of the original; different boards, solar cells and simulated parts were at least 0.06 apart.
 */
const SAME = 0.05;

/** What a picture looks like, whatever its size, brightness and contrast: greys of 64 x 64 cells, mean 0, length 1. */
export interface Likeness {
  readonly fine: Float32Array;
  /** 8 x 8 blocks, scaled so that no distance is greater than that of the cells. */
  readonly coarse: Float32Array;
}

/**
 * @returns null for a picture of one colour: it is like any other
 * @throws {PictureUnreadable} when it cannot be decoded to its last row
 */
export async function likenessOf(
  picture: Buffer,
  { width, height }: { readonly width: number; readonly height: number },
): Promise<Likeness | null> {
  const greys = await sharp(picture, { failOn: 'warning', limitInputPixels: width * height, autoOrient: false })
    // The whole as an extract: otherwise JPEGs may be decoded at a reduced size.
    .extract({ left: 0, top: 0, width, height })
    .flatten()
    .greyscale()
    .toColourspace('b-w')
    .extractChannel(0)
    .raw()
    .toBuffer()
    .catch((error: Error) => {
      throw new PictureUnreadable('damaged', { detail: error.message.replaceAll(/\s+/g, ' ').trim() }, error);
    });
  const fine = cellMeans(greys, width, height);
  const mean = fine.reduce((sum, value) => sum + value, 0) / fine.length;
  for (let place = 0; place < fine.length; place += 1) fine[place] -= mean;
  const length = Math.hypot(...fine);
  if (length / SIDE < LEAST_CONTRAST) return null;
  for (let place = 0; place < fine.length; place += 1) fine[place] /= length;
  return { fine, coarse: blocksOf(fine) };
}

/**
 * Groups pictures that are the same shot: saved anew, scaled, brightened. Turned or cropped copies are not found.
 *
 * @returns places of the pictures of each group of two or more, ascending
 */
export function samePictures(likenesses: readonly (Likeness | null)[]): number[][] {
  const groupOf = likenesses.map((_, place) => place);
  const rootOf = (place: number): number => {
    let root = place;
    while (groupOf[root] !== root) root = groupOf[root];
    groupOf[place] = root;
    return root;
  };
  for (const [place, one] of likenesses.entries()) {
    for (let before = 0; one !== null && before < place; before += 1) {
      const other = likenesses[before];
      if (other === null || !isNear(one.coarse, other.coarse) || !isNear(one.fine, other.fine)) continue;
      const [a, b] = [rootOf(before), rootOf(place)];
      groupOf[Math.max(a, b)] = Math.min(a, b);
    }
  }
  const groups = new Map<number, number[]>();
  for (const place of likenesses.keys()) {
    const root = rootOf(place);
    groups.set(root, [...(groups.get(root) ?? []), place]);
  }
  return [...groups.values()].filter((members) => members.length > 1);
}

function isNear(a: Float32Array, b: Float32Array): boolean {
  let sum = 0;
  for (let place = 0; place < a.length; place += 1) sum += (a[place] - b[place]) ** 2;
  return sum <= SAME ** 2;
}

function cellMeans(greys: Uint8Array, width: number, height: number): Float32Array {
  const means = new Float32Array(SIDE * SIDE);
  const edge = (cell: number, length: number) => Math.floor((cell * length) / SIDE);
  for (let row = 0; row < SIDE; row += 1) {
    const top = edge(row, height);
    const bottom = Math.max(top + 1, edge(row + 1, height));
    for (let column = 0; column < SIDE; column += 1) {
      const left = edge(column, width);
      const right = Math.max(left + 1, edge(column + 1, width));
      let sum = 0;
      for (let y = top; y < bottom; y += 1) for (let x = left; x < right; x += 1) sum += greys[y * width + x];
      means[row * SIDE + column] = sum / ((bottom - top) * (right - left));
    }
  }
  return means;
}

function blocksOf(fine: Float32Array): Float32Array {
  const across = SIDE / BLOCK;
  const coarse = new Float32Array(across * across);
  for (const [place, value] of fine.entries()) {
    const [row, column] = [Math.floor(place / SIDE / BLOCK), Math.floor((place % SIDE) / BLOCK)];
    coarse[row * across + column] += value / BLOCK;
  }
  return coarse;
}
