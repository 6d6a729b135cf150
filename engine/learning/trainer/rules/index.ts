import { convolutionRules } from './convolution';
import { elementwiseRules } from './elementwise';
import { layoutRules } from './layout';
import { matrixRules } from './matrix';
import { normalisationRules } from './normalisation';
import { poolingRules } from './pooling';
import type { Rule } from './rule';

export { silu } from './elementwise';
export { DEFAULT_EPSILON } from './normalisation';
export { numberOf, type Rule, type RuleContext } from './rule';

/** The operators that can be trained through. */
export const rules: ReadonlyMap<string, Rule> = new Map(
  Object.entries({
    ...elementwiseRules,
    ...layoutRules,
    ...matrixRules,
    ...convolutionRules,
    ...poolingRules,
    ...normalisationRules,
  }),
);
