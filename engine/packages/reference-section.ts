import { z } from 'zod';

const count = z.int().nonnegative();
const share = z.number().min(0).max(1);

/** The checked form of {@link ReferenceSettings}. */
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

/** The section `reference` of a model of the method `reference`: it stands in the place of bank, backbone and recipe. */
export const referenceSection = z.object({
  settings: referenceSettings,
  /** File in the package: the golden picture of every part that comes without its own; null: each part must have one. */
  picture: z.string().min(1).nullable(),
  /** Pairs of files in the package, with the raw score of the picture against its golden picture. */
  golden: z.array(z.object({ picture: z.string().min(1), reference: z.string().min(1), score: z.number() })).min(1),
  /** `annotated`: the settings told real defects best from good parts; `painted`: painted ones; `wished`: by the caller. */
  chosenBy: z.enum(['annotated', 'painted', 'wished']),
  trials: z.array(z.object({ tolerance: count, contrast: z.number(), smoothing: count, auroc: z.number() })),
  /** Annotated defects found at the region level; null: none were known. */
  boxes: z.object({ level: z.number(), found: count, boxes: count, falseRegions: count, pictures: count }).nullable(),
});

export type ReferenceSection = Readonly<z.infer<typeof referenceSection>>;
