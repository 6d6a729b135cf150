import type { ErrorParameters } from './errors';
import type { Label } from './records';
import type { Verdict } from './verdict';

/** Why a gate decided as it did. */
export interface GateReason {
  /** Stable, kebab-case. */
  readonly code: string;
  /** A sentence for people. */
  readonly message: string;
  /** For translations, see `ErrorText`. */
  readonly parameters?: ErrorParameters;
}

/** Whether a candidate may take the place of what is in production. */
export interface GateDecision {
  readonly accepted: boolean;
  readonly reasons: readonly GateReason[];
}

/** When a candidate goes into production. */
export type DeploymentPolicy =
  /** It waits for a person. */
  | { readonly kind: 'manual' }
  /** When it is not worse than the bound, and no picture labelled NG would newly pass. */
  | {
      readonly kind: 'automatic';
      /** How much the figures on held-out pictures may fall, 0..1. */
      readonly maxWorse: number;
      /** Production pictures on which its decisions are compared with those of the version in production. */
      readonly shadow?: number;
    }
  /** It is only measured. */
  | { readonly kind: 'never' };

/** A figure of two models on the same pictures, with the 95 % paired bootstrap interval of the difference. */
export interface Difference {
  readonly before: number;
  readonly after: number;
  readonly difference: number;
  readonly low: number;
  readonly high: number;
}

/** A picture that two models decide differently. */
export interface ChangedDecision {
  /** Of the inspection, or of the imported picture. */
  readonly id: string;
  readonly label: Label | null;
  readonly before: Verdict;
  readonly after: Verdict;
  readonly scoreBefore: number | null;
  readonly scoreAfter: number | null;
  readonly picture: 'inspection' | 'imported';
}

/** How the decisions of two models differ on the same pictures. */
export interface DecisionComparison {
  readonly pictures: number;
  readonly changed: number;
  /** Stopped before, passed now. */
  readonly newlyPassed: number;
  readonly newlyStopped: number;
  /** Escapes first, 200 at most. */
  readonly items: readonly ChangedDecision[];
  /** Pictures that could not be looked at. */
  readonly skipped: number;
}

/** What two models achieve on held-out pictures; null for a figure that these pictures do not tell. */
export interface GateFigures {
  readonly pictures: number;
  readonly ok: number;
  readonly ng: number;
  readonly accuracy: Difference | null;
  /** Share of the pictures labelled NG that pass, 0..1. */
  readonly escapes: Difference | null;
  /** Share of the pictures labelled OK that do not pass, 0..1. */
  readonly falseRejects: Difference | null;
  readonly auroc?: Difference;
  readonly map50?: Difference;
}

/** What is known of a candidate before it goes into production. */
export interface GateReport {
  readonly candidate: { readonly name: string; readonly version: string };
  /** The version in production; null when there was none. */
  readonly against: { readonly name: string; readonly version: string } | null;
  readonly dataset: { readonly id: string; readonly hash: string } | null;
  readonly holdOut: GateFigures | null;
  /** The same on old pictures, with the classes known before. */
  readonly oldClasses: GateFigures | null;
  /** On the newest production pictures. */
  readonly shadow: DecisionComparison | null;
  /** Pictures labelled NG that the version in production stops and the candidate passes. */
  readonly labelledNgNewlyPassed: number;
  readonly decision: GateDecision;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly seconds: number;
}
