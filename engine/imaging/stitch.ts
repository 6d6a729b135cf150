import type { Box } from '../domain';
import { cellsOf, centres, type Mask } from './mask';
import type { Placement } from './placement';
import type { ViewFrame } from './views';

/** Longest side of a canvas put together from several views. */
const LONGEST_SIDE = 2048;

/** A map of one view, row-major, one value an input pixel. */
export interface ViewMap {
  readonly map: Float32Array;
  readonly view: ViewFrame;
}

/** The maps of all views of a picture as one. */
export interface StitchedMap {
  /** Row-major [height x width]. */
  readonly map: Float32Array;
  readonly width: number;
  readonly height: number;
  /** From the whole source picture to the map, for `boxToSource` and `mapToSource`. */
  readonly placement: Placement;
}

/**
 * Puts the maps of a picture's views together over the region they show, at the resolution of their inputs, at most 2048
 * pixels for the longer side. Where views overlap they fade into each other. A single view keeps its pixels. What the mask
 * leaves out, and the padding of a view that shows only a part of the picture, is 0.
 *
 * @param maps at least one, of the same picture, with the same preprocessing
 * @throws {RangeError} without maps, or when one has not the size of its view
 */
export function stitchMaps(maps: readonly ViewMap[], mask: Mask | null): StitchedMap {
  if (maps.length === 0) throw new RangeError('there is no map to stitch');
  for (const { map, view } of maps) {
    if (map.length !== view.width * view.height)
      throw new RangeError(`a map has ${map.length} values, its view ${view.width} x ${view.height}`);
  }
  const stitched = maps.length === 1 ? alone(maps[0]) : together(maps);
  return mask === null ? stitched : { ...stitched, map: masked(stitched, mask) };
}

function alone({ map, view }: ViewMap): StitchedMap {
  const { placement, source, width, height } = view;
  const { sourceWidth, sourceHeight } = placement;
  const isPart = source.width < sourceWidth || source.height < sourceHeight;
  if (!isPart) return { map, width, height, placement };
  const columns = centres(width, width, placement.scaleX, placement.offsetX);
  const rows = centres(height, height, placement.scaleY, placement.offsetY);
  const shown = new Float32Array(map.length);
  for (let y = 0; y < height; y += 1) {
    if (rows[y] < source.y || rows[y] >= source.y + source.height) continue;
    for (let x = 0; x < width; x += 1) {
      if (columns[x] >= source.x && columns[x] < source.x + source.width) shown[y * width + x] = map[y * width + x];
    }
  }
  return { map: shown, width, height, placement };
}

function together(maps: readonly ViewMap[]): StitchedMap {
  const placement = canvasOf(maps.map(({ view }) => view));
  const { inputWidth: width, inputHeight: height } = placement;
  const columns = centres(width, width, placement.scaleX, placement.offsetX);
  const rows = centres(height, height, placement.scaleY, placement.offsetY);
  const map = new Float32Array(width * height);
  const weights = new Float32Array(width * height);
  for (const { map: part, view } of maps) {
    const { source, placement: own } = view;
    const across = samples(columns, source.x, source.width, own.scaleX, own.offsetX, view.width);
    const down = samples(rows, source.y, source.height, own.scaleY, own.offsetY, view.height);
    for (const { at: y, low: top, high: bottom, share: lower, weight: weightY } of down) {
      for (const { at: x, low: left, high: right, share: later, weight: weightX } of across) {
        const above = part[top * view.width + left] * (1 - later) + part[top * view.width + right] * later;
        const below = part[bottom * view.width + left] * (1 - later) + part[bottom * view.width + right] * later;
        const weight = weightX * weightY;
        map[y * width + x] += weight * (above * (1 - lower) + below * lower);
        weights[y * width + x] += weight;
      }
    }
  }
  for (let index = 0; index < map.length; index += 1) if (weights[index] > 0) map[index] /= weights[index];
  return { map, width, height, placement };
}

/** Over what the views show, with as many pixels as their inputs have there. */
function canvasOf(views: readonly ViewFrame[]): Placement {
  const { scaleX, scaleY, sourceWidth, sourceHeight } = views[0].placement;
  const area = around(views.map(({ source }) => source));
  const shrink = Math.min(1, LONGEST_SIDE / Math.max(area.width * scaleX, area.height * scaleY));
  const inputWidth = Math.max(1, Math.round(area.width * scaleX * shrink));
  const inputHeight = Math.max(1, Math.round(area.height * scaleY * shrink));
  return {
    scaleX: inputWidth / area.width,
    scaleY: inputHeight / area.height,
    offsetX: (-area.x * inputWidth) / area.width,
    offsetY: (-area.y * inputHeight) / area.height,
    inputWidth,
    inputHeight,
    sourceWidth,
    sourceHeight,
  };
}

interface Sample {
  /** Canvas pixel. */
  readonly at: number;
  /** The two map pixels around it and the share of the second. */
  readonly low: number;
  readonly high: number;
  readonly share: number;
  /** Grows from the view's edge to its middle. */
  readonly weight: number;
}

/** For each canvas pixel of one axis that a view shows: where to read the view's map. */
function samples(
  places: Float64Array,
  from: number,
  length: number,
  scale: number,
  offset: number,
  side: number,
): Sample[] {
  const found: Sample[] = [];
  for (let at = 0; at < places.length; at += 1) {
    const distance = Math.min(places[at] - from, from + length - places[at]);
    if (!(distance >= 0)) continue;
    const position = Math.min(Math.max(places[at] * scale + offset - 0.5, 0), side - 1);
    const low = Math.floor(position);
    const weight = Math.max(distance / length, 1e-6);
    found.push({ at, low, high: Math.min(low + 1, side - 1), share: position - low, weight });
  }
  return found;
}

function masked({ map, width, height, placement }: StitchedMap, mask: Mask): Float32Array {
  const { scaleX, scaleY, offsetX, offsetY, sourceWidth, sourceHeight } = placement;
  const columns = cellsOf(centres(width, width, scaleX, offsetX), sourceWidth, mask.width);
  const rows = cellsOf(centres(height, height, scaleY, offsetY), sourceHeight, mask.height);
  const kept = new Float32Array(map.length);
  for (let y = 0; y < height; y += 1) {
    if (rows[y] < 0) continue;
    for (let x = 0; x < width; x += 1) {
      if (columns[x] >= 0 && mask.data[rows[y] * mask.width + columns[x]] === 1)
        kept[y * width + x] = map[y * width + x];
    }
  }
  return kept;
}

function around(boxes: readonly Box[]): Box {
  const x = Math.min(...boxes.map((box) => box.x));
  const y = Math.min(...boxes.map((box) => box.y));
  const right = Math.max(...boxes.map((box) => box.x + box.width));
  const bottom = Math.max(...boxes.map((box) => box.y + box.height));
  return { x, y, width: right - x, height: bottom - y };
}
