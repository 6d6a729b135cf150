import { defaultPictureLimits } from '../imaging';
import { PICTURE_EXTENSIONS } from './folder-files';
import type { FrameSource } from './frame-source';
import { StepFolder } from './step-folder';
import { WatchFolder } from './watch-folder';

export interface FolderSourceOptions {
  /** Absolute path; subfolders are not entered. */
  readonly folder: string;
  /** `step`: each `next` takes the next file in natural order. `watch`: `next` waits for a new or rewritten file. */
  readonly mode: 'step' | 'watch';
  /** Step mode: start over after the last file. */
  readonly loop?: boolean;
  /** Lower case with dot; `.jpg`, `.jpeg`, `.png` by default. */
  readonly extensions?: readonly string[];
  /** Watch mode: take the files that are there already, first, in natural order. */
  readonly includeExisting?: boolean;
  /** Watch mode: look at the files again and again instead of waiting for the system's notice; for network shares. */
  readonly polling?: boolean;
  /** Watch mode: a file must not have changed for this long, so that half-written ones are not taken; 200 by default. */
  readonly settleMs?: number;
  readonly maxBytes?: number;
}

/**
 * Pictures from a folder. Files with other extensions are skipped and told by `skipped`; a file with a picture's extension is
 * given as it is, whatever it holds: it stands for a part, so an unreadable one must become a verdict and not vanish.
 */
export function folderSource(options: FolderSourceOptions): FrameSource {
  const { folder, mode, extensions = PICTURE_EXTENSIONS, maxBytes = defaultPictureLimits.maxBytes } = options;
  if (mode === 'step') return new StepFolder({ folder, extensions, maxBytes, loop: options.loop ?? false });
  const { includeExisting = false, polling = false, settleMs = 200 } = options;
  return new WatchFolder({ folder, extensions, maxBytes, includeExisting, polling, settleMs });
}
