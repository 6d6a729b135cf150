import type { FrameSource } from './frame-source';

export interface FolderSourceOptions {
  /** Absolute path; subfolders are not entered. */
  readonly folder: string;
  /** `step`: each `next` takes the next file in natural order. `watch`: `next` waits for a new or rewritten file. */
  readonly mode: 'step' | 'watch';
  /** Step mode: start over after the last file. */
  readonly loop?: boolean;
  /** Lower case with dot; `.jpg`, `.jpeg`, `.png` by default. */
  readonly extensions?: readonly string[];
  /** Watch mode: take the files that are there already, first. */
  readonly includeExisting?: boolean;
  /** Watch mode: look at the folder again and again instead of waiting for the system's notice; for network shares. */
  readonly polling?: boolean;
  /** Watch mode: a file must not have changed for this long, so that half-written ones are not taken; 200 by default. */
  readonly settleMs?: number;
  readonly maxBytes?: number;
}

export function folderSource(_options: FolderSourceOptions): FrameSource {
  throw new Error('under construction');
}
