import type { ErrorText } from '../domain';

/** What a process tells that does long work. */
export type WorkMessage<Progress, Result> =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'done'; readonly result: Result }
  | { readonly kind: 'failed'; readonly error: ErrorText };
