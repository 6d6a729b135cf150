import type { Box, Region } from '../../domain';

/** A region that covers a box by less (intersection over union) must have its centre in it. */
const LEAST_OVERLAP = 0.1;

export interface BoxMatch {
  /** For each annotated box, whether a region lies on it. */
  readonly found: readonly boolean[];
  /** Regions that touch no annotated box. */
  readonly falseRegions: readonly Region[];
}

/**
 * Which annotated boxes were found, and which regions are false.
 *
 * A box is found when a region really lies on it: the region's box and the annotated one have an intersection over union of
 * at least 0.1, or the middle of the region's box lies within the annotated box. A region is false when its box and no
 * annotated box have any area in common. So a region that only touches a box neither finds it nor is false.
 */
export function matchBoxes(regions: readonly Region[], boxes: readonly Box[]): BoxMatch {
  return {
    found: boxes.map((box) => regions.some((region) => liesOn(region.box, box))),
    falseRegions: regions.filter((region) => !boxes.some((box) => commonArea(region.box, box) > 0)),
  };
}

function liesOn(region: Box, box: Box): boolean {
  const common = commonArea(region, box);
  const union = region.width * region.height + box.width * box.height - common;
  if (common >= LEAST_OVERLAP * union) return true;
  const x = region.x + region.width / 2;
  const y = region.y + region.height / 2;
  return x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;
}

function commonArea(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return Math.max(0, width) * Math.max(0, height);
}
