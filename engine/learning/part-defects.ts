import type { SnapshotItem } from '../domain';

/** With fewer, one picture would weigh more than 10 points of the escapes, and the accept level needs each that is there. */
const LEAST_JUDGES = 10;

export interface PartedDefects<Item> {
  /** They set the accept level of an anomaly model. */
  readonly levels: readonly Item[];
  /** They judge it. */
  readonly judges: readonly Item[];
  /** True when all do both, because too few are held out: then the model's escapes are flattered. */
  readonly same: boolean;
}

/**
 * Parts the pictures labelled NG by the fixed split: those held out judge, and the others set the accept level. With fewer than
 * ten held out, all do both.
 */
export function partDefects<Item extends Pick<SnapshotItem, 'label' | 'split'>>(
  pictures: readonly Item[],
): PartedDefects<Item> {
  const all = pictures.filter(({ label }) => label === 'NG');
  const judges = all.filter(({ split }) => split === 'val');
  const levels = all.filter(({ split }) => split === 'train');
  const same = judges.length < LEAST_JUDGES || levels.length === 0;
  return same ? { levels: all, judges: all, same } : { levels, judges, same };
}
