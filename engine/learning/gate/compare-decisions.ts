import type { ChangedDecision, DecisionComparison } from '../../domain';

/** What two models decided of a picture. */
export type Decided = ChangedDecision;

/** Changed decisions that are kept. */
const KEPT = 200;
/** How telling a change is: a known defect that passes, a good part that is stopped, then all else. */
const RANKS: readonly ((decided: Decided) => boolean)[] = [
  (decided) => decided.label === 'NG' && isNewlyPassed(decided),
  (decided) => decided.label === 'OK' && isNewlyStopped(decided),
  isNewlyPassed,
  isNewlyStopped,
];

export function isNewlyPassed({ before, after }: Pick<Decided, 'before' | 'after'>): boolean {
  return before !== 'OK' && after === 'OK';
}

export function isNewlyStopped({ before, after }: Pick<Decided, 'before' | 'after'>): boolean {
  return before === 'OK' && after !== 'OK';
}

/**
 * How the decisions of two models differ. Escapes come first, then good parts that are newly stopped, what else newly
 * passes, what else is newly stopped, and the rest; each in the order given.
 *
 * @param skipped pictures that could not be looked at
 */
export function compareDecisions(decided: readonly Decided[], skipped: number): DecisionComparison {
  const changed = decided.filter(({ before, after }) => before !== after);
  const ranked = changed.map((item) => ({ item, rank: rankOf(item) })).sort((a, b) => a.rank - b.rank);
  return {
    pictures: decided.length,
    changed: changed.length,
    newlyPassed: changed.filter(isNewlyPassed).length,
    newlyStopped: changed.filter(isNewlyStopped).length,
    items: ranked.slice(0, KEPT).map(({ item }) => item),
    skipped,
  };
}

function rankOf(decided: Decided): number {
  const rank = RANKS.findIndex((isOf) => isOf(decided));
  return rank === -1 ? RANKS.length : rank;
}
