import { thumbnail } from '../imaging';
import type { Bank } from './bank';
import type { NumberedPictures, PictureSize } from './package-files';

/** Small copies kept at most: those of the pictures with the most rows. */
export const MOST_SOURCES = 400;
/** Pixels of a small copy's longer side, at most. */
const LONGER_SIDE = 512;

/**
 * Small copies of the pictures that the rows of the banks come from, so that a person can see what a part was compared with.
 *
 * @param copyOf the small copy of a picture, by the number that origins name it with; null when it cannot be had
 * @returns JPEGs by the pictures' numbers in the package
 */
export async function sourcePictures(
  banks: readonly (Bank | null)[],
  { numberOf }: NumberedPictures,
  copyOf: (picture: number) => Promise<Buffer | null>,
): Promise<ReadonlyMap<number, Buffer>> {
  const rows = new Map<number, { readonly picture: number; count: number }>();
  for (const { picture } of banks.flatMap((bank) => bank?.origins ?? [])) {
    const number = numberOf(picture);
    const known = rows.get(number);
    if (known) known.count += 1;
    else rows.set(number, { picture, count: 1 });
  }
  const most = [...rows].sort(([, a], [, b]) => b.count - a.count).slice(0, MOST_SOURCES);
  const copies = new Map<number, Buffer>();
  for (const [number, { picture }] of most) {
    const copy = await copyOf(picture);
    if (copy !== null) copies.set(number, copy);
  }
  return copies;
}

/** A small JPEG of a picture. */
export function sourceCopy(picture: Buffer, { width, height }: PictureSize): Promise<Buffer> {
  return thumbnail(picture, Math.max(1, Math.floor(width * Math.min(1, LONGER_SIDE / Math.max(width, height)))));
}
