import type { DeploymentPolicy, Difference, GateDecision, GateFigures, OldClasses, Reason } from '../../domain';
import { percent } from '../percent';

/** What the gate decides by. */
export interface GateFacts {
  /** A version is in production. */
  readonly hasBefore: boolean;
  readonly holdOut: GateFigures | null;
  readonly oldClasses: OldClasses | null;
  readonly labelledNgNewlyPassed: number;
  /** See `GateOrder`. */
  readonly levelledBefore: number;
  readonly policy: DeploymentPolicy | null;
  readonly trained: GateDecision | null;
}

/** How much a figure may fall where no policy says it, 0..1. */
export const DEFAULT_BOUND = 0.01;
/** Rounding. */
const EPSILON = 1e-9;
/** What pictures tell against a candidate that have set the accept level of the version in production alone. */
const BY_LEVEL = ['gate-accuracy-fell', 'gate-escapes-rose', 'gate-old-classes-fell', 'gate-ng-newly-passes'];

/**
 * Whether a candidate may take the place of the version in production: no figure on held-out pictures is worse than the
 * bound allows, nothing of what was known before is found less, no picture labelled NG newly passes, and the training itself
 * had nothing against it. A policy of automatic deployment needs pictures to measure with; without a policy, or without a
 * version in production, their absence alone refuses nothing. Where pictures that judge have set the accept level of the version
 * in production alone, a refusal says so.
 */
export function decideGate(facts: GateFacts): GateDecision {
  const { hasBefore, holdOut, oldClasses, labelledNgNewlyPassed, levelledBefore, policy, trained } = facts;
  const bound = policy?.kind === 'automatic' ? policy.maxWorse : DEFAULT_BOUND;
  const reasons: Reason[] = [...(trained?.reasons ?? [])];
  if (hasBefore && policy?.kind === 'automatic' && (holdOut?.accuracy ?? null) === null) {
    reasons.push({
      code: 'gate-nothing-to-measure-with',
      message:
        'No labelled picture is held out, so nobody can tell whether the candidate is worse. Label more pictures, or deploy it by hand.',
    });
  }
  const worse = (code: string, figure: Difference | null | undefined, sign: 1 | -1, what: string) => {
    if (!figure || figure.before === null || figure.difference === null) return;
    if (sign * figure.difference >= -bound - EPSILON) return;
    const [before, after, allowed] = [figure.before, figure.after, bound].map(percent);
    const changed = sign === 1 ? 'fell' : 'rose';
    reasons.push({
      code,
      message: `${what} ${changed} from ${before} to ${after} on the held-out pictures; ${allowed} is allowed.`,
      parameters: { before, after, bound: allowed },
    });
  };
  worse('gate-accuracy-fell', holdOut?.accuracy, 1, 'The share of parts judged rightly');
  worse('gate-escapes-rose', holdOut?.escapes, -1, 'The share of bad parts that pass');
  worse('gate-false-rejects-rose', holdOut?.falseRejects, -1, 'The share of good parts that are stopped');
  worse('gate-map50-fell', holdOut?.map50, 1, 'mAP50');
  worse('gate-old-classes-fell', oldClasses?.recall, 1, 'The share found of what was known before');
  if (labelledNgNewlyPassed > 0) {
    reasons.push({
      code: 'gate-ng-newly-passes',
      message: `Pictures labelled NG that the version in production stops would newly pass: ${labelledNgNewlyPassed}. Look at them among the changed decisions.`,
      parameters: { count: labelledNgNewlyPassed },
    });
  }
  if (levelledBefore > 0 && reasons.some(({ code }) => BY_LEVEL.includes(code))) {
    reasons.push({
      code: 'gate-levels-differ',
      message: `The version in production has set its accept level by pictures labelled NG that judge now (${levelledBefore}), and the candidate has not: they flatter the version in production. Look at these parts, and deploy the candidate by hand once if it is right about them; with it in production the two are judged alike.`,
      parameters: { count: levelledBefore },
    });
  }
  return { accepted: reasons.length === 0, reasons };
}
