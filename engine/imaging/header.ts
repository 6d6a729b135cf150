import type { PictureFormat } from '../domain';
import { PictureUnreadable } from './errors';
import { defaultPictureLimits, type PictureLimits } from './limits';

export interface PictureHeader {
  readonly format: PictureFormat;
  readonly width: number;
  readonly height: number;
}

/**
 * Format and size from the first bytes, without decoding: cheap and synchronous, safe in the main process. The format
 * is told by content, never by a file name. Width and height are those of the stored pixels; an EXIF orientation is
 * not applied, here or anywhere else, so that boxes stay in pixels of the original.
 *
 * @throws {PictureUnreadable} empty, not-a-picture, unsupported-format, truncated (within the header), too-large,
 *   too-many-pixels, too-small
 */
export function readPictureHeader(picture: Buffer, limits: PictureLimits = defaultPictureLimits): PictureHeader {
  if (picture.length === 0) throw new PictureUnreadable('empty');
  if (picture.length > limits.maxBytes) {
    throw new PictureUnreadable('too-large', { bytes: picture.length, limit: limits.maxBytes });
  }
  const header = parseHeader(picture);
  const { width, height } = header;
  if (width * height > limits.maxPixels) {
    throw new PictureUnreadable('too-many-pixels', { width, height, limit: limits.maxPixels });
  }
  if (Math.min(width, height) < limits.minSide) {
    throw new PictureUnreadable('too-small', { width, height, limit: limits.minSide });
  }
  return header;
}

function parseHeader(picture: Buffer): PictureHeader {
  if (startsWith(picture, [0xff, 0xd8, 0xff])) return { format: 'jpeg', ...jpegSize(picture) };
  if (startsWith(picture, PNG_SIGNATURE)) return { format: 'png', ...pngSize(picture) };
  const foreign = foreignFormat(picture);
  if (foreign !== null) throw new PictureUnreadable('unsupported-format', { format: foreign });
  throw new PictureUnreadable('not-a-picture');
}

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** IHDR is always the first chunk: length 13, type, width, height (PNG specification, 11.2.2). */
function pngSize(picture: Buffer): { width: number; height: number } {
  if (picture.length < 33) throw new PictureUnreadable('truncated');
  if (picture.readUInt32BE(8) !== 13 || picture.toString('latin1', 12, 16) !== 'IHDR') {
    throw new PictureUnreadable('damaged', { detail: 'the PNG does not start with its header chunk' });
  }
  return { width: picture.readUInt32BE(16), height: picture.readUInt32BE(20) };
}

/** Walks the marker segments to the first frame header (ITU-T T.81, B.1.1 and B.2.2). */
function jpegSize(picture: Buffer): { width: number; height: number } {
  let at = 2;
  for (;;) {
    if (at + 4 > picture.length) throw new PictureUnreadable('truncated');
    if (picture[at] !== 0xff) {
      throw new PictureUnreadable('damaged', { detail: `no JPEG marker at byte ${at}` });
    }
    const marker = picture[at + 1];
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 2;
      continue;
    }
    if (marker === 0xd9 || marker === 0xda) {
      throw new PictureUnreadable('damaged', { detail: 'the JPEG has no frame header' });
    }
    const length = picture.readUInt16BE(at + 2);
    if (length < 2) throw new PictureUnreadable('damaged', { detail: `bad JPEG segment length at byte ${at + 2}` });
    if (isFrameHeader(marker)) {
      if (at + 9 > picture.length) throw new PictureUnreadable('truncated');
      if (marker > 0xc2) throw new PictureUnreadable('unsupported-format', { format: JPEG_PROCESS[marker] ?? 'JPEG' });
      return { height: picture.readUInt16BE(at + 5), width: picture.readUInt16BE(at + 7) };
    }
    at += 2 + length;
  }
}

/** SOF0..SOF15 without DHT (C4), JPG (C8) and DAC (CC). */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

const JPEG_PROCESS: Readonly<Record<number, string>> = {
  195: 'lossless JPEG',
  197: 'hierarchical JPEG',
  198: 'hierarchical JPEG',
  199: 'hierarchical JPEG',
  201: 'arithmetic-coded JPEG',
  202: 'arithmetic-coded JPEG',
  203: 'arithmetic-coded JPEG',
  205: 'arithmetic-coded JPEG',
  206: 'arithmetic-coded JPEG',
  207: 'arithmetic-coded JPEG',
};

/** The name of a known picture or video format other than JPEG and PNG. */
function foreignFormat(picture: Buffer): string | null {
  const text = picture.toString('latin1', 0, 16);
  if (text.startsWith('GIF87a') || text.startsWith('GIF89a')) return 'GIF';
  if (text.startsWith('RIFF') && text.slice(8, 12) === 'WEBP') return 'WebP';
  if (text.startsWith('RIFF') && text.slice(8, 12) === 'AVI ') return 'AVI video';
  if (startsWith(picture, [0x49, 0x49, 0x2a, 0x00]) || startsWith(picture, [0x4d, 0x4d, 0x00, 0x2a])) return 'TIFF';
  if (text.slice(4, 8) === 'ftyp') {
    const brand = text.slice(8, 12);
    if (brand === 'avif' || brand === 'avis') return 'AVIF';
    if (/^(heic|heix|mif1|msf1|hevc)$/.test(brand)) return 'HEIC';
    return 'MP4 video';
  }
  if (startsWith(picture, [0x00, 0x00, 0x00, 0x0c, 0x6a, 0x50])) return 'JPEG 2000';
  if (
    text.startsWith('BM') &&
    picture.length >= 26 &&
    picture.readUInt32LE(14) >= 12 &&
    picture.readUInt32LE(14) <= 124
  ) {
    return 'BMP';
  }
  if (/^(<\?xml|<svg)/.test(text.trimStart()) && picture.toString('latin1', 0, 1024).includes('<svg')) return 'SVG';
  return null;
}

function startsWith(picture: Buffer, bytes: readonly number[]): boolean {
  return picture.length >= bytes.length && bytes.every((byte, index) => picture[index] === byte);
}
