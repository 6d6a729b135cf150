/** What the keeper is to run. */
export interface KeeperOrder {
  readonly program: string;
  readonly args: readonly string[];
  readonly folder: string;
  /** File that all output goes to. */
  readonly log: string;
}

export type KeeperReport =
  | { readonly kind: 'ended'; readonly code: number | null; readonly signal: string | null }
  | { readonly kind: 'not-started'; readonly detail: string };
