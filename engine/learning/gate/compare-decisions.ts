import type { ChangedDecision, DecisionComparison } from '../../domain';

/** Changed decisions that are kept. */
const KEPT = 200;
/** How telling a change is: a known defect that passes, a good part that is stopped, then all else. */
const RANKS: readonly ((decided: ChangedDecision) => boolean)[] = [
  (decided) => decided.label === 'NG' && isNewlyPassed(decided),
  (decided) => decided.label === 'OK' && isNewlyStopped(decided),
  isNewlyPassed,
  isNewlyStopped,
];

export function isNewlyPassed({ before, after }: Pick<ChangedDecision, 'before' | 'after'>): boolean {
  return before !== 'OK' && after === 'OK';
}

export function isNewlyStopped({ before, after }: Pick<ChangedDecision, 'before' | 'after'>): boolean {
  return before === 'OK' && after !== 'OK';
}

/** Nothing compared yet. */
export const NO_DECISIONS: DecisionComparison = {
  pictures: 0,
  changed: 0,
  newlyPassed: 0,
  newlyStopped: 0,
  items: [],
  skipped: 0,
};

/**
 * How the decisions of two models differ. Escapes come first, then good parts that are newly stopped, what else newly
 * passes, what else is newly stopped, and the rest; each in the order given.
 *
 * @param skipped pictures that could not be looked at
 */
export function compareDecisions(decided: readonly ChangedDecision[], skipped: number): DecisionComparison {
  return { ...decided.reduce(withDecision, NO_DECISIONS), skipped };
}

/** A comparison with one more picture. */
export function withDecision(comparison: DecisionComparison, decided: ChangedDecision): DecisionComparison {
  const pictures = comparison.pictures + 1;
  if (decided.before === decided.after) return { ...comparison, pictures };
  const rank = rankOf(decided);
  const place = comparison.items.findIndex((item) => rankOf(item) > rank);
  return {
    ...comparison,
    pictures,
    changed: comparison.changed + 1,
    newlyPassed: comparison.newlyPassed + Number(isNewlyPassed(decided)),
    newlyStopped: comparison.newlyStopped + Number(isNewlyStopped(decided)),
    items: comparison.items.toSpliced(place === -1 ? comparison.items.length : place, 0, decided).slice(0, KEPT),
  };
}

function rankOf(decided: ChangedDecision): number {
  const rank = RANKS.findIndex((isOf) => isOf(decided));
  return rank === -1 ? RANKS.length : rank;
}
