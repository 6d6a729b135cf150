import type { ErrorParameters } from './errors';

/** One thing that decides about a training or a version, in words. */
export interface Reason {
  /** Stable, kebab-case; the key of the translations. */
  readonly code: string;
  /** A sentence for people. */
  readonly message: string;
  /** For translations; times are ISO 8601, UTC. */
  readonly parameters?: ErrorParameters;
}
