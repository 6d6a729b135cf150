import type { ErrorText, JobProgress, TrainingOptions } from '../domain';

/** Where the training process finds its pictures. */
export type PictureSource =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'files'; readonly files: readonly { readonly name: string; readonly path: string }[] }
  | { readonly kind: 'simulator'; readonly product: string; readonly count: number; readonly seed: number };

/** What the training process is to do. */
export interface TrainingOrder {
  readonly partType: string;
  readonly version: string;
  readonly parent: string | null;
  /** Where the package is written; it is moved to its final place by the parent. */
  readonly outFolder: string;
  readonly source: PictureSource;
  /** For the manifest: where the pictures came from. */
  readonly sourceText: string;
  readonly backbone?: string;
  /** Folders and files in it are absolute. */
  readonly options: TrainingOptions;
  /** Folder of the version the pictures are added to; null: the training starts anew. */
  readonly updateFrom: string | null;
  readonly threads: number;
}

export type TrainingReport =
  | { readonly kind: 'progress'; readonly progress: JobProgress }
  | { readonly kind: 'done'; readonly skipped: readonly { readonly name: string; readonly reason: string }[] }
  | { readonly kind: 'failed'; readonly error: ErrorText };
