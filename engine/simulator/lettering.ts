import type { Ink } from './ink';

/**
 * A stroke alphabet on a grid of 5 columns and 7 rows, as on type plates and pen plotters. Each glyph is a list of
 * polylines, each point two digits: column and row.
 */
const GLYPHS: Readonly<Record<string, string>> = {
  A: '06 02 11 20 31 42 46|04 44',
  B: '00 06 36 45 44 33 03|00 30 41 42 33',
  C: '41 30 10 01 05 16 36 45',
  D: '00 06 26 45 41 20 00',
  E: '40 00 06 46|03 33',
  F: '40 00 06|03 33',
  G: '41 30 10 01 05 16 36 45 43 23',
  H: '00 06|40 46|03 43',
  I: '20 26|10 30|16 36',
  J: '40 45 36 16 05',
  K: '00 06|40 03 46',
  L: '00 06 46',
  M: '06 00 23 40 46',
  N: '06 00 46 40',
  O: '10 30 41 45 36 16 05 01 10',
  P: '06 00 30 41 42 33 03',
  Q: '10 30 41 45 36 16 05 01 10|34 46',
  R: '06 00 30 41 42 33 03|23 46',
  S: '41 30 10 01 02 13 33 44 45 36 16 05',
  T: '00 40|20 26',
  U: '00 05 16 36 45 40',
  V: '00 26 40',
  W: '00 16 23 36 40',
  X: '00 46|40 06',
  Y: '00 23 40|23 26',
  Z: '00 40 06 46',
  0: '10 30 41 45 36 16 05 01 10|14 32',
  1: '11 20 26|16 36',
  2: '01 10 30 41 42 06 46',
  3: '01 10 30 41 42 33 13|33 44 45 36 16 05',
  4: '36 30 04 44',
  5: '40 00 03 33 44 45 36 06',
  6: '40 20 02 05 16 36 45 44 33 03',
  7: '00 40 16',
  8: '10 30 41 42 33 13 02 01 10|13 04 05 16 36 45 44 33',
  9: '43 13 02 01 10 30 41 44 26',
  '-': '13 33',
  '/': '06 40',
  '.': '26 26',
  ':': '22 22|25 25',
  '+': '21 25|03 43',
};

/**
 * Writes one line of text.
 *
 * @param x      left edge of the first letter
 * @param y      top edge
 * @param height of a capital letter
 * @param weight thickness of the strokes
 * @returns the width written
 */
export function write(ink: Ink, text: string, x: number, y: number, height: number, weight: number, value = 1): number {
  const unit = height / 6;
  const advance = unit * 5.6;
  [...text].forEach((letter, place) => {
    for (const stroke of (GLYPHS[letter] ?? '').split('|')) {
      const points = stroke.split(' ').filter((point) => point !== '');
      for (let index = 0; index < Math.max(points.length - 1, Math.min(points.length, 1)); index += 1) {
        const from = points[index];
        const to = points[index + 1] ?? from;
        const left = x + place * advance;
        ink.line(
          left + Number(from[0]) * unit,
          y + Number(from[1]) * unit,
          left + Number(to[0]) * unit,
          y + Number(to[1]) * unit,
          weight,
          value,
        );
      }
    }
  });
  return text.length * advance;
}
