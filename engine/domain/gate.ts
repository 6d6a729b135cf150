import type { Fault } from './errors';
import type { ModelKind } from './identifiers';
import type { Thresholds } from './inspection';
import type { Reason } from './reason';
import type { Label } from './review';
import type { Verdict } from './verdict';

/** Whether a candidate may take the place of what is in production. */
export interface GateDecision {
  readonly accepted: boolean;
  readonly reasons: readonly Reason[];
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

/** A figure of two models on the same pictures, with the 95 % interval of the difference (paired bootstrap over the pictures). */
export interface Difference {
  /** Null when there is no model before; then there is no difference either. */
  readonly before: number | null;
  readonly after: number;
  /** `after` less `before`. */
  readonly difference: number | null;
  readonly low: number | null;
  readonly high: number | null;
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
  /** Share of the pictures that pass when they are labelled OK, and do not when they are labelled NG; 0..1. */
  readonly accuracy: Difference | null;
  /** Share of the pictures labelled NG that pass, 0..1. */
  readonly escapes: Difference | null;
  /** Share of the pictures labelled OK that do not pass, 0..1. */
  readonly falseRejects: Difference | null;
  /** Of anomaly scores. */
  readonly auroc?: Difference;
  /**
   * Of a candidate with anomaly scores that was trained from labels: how many pictures labelled NG set its accept level. `same`:
   * they are those counted here, because too few are held out, which flatters its escapes.
   */
  readonly levels?: { readonly ng: number; readonly same: boolean };
  /** Of detectors. */
  readonly map50?: Difference;
}

/** How much is still found of what was known before. */
export interface OldClasses {
  /** Share found, of all of them together; 0..1. */
  readonly recall: Difference;
  readonly perClass: readonly {
    readonly label: string;
    /** Boxes for a detector, pictures for other kinds. */
    readonly count: number;
    /** Shares found, 0..1; `before` null as in `Difference`. */
    readonly before: number | null;
    readonly after: number;
  }[];
}

/** What is known of a candidate before it goes into production. */
export interface GateReport {
  readonly candidate: { readonly name: string; readonly version: string };
  /** The version in production; null when there was none. */
  readonly against: { readonly name: string; readonly version: string } | null;
  readonly dataset: { readonly id: string; readonly hash: string } | null;
  readonly holdOut: GateFigures | null;
  /** On the same pictures: the classes that the version in production knows, for anomaly scores those of the defects. */
  readonly oldClasses: OldClasses | null;
  /** On the newest production pictures; null without a version in production. */
  readonly shadow: DecisionComparison | null;
  /** Pictures labelled NG, held out or not, that the version in production stops and the candidate passes. */
  readonly labelledNgNewlyPassed: number;
  readonly decision: GateDecision;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly seconds: number;
}

/** Versions of a model on the same labelled pictures. */
export interface ModelComparison {
  readonly name: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly pictures: {
    readonly ok: number;
    readonly ng: number;
    /** Could not be looked at. */
    readonly skipped: number;
  };
  /** In the order asked for. */
  readonly versions: readonly ComparedVersion[];
  /** From the first version to the last. */
  readonly changed: DecisionComparison;
}

export interface ComparedVersion {
  readonly version: string;
  /** 0..1: `accuracy`, `escapes` and `falseRejects` as `GateFigures` has them, and `auroc` or `map50`. */
  readonly figures: Readonly<Record<string, number>>;
  /**
   * Scores of the pictures labelled OK and NG, ascending, 2000 at most: the anomaly score, the highest confidence of a
   * detection, or the probability that the part is not OK.
   */
  readonly ok: readonly number[];
  readonly ng: readonly number[];
  /** Null for kinds that give no anomaly score. */
  readonly thresholds: Thresholds | null;
}

/** A comparison that is asked for: made already, or being made. */
export interface ComparisonState {
  readonly state: 'none' | 'running' | 'ready' | 'failed';
  /** 0..100 while it runs. */
  readonly percent: number | null;
  readonly error: Fault | null;
  readonly comparison: ModelComparison | null;
}

/** A candidate that looks at the same parts as the version in production; its decisions count for nothing. */
export interface ShadowRun {
  readonly id: string;
  readonly partType: string;
  readonly kind: ModelKind;
  readonly name: string;
  readonly version: string;
  /** The version in production when it began. */
  readonly against: string;
  readonly state: 'running' | 'completed' | 'stopped';
  /** How many parts it shall look at. */
  readonly parts: number;
  readonly seen: number;
  /** Parts it let go by because the line needed the time, or that it could not look at. */
  readonly skipped: number;
  readonly report: DecisionComparison;
  readonly actor: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly endedAt: string | null;
}
