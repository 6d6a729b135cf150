import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { thumbnail } from '../imaging';
import type { Bank } from './bank';
import type { NumberedPictures, PictureSize } from './package-files';

/**
 * The small copies, in one file: hundreds of files would be flushed to disk one by one, while verdicts wait for the same disk.
 * It begins with the number of pictures of the package, then for each the place of its copy in the file and the copy's bytes, 0
 * for none: uint32, little-endian. The copies follow.
 */
export const SOURCES_FILE = 'sources.bin';
const NUMBER_BYTES = 4;
const ENTRY_BYTES = 2 * NUMBER_BYTES;

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

/**
 * @param copies by the numbers of the pictures
 * @param count  pictures of the package
 * @returns the content of `SOURCES_FILE`
 */
export function packSources(copies: ReadonlyMap<number, Buffer>, count: number): Buffer {
  const head = Buffer.alloc(NUMBER_BYTES + count * ENTRY_BYTES);
  head.writeUInt32LE(count);
  let from = head.length;
  for (const [picture, copy] of copies) {
    const entry = NUMBER_BYTES + picture * ENTRY_BYTES;
    head.writeUInt32LE(from, entry);
    head.writeUInt32LE(copy.length, entry + NUMBER_BYTES);
    from += copy.length;
  }
  return Buffer.concat([head, ...copies.values()]);
}

/**
 * The small copy of a picture that a version has learnt.
 *
 * @param picture its number in the package
 * @returns null when the package has none
 */
export async function readSourceCopy(folder: string, picture: number): Promise<Buffer | null> {
  const file = await open(join(folder, SOURCES_FILE)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (file === null) return null;
  try {
    const read = async (from: number, length: number): Promise<Buffer> => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, from);
      return buffer.subarray(0, bytesRead);
    };
    const head = await read(0, NUMBER_BYTES);
    if (head.length < NUMBER_BYTES || picture >= head.readUInt32LE()) return null;
    const entry = await read(NUMBER_BYTES + picture * ENTRY_BYTES, ENTRY_BYTES);
    const length = entry.readUInt32LE(NUMBER_BYTES);
    return length === 0 ? null : await read(entry.readUInt32LE(), length);
  } finally {
    await file.close();
  }
}
