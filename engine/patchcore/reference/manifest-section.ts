import { z } from 'zod';
import { referenceSettings } from './settings';

const count = z.int().nonnegative();

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
