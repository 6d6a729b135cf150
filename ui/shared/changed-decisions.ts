/** What a changed decision means for a part, where a person has labelled it. */
import type { ChangedDecision } from './types';

export type ChangeMeaning = 'escape' | 'wrong' | 'fixed' | 'other';

/**
 * `escape`: labelled NG and would pass; `wrong`: right before, wrong now; `fixed`: wrong before, right now. To hand a part
 * to a person is neither right nor wrong.
 */
export function meaningOf({
  label,
  before,
  after,
}: Pick<ChangedDecision, 'label' | 'before' | 'after'>): ChangeMeaning {
  if (label === null || after === 'REVIEW') return 'other';
  if (label === 'NG' && after === 'OK') return 'escape';
  if (after === label) return 'fixed';
  return before === label ? 'wrong' : 'other';
}

/** Where the picture of a changed decision is. */
export function picturePath({ id, picture }: Pick<ChangedDecision, 'id' | 'picture'>): string {
  const place = encodeURIComponent(id);
  return picture === 'imported' ? `/training/imported/${place}/picture` : `/inspections/${place}/picture`;
}
