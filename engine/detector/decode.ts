import { DetectorUnsupported } from './errors';
import type { DetectorDescription } from './layout';

/** What a session gives. */
export interface OutputTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** A box in pixels of the network's input, corners not cut at its edges. */
export interface RawDetection {
  /** Place in the detector's classes. */
  readonly classNumber: number;
  /** 0..1 */
  readonly confidence: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * Reads the boxes out of a detector's output. Each cell counts as its most probable class.
 *
 * @param thresholds for each class the confidence from which a box counts, 0..1
 * @returns in no order, doubles included (but for the layout `end-to-end`)
 * @throws {DetectorUnsupported} when the output has another shape than its file told
 */
export function decodeOutput(
  { data, dims }: OutputTensor,
  description: Pick<DetectorDescription, 'layout' | 'classes' | 'extraMasks'>,
  thresholds: ArrayLike<number>,
): RawDetection[] {
  const { layout, classes, extraMasks } = description;
  const [batch, first, second] = dims;
  const before = { rows: 4, columns: 4, objectness: 5, 'end-to-end': 6 }[layout];
  const channels = before + extraMasks + (layout === 'end-to-end' ? 0 : classes.length);
  if (dims.length !== 3 || batch !== 1 || (layout === 'rows' ? first : second) !== channels) {
    throw new DetectorUnsupported(`its output came as [${dims}], and "${layout}" means ${channels} numbers a box`);
  }
  if (layout === 'rows') return decodeRows(data, second, classes.length, thresholds);
  if (layout === 'end-to-end') return decodeFinal(data, first, channels, classes.length, thresholds);
  return decodeColumns(data, first, channels, classes.length, layout === 'objectness', thresholds);
}

/** Row by row, as the numbers lie in memory. */
function decodeRows(data: Float32Array, cells: number, classes: number, thresholds: ArrayLike<number>): RawDetection[] {
  const best = data.slice(4 * cells, 5 * cells);
  const bestClass = new Uint16Array(cells);
  for (let number = 1; number < classes; number += 1) {
    const row = (4 + number) * cells;
    for (let cell = 0; cell < cells; cell += 1) {
      const value = data[row + cell];
      if (value > best[cell]) {
        best[cell] = value;
        bestClass[cell] = number;
      }
    }
  }
  const found: RawDetection[] = [];
  for (let cell = 0; cell < cells; cell += 1) {
    if (!(best[cell] >= thresholds[bestClass[cell]])) continue;
    const [x, y, width, height] = [data[cell], data[cells + cell], data[2 * cells + cell], data[3 * cells + cell]];
    add(found, bestClass[cell], best[cell], x - width / 2, y - height / 2, x + width / 2, y + height / 2);
  }
  return found;
}

function decodeColumns(
  data: Float32Array,
  cells: number,
  channels: number,
  classes: number,
  hasObjectness: boolean,
  thresholds: ArrayLike<number>,
): RawDetection[] {
  const found: RawDetection[] = [];
  const before = hasObjectness ? 5 : 4;
  for (let cell = 0; cell < cells; cell += 1) {
    const start = cell * channels;
    let best = 0;
    for (let number = 1; number < classes; number += 1) {
      if (data[start + before + number] > data[start + before + best]) best = number;
    }
    const confidence = data[start + before + best] * (hasObjectness ? data[start + 4] : 1);
    if (!(confidence >= thresholds[best])) continue;
    const [x, y, width, height] = data.subarray(start, start + 4);
    add(found, best, confidence, x - width / 2, y - height / 2, x + width / 2, y + height / 2);
  }
  return found;
}

function decodeFinal(
  data: Float32Array,
  rows: number,
  channels: number,
  classes: number,
  thresholds: ArrayLike<number>,
): RawDetection[] {
  const found: RawDetection[] = [];
  const least = Math.min(...Array.from(thresholds));
  for (let row = 0; row < rows; row += 1) {
    const [left, top, right, bottom, confidence, number] = data.subarray(row * channels, row * channels + 6);
    if (!(confidence >= least)) continue;
    if (!(Number.isInteger(number) && number >= 0 && number < classes)) {
      throw new DetectorUnsupported(`it found a box of class number ${number}, and it has ${classes} classes`);
    }
    if (confidence >= thresholds[number]) add(found, number, confidence, left, top, right, bottom);
  }
  return found;
}

/** Boxes of no size, or of numbers that are none, are left out. */
function add(
  found: RawDetection[],
  classNumber: number,
  confidence: number,
  left: number,
  top: number,
  right: number,
  bottom: number,
): void {
  const isBox = right > left && bottom > top && Number.isFinite(right - left) && Number.isFinite(bottom - top);
  if (isBox) found.push({ classNumber, confidence, left, top, right, bottom });
}
