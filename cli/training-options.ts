import type { AugmentationWish, Box, TilingWish } from '../engine/domain';
import { WrongUse } from './output';

/** `10,20,50,60` in percent to fractions. @throws {WrongUse} */
export function roiOf(text: string): Box {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part) / 100));
  const [x, y, width, height] = numbers;
  const isInside = x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= 1 + 1e-9 && y + height <= 1 + 1e-9;
  if (numbers.length !== 4 || !isInside) {
    throw new WrongUse(`--roi takes left, top, width and height in percent (for example 10,20,50,60), not ${text}.`);
  }
  return { x, y, width, height };
}

/** @throws {WrongUse} */
export function tilesOf(text: string, overlapText: string | undefined, isPerTile: boolean): TilingWish {
  const match = /^([1-8])x([1-8])$/.exec(text.trim());
  if (match === null)
    throw new WrongUse(`--tiles takes columns x rows from 1x1 to 8x8 (for example 3x2), not ${text}.`);
  const overlap = overlapText === undefined ? 10 : Number(overlapText);
  if (!(overlap >= 0 && overlap <= 50))
    throw new WrongUse(`--overlap takes a percentage from 0 to 50, not ${overlapText}.`);
  return {
    columns: Number(match[1]),
    rows: Number(match[2]),
    overlap: overlap / 100,
    banks: isPerTile ? 'per-tile' : 'shared',
  };
}

const LIMITS = { rotation: 180, light: 50, shift: 25 } as const;

/** `flip,rotation=5,light=10,shift=2`, or `none`. @throws {WrongUse} */
export function augmentationOf(text: string): AugmentationWish | null {
  if (text === 'none') return null;
  const wish = { flip: false, rotation: 0, light: 0, shift: 0 };
  for (const part of text.split(',')) {
    const [name, value] = part.trim().split('=');
    if (name === 'flip' && value === undefined) {
      wish.flip = true;
      continue;
    }
    const limit = Object.entries(LIMITS).find(([known]) => known === name);
    const number = value === undefined || value === '' ? Number.NaN : Number(value);
    if (limit === undefined || !(number >= 0 && number <= limit[1])) {
      throw new WrongUse(
        `--augment takes none, or flip, rotation=0..180, light=0..50, shift=0..25 with commas between, not ${JSON.stringify(part)}.`,
      );
    }
    if (name === 'rotation') wish.rotation = number;
    else if (name === 'light') wish.light = number / 100;
    else wish.shift = number / 100;
  }
  return wish;
}
