/** Where something lies in a picture and how large it is, for words. */
import type { Size } from './box-geometry';
import type { Box } from './types';

export const PLACES = [
  'whole',
  'middle',
  'left',
  'right',
  'top',
  'bottom',
  'topLeft',
  'topRight',
  'bottomLeft',
  'bottomRight',
  'leftEdge',
  'rightEdge',
  'topEdge',
  'bottomEdge',
  'topLeftCorner',
  'topRightCorner',
  'bottomLeftCorner',
  'bottomRightCorner',
] as const;
export type Place = (typeof PLACES)[number];

/** As far from the picture's edge a box counts as at it, in shares of the side. */
const AT_EDGE = 0.02;
/** A box that takes this share of both sides is everywhere. */
const EVERYWHERE = 0.7;
const THIRD = 1 / 3;

/** The place of a box: at an edge or in a corner when it reaches there, else by thirds of the picture. */
export function placeOf({ x, y, width, height }: Box, picture: Size): Place {
  const left = x / picture.width;
  const right = (x + width) / picture.width;
  const top = y / picture.height;
  const bottom = (y + height) / picture.height;
  if (right - left >= EVERYWHERE && bottom - top >= EVERYWHERE) return 'whole';
  const across = touching(left, right);
  const down = touching(top, bottom);
  if (across !== 0 || down !== 0) return EDGES[down + 1][across + 1];
  return THIRDS[third((top + bottom) / 2) + 1][third((left + right) / 2) + 1];
}

/** -1 at the low edge, 1 at the high one, 0 at none or both. */
function touching(low: number, high: number): -1 | 0 | 1 {
  const atLow = low <= AT_EDGE;
  const atHigh = high >= 1 - AT_EDGE;
  if (atLow === atHigh) return 0;
  return atLow ? -1 : 1;
}

function third(middle: number): -1 | 0 | 1 {
  if (middle < THIRD) return -1;
  return middle > 1 - THIRD ? 1 : 0;
}

const EDGES: readonly (readonly Place[])[] = [
  ['topLeftCorner', 'topEdge', 'topRightCorner'],
  ['leftEdge', 'middle', 'rightEdge'],
  ['bottomLeftCorner', 'bottomEdge', 'bottomRightCorner'],
];
const THIRDS: readonly (readonly Place[])[] = [
  ['topLeft', 'top', 'topRight'],
  ['left', 'middle', 'right'],
  ['bottomLeft', 'bottom', 'bottomRight'],
];

export type Area =
  | { readonly unit: 'mm2'; readonly value: number }
  | { readonly unit: 'share'; readonly value: number }
  | { readonly unit: 'pixels'; readonly value: number };

/** Below this share of the picture the area is told in pixels. */
const LEAST_SHARE = 0.001;

/**
 * An area in the unit that says most: mm² where the scale is known, else the share of the picture, or pixels when that
 * is tiny or the picture's size is not known.
 *
 * @param pixels     area in pixels of the original picture
 * @param millimetres length of a pixel's side; null when not known
 */
export function areaOf(pixels: number, picture: Size | null, millimetres: number | null): Area {
  if (millimetres !== null) return { unit: 'mm2', value: pixels * millimetres ** 2 };
  const share = picture === null ? 0 : pixels / (picture.width * picture.height);
  return share >= LEAST_SHARE ? { unit: 'share', value: share } : { unit: 'pixels', value: pixels };
}
