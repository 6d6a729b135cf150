import type { Verdict } from '../../domain';
import type { GatePicture } from './gate-order';
import type { Look } from './looks';

/** A look at a labelled picture with what the model alone makes of it. */
export interface Judgement extends Look {
  readonly verdict: Verdict;
}

/** A labelled picture that two models looked at. */
export interface Judged {
  readonly picture: GatePicture;
  /** Null when there is no model before. */
  readonly before: Judgement | null;
  readonly after: Judgement;
}
