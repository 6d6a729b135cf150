import type { Box } from '../domain';
import { type Pixels, type Placement, placementOf, readPixels } from '../imaging';

/** A network input made of a picture, and where the picture lies in it. */
export interface LetterboxedPicture {
  /** Planar RGB, [3 x height x width], 0..1. */
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
  readonly placement: Placement;
}

/** What lies beside the picture, 0..255. */
const GREY = 114;
/** Weights are counted in 2048ths: the product of two and a byte fits into 30 bits. */
const WEIGHT_BITS = 11;
const WEIGHT = 1 << WEIGHT_BITS;
const SHIFT = 2 * WEIGHT_BITS;
const HALF = 1 << (SHIFT - 1);
const SHARES = Float32Array.from({ length: 256 }, (_, value) => value / 255);

/**
 * Decodes a picture and lays it into the network's input: as large as it fits, centred, the rest grey.
 *
 * @param size sides of the input in pixels, 1..4096
 * @throws {PictureUnreadable} as `inspectPicture`
 * @throws {RangeError} for other sides
 */
export async function letterbox(
  picture: Buffer,
  size: { readonly width: number; readonly height: number },
): Promise<LetterboxedPicture> {
  return letterboxPixels(await readPixels(picture), size);
}

/** The same of a decoded picture. */
export function letterboxPixels(
  pixels: Pixels,
  { width, height }: { readonly width: number; readonly height: number },
): LetterboxedPicture {
  for (const side of [width, height]) {
    if (!(Number.isInteger(side) && side >= 1 && side <= 4096)) {
      throw new RangeError(`input side ${side} is not within 1..4096`);
    }
  }
  const placement = placementOf(pixels.width, pixels.height, { width, height, mode: 'letterbox', kernel: 'linear' });
  return { data: layIn(pixels, wholeOf(pixels), placement), width, height, placement };
}

/**
 * Resizes a part of a picture bilinearly, without smoothing before it is made smaller (a detector is trained so: smoothing
 * moves its boxes), and lays it into an input. Samples lie at the centres of pixels, and those beyond the part's edge repeat it.
 *
 * @param part      whole pixels of the picture
 * @param placement from the whole picture to the input; the part must end up within the input
 * @returns planar RGB, [3 x inputHeight x inputWidth], 0..1, rounded to 255ths
 */
export function layIn(pixels: Pixels, part: Box, placement: Placement): Float32Array {
  const { inputWidth, inputHeight, scaleX, scaleY, offsetX, offsetY } = placement;
  const left = Math.round(part.x * scaleX + offsetX);
  const top = Math.round(part.y * scaleY + offsetY);
  const columns = samples(part.x, part.width, Math.round(part.width * scaleX), 3);
  const rows = samples(part.y, part.height, Math.round(part.height * scaleY), 3 * pixels.width);
  const area = inputWidth * inputHeight;
  const result = new Float32Array(3 * area);
  if (columns.count < inputWidth || rows.count < inputHeight) result.fill(SHARES[GREY]);
  const isPicked = columns.share.every((share) => share === 0) && rows.share.every((share) => share === 0);
  for (let row = 0; row < rows.count; row += 1) {
    const to = (top + row) * inputWidth + left;
    if (isPicked) pickRow(pixels.data, rows.low[row], columns, result, to, area);
    else mixRow(pixels.data, rows, row, columns, result, to, area);
  }
  return result;
}

/** Where each sample lies between two neighbours. */
interface Samples {
  readonly count: number;
  /** Places of both neighbours in the data. */
  readonly low: Int32Array;
  readonly high: Int32Array;
  /** How much the second one counts, 0..2048. */
  readonly share: Int32Array;
}

function samples(start: number, length: number, count: number, step: number): Samples {
  const [low, high, share] = [new Int32Array(count), new Int32Array(count), new Int32Array(count)];
  for (let place = 0; place < count; place += 1) {
    const centre = Math.min(Math.max(((place + 0.5) * length) / count - 0.5, 0), length - 1);
    const first = Math.floor(centre);
    low[place] = (start + first) * step;
    high[place] = (start + Math.min(first + 1, length - 1)) * step;
    share[place] = Math.round((centre - first) * WEIGHT);
  }
  return { count, low, high, share };
}

/** Where every sample lies on a pixel: at full size, or at a third of it. */
function pickRow(
  data: Uint8Array,
  row: number,
  { count, low }: Samples,
  result: Float32Array,
  start: number,
  area: number,
): void {
  for (let column = 0; column < count; column += 1) {
    const from = row + low[column];
    const to = start + column;
    result[to] = SHARES[data[from]];
    result[to + area] = SHARES[data[from + 1]];
    result[to + 2 * area] = SHARES[data[from + 2]];
  }
}

function mixRow(
  data: Uint8Array,
  rows: Samples,
  row: number,
  { count, low, high, share }: Samples,
  result: Float32Array,
  start: number,
  area: number,
): void {
  const upper = rows.low[row];
  const lower = rows.high[row];
  const down = rows.share[row];
  const up = WEIGHT - down;
  for (let column = 0; column < count; column += 1) {
    const right = share[column];
    const left = WEIGHT - right;
    const a = upper + low[column];
    const b = upper + high[column];
    const c = lower + low[column];
    const d = lower + high[column];
    const to = start + column;
    result[to] =
      SHARES[(up * (left * data[a] + right * data[b]) + down * (left * data[c] + right * data[d]) + HALF) >> SHIFT];
    result[to + area] =
      SHARES[
        (up * (left * data[a + 1] + right * data[b + 1]) + down * (left * data[c + 1] + right * data[d + 1]) + HALF) >>
          SHIFT
      ];
    result[to + 2 * area] =
      SHARES[
        (up * (left * data[a + 2] + right * data[b + 2]) + down * (left * data[c + 2] + right * data[d + 2]) + HALF) >>
          SHIFT
      ];
  }
}

function wholeOf({ width, height }: Pixels): Box {
  return { x: 0, y: 0, width, height };
}
