import { type Random, seededRandom } from '../domain';

/** Side of the square noise tiles; a power of two, so that wrapping is a mask. */
export const TILE = 1024;

/** The value of a tile that repeats for ever. */
export function tileAt(tile: Float32Array, column: number, row: number): number {
  return tile[(row & (TILE - 1)) * TILE + (column & (TILE - 1))];
}

/** A standard normal number (Box-Muller). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Uniform in [low, high). */
export function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random();
}

/** A well-mixed seed from a number and a purpose, so that each purpose has its own stream. */
export function seedFor(seed: number, purpose: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(`${seed}:${purpose}`)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  return hash >>> 0;
}

function whiteTile(random: Random): Float32Array {
  const tile = new Float32Array(TILE * TILE);
  for (let index = 0; index < tile.length; index += 1) tile[index] = random() - 0.5;
  return tile;
}

/** Noise without a direction and with features of about `size` pixels, [TILE x TILE], mean 0, deviation 1; wraps. */
export function mottledTile(random: Random, size: number): Float32Array {
  const tile = whiteTile(random);
  for (let pass = 0; pass < 2; pass += 1) {
    blurRows(tile, size);
    blurColumns(tile, size);
  }
  return normalise(tile);
}

let brushed: Float32Array | undefined;

/** Brushed metal: fine lines along x of many lengths, [TILE x TILE], mean 0, deviation 1; wraps. One for all. */
export function brushedTile(): Float32Array {
  brushed ??= paintBrushedTile(seededRandom(11));
  return brushed;
}

function paintBrushedTile(random: Random): Float32Array {
  const sum = new Float32Array(TILE * TILE);
  for (const [length, thickness, share] of [
    [24, 1, 0.35],
    [110, 1, 0.8],
    [380, 2, 0.7],
    [500, 5, 0.45],
  ]) {
    const tile = whiteTile(random);
    blurRows(tile, length);
    blurRows(tile, length >> 1);
    if (thickness > 1) blurColumns(tile, thickness);
    normalise(tile);
    for (let index = 0; index < sum.length; index += 1) sum[index] += tile[index] * share;
  }
  return normalise(sum);
}

/** Running mean along x over `width` pixels, wrapping. */
function blurRows(tile: Float32Array, width: number): void {
  const row = new Float32Array(TILE);
  const mask = TILE - 1;
  for (let y = 0; y <= mask; y += 1) {
    const start = y * TILE;
    let sum = 0;
    for (let x = 0; x < width; x += 1) sum += tile[start + x];
    for (let x = 0; x <= mask; x += 1) {
      row[x] = sum / width;
      sum += tile[start + ((x + width) & mask)] - tile[start + x];
    }
    tile.set(row, start);
  }
}

function blurColumns(tile: Float32Array, width: number): void {
  const sums = new Float32Array(TILE);
  const source = tile.slice();
  for (let y = 0; y < width; y += 1) for (let x = 0; x < TILE; x += 1) sums[x] += source[y * TILE + x];
  for (let y = 0; y < TILE; y += 1) {
    const leaving = y * TILE;
    const entering = ((y + width) & (TILE - 1)) * TILE;
    for (let x = 0; x < TILE; x += 1) {
      tile[leaving + x] = sums[x] / width;
      sums[x] += source[entering + x] - source[leaving + x];
    }
  }
}

function normalise(tile: Float32Array): Float32Array {
  let sum = 0;
  let squares = 0;
  for (const value of tile) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / tile.length;
  const scale = 1 / Math.sqrt(squares / tile.length - mean * mean);
  for (let index = 0; index < tile.length; index += 1) tile[index] = (tile[index] - mean) * scale;
  return tile;
}
