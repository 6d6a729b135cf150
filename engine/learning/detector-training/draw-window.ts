import type { DetectionTarget } from '../../detector';
import type { Box, Random } from '../../domain';
import type { WindowPart, WindowPlan } from './window';

/** What must be known of a picture to choose a window in it. */
export interface PictureFrame {
  readonly width: number;
  readonly height: number;
  readonly targets: readonly DetectionTarget[];
}

export interface WindowWishes {
  /** Side of the window in pixels. */
  readonly side: number;
  /** 0: nothing but where the window lies; 1: the most. */
  readonly strength: number;
  /** Parts a side of a window that is put together of several pictures (a mosaic); 1: no window is. */
  readonly parts: number;
}

/** How often the window is laid around a target, where there is one. */
const FOCUS = 0.85;
/** At strength 1: largest zoom in or out, share of mosaics, of transposed windows, and how light may change. */
const ZOOM = 1.5;
const MOSAICS = 1.6;
const TRANSPOSED = 0.5;
const CONTRAST = 0.35;
const COLOUR = 0.12;
const BRIGHTNESS = 0.15;
/** How far from its place a border within a mosaic may lie, in shares of a part. */
const SHIFT = 0.25;
/** So many times the side of the usual target a part of a mosaic has at least, while there are more than `LEAST_PARTS`. */
const ROOM = 3;
const [LEAST_PARTS, MOST_PARTS] = [2, 3];

/**
 * Draws a way to make a training input of a picture at the resolution it is served at: a window that mostly shows a
 * target, sometimes only background, mirrored, zoomed and lit. Small defects keep their size, and a window costs less than
 * the whole picture. The same random numbers give the same plan.
 *
 * @param index   the picture to show
 * @param frameOf a picture's size and targets
 * @param another draws a picture to put beside it
 */
export function drawWindow(
  index: number,
  frameOf: (picture: number) => PictureFrame,
  another: () => number,
  { side, strength, parts: partsASide }: WindowWishes,
  random: Random,
): WindowPlan {
  const around = (most: number) => strength * most * (2 * random() - 1);
  const isMosaic = random() < strength * MOSAICS && partsASide > 1;
  const regions = isMosaic ? gridOf(side, partsASide, random) : [{ x: 0, y: 0, width: side, height: side }];
  const parts = regions.map((region, place) => {
    const picture = place === 0 ? index : another();
    return drawPart(picture, frameOf(picture), region, strength, random);
  });
  const contrast = 1 + around(CONTRAST);
  const gain = () => contrast * (1 + around(COLOUR));
  return { parts, gains: [gain(), gain(), gain()], offset: around(BRIGHTNESS) };
}

/**
 * How many parts a side a mosaic has: the smaller the targets, the more of them a window can show at full resolution.
 *
 * @param frames pictures with their targets
 */
export function partsFor(frames: readonly PictureFrame[], side: number): number {
  const sides = frames.flatMap(({ targets }) => targets.map(({ box }) => Math.sqrt(box.width * box.height)));
  const usual = sides.sort((a, b) => a - b)[Math.floor(sides.length / 2)] ?? side;
  return Math.min(Math.max(Math.floor(side / (ROOM * usual)), LEAST_PARTS), MOST_PARTS);
}

function gridOf(side: number, parts: number, random: Random): Box[] {
  const border = (index: number) => {
    if (index === 0 || index === parts) return (index * side) / parts;
    return Math.round((side / parts) * (index + SHIFT * (2 * random() - 1)));
  };
  const borders = () => Array.from({ length: parts + 1 }, (_, index) => border(index));
  const [across, down] = [borders(), borders()];
  return Array.from({ length: parts * parts }, (_, place) => {
    const [row, column] = [Math.floor(place / parts), place % parts];
    const [x, y] = [across[column], down[row]];
    return { x, y, width: across[column + 1] - x, height: down[row + 1] - y };
  });
}

function drawPart(picture: number, frame: PictureFrame, region: Box, strength: number, random: Random): WindowPart {
  const zoom = ZOOM ** (strength * (2 * random() - 1));
  const mirrored = () => strength > 0 && random() < 0.5;
  const transpose = random() < strength * TRANSPOSED;
  const width = (transpose ? region.height : region.width) / zoom;
  const height = (transpose ? region.width : region.height) / zoom;
  const { targets } = frame;
  const focus = targets.length > 0 && random() < FOCUS ? targets[Math.floor(random() * targets.length)].box : null;
  const x = Math.round(placeSide(frame.width, width, focus && [focus.x, focus.width], random()));
  const y = Math.round(placeSide(frame.height, height, focus && [focus.y, focus.height], random()));
  return { picture, source: { x, y, width, height }, region, transpose, flipX: mirrored(), flipY: mirrored() };
}

/**
 * Where a stretch begins that lies in a side as far as it can, and shows the focus as far as it can.
 *
 * @param share 0..1: which of the places possible
 */
function placeSide(side: number, length: number, focus: readonly [number, number] | null, share: number): number {
  const [least, most] = side >= length ? [0, side - length] : [side - length, 0];
  if (focus === null) return least + (most - least) * share;
  const [start, extent] = focus;
  const [low, high] = extent <= length ? [start + extent - length, start] : [start, start + extent - length];
  const from = Math.min(Math.max(low, least), most);
  const to = Math.max(Math.min(high, most), from);
  return from + (to - from) * share;
}
