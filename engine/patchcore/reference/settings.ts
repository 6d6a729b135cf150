import type { ReferenceSettings } from '../../packages';

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
