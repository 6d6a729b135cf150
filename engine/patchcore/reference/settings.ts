import { z } from 'zod';

const share = z.number().min(0).max(1);

/** The checked form of {@link ReferenceSettings}, for the manifest of a model. */
export const referenceSettings = z.object({
  side: z.int().min(64).max(4096),
  reach: z.number().min(0).max(0.25),
  tolerance: z.int().min(0).max(16),
  contrast: share,
  smoothing: z
    .int()
    .min(1)
    .max(31)
    .refine((side) => side % 2 === 1, 'is not odd'),
  region: z.number().positive().max(1),
  leastSimilarity: share,
});

/** How a picture is compared with its golden picture. Plain JSON. */
export interface ReferenceSettings {
  /**
   * Longest side of the comparison, 64..4096: larger pictures are reduced to it, smaller ones stay as they are. Where a
   * length below is in pixels, it is in pixels of the comparison.
   */
  readonly side: number;
  /** How far the part may lie from where the golden picture has it, as a share of the longer side, 0..0.25. */
  readonly reach: number;
  /** How far an edge may still be off when the pictures lie over each other, in whole pixels, 0..16. */
  readonly tolerance: number;
  /** Differences of brightness up to this are noise, 0..1 of the full range. */
  readonly contrast: number;
  /** Differences are averaged over a square of this side, odd, 1..31 pixels: single pixels do not count. */
  readonly smoothing: number;
  /** Averaged difference from which pixels form a region, above 0. */
  readonly region: number;
  /** Pictures that correlate less than this, laid over each other, do not show the same part, 0..1. */
  readonly leastSimilarity: number;
}

/** Found on the training boards of DeepPCB: 98.8 % of the annotated defects with 0.2 false regions a board. */
export const DEFAULT_REFERENCE_SETTINGS: ReferenceSettings = {
  side: 1024,
  reach: 0.05,
  tolerance: 2,
  contrast: 0.15,
  smoothing: 3,
  region: 0.26,
  leastSimilarity: 0.3,
};
