/** What a picture may be at most, and at least, before it is decoded. */
export interface PictureLimits {
  /** Encoded bytes. */
  readonly maxBytes: number;
  /** Width times height. */
  readonly maxPixels: number;
  /** The shorter side must have at least this many pixels. */
  readonly minSide: number;
}

/** 32 MiB, 50 megapixels, 16 pixels a side. */
export const defaultPictureLimits: PictureLimits = { maxBytes: 32 * 1024 * 1024, maxPixels: 50_000_000, minSide: 16 };
