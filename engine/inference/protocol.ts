import type { ErrorText } from '../domain';

/** What the pool tells a child. One task at a time. */
export type ToChild =
  | {
      readonly type: 'start';
      readonly taskModules: readonly string[];
      readonly memoryCapBytes: number;
      readonly threads: number;
    }
  | { readonly type: 'run'; readonly id: number; readonly task: string; readonly args: unknown }
  | { readonly type: 'abort'; readonly id: number };

/** What a child tells the pool. */
export type FromChild =
  | { readonly type: 'ready' }
  | { readonly type: 'start-failed'; readonly message: string }
  /** A session is being loaded for the task in progress, or no more. */
  | { readonly type: 'loading'; readonly loading: boolean }
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'error'; readonly id: number; readonly error: TaskError };

/** An error thrown by a task: as it is when typed, otherwise only its text. */
export type TaskError =
  | { readonly typed: true; readonly text: ErrorText }
  | { readonly typed: false; readonly message: string; readonly stack: string };
