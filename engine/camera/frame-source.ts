import type { EventEmitter } from 'node:events';

export interface Frame {
  /** Encoded picture as it came from the source; its content is not validated here. */
  readonly picture: Buffer;
  /** File name, when the source has files. */
  readonly name?: string;
}

/**
 * `connecting` until the first contact, `ready` while frames can be had, `reconnecting` while the source tries to get back,
 * `unavailable` after a failed try with nothing under way, `closed` for good.
 */
export type FrameSourceState = 'connecting' | 'ready' | 'reconnecting' | 'unavailable' | 'closed';

export interface FrameSourceStatus {
  readonly state: FrameSourceState;
  /** How often the source came back, or tried to, after it was lost. */
  readonly reconnects: number;
  /** What went wrong last, without credentials; absent while all is well. */
  readonly message?: string;
}

export interface FrameSourceEvents {
  status: [status: FrameSourceStatus];
  /** A file in the folder that is no picture (told once for each name). */
  skipped: [file: { readonly name: string; readonly reason: string }];
}

/** Where pictures come from. */
export interface FrameSource extends EventEmitter<FrameSourceEvents> {
  readonly status: FrameSourceStatus;
  /**
   * The next picture: never older than this call for a camera, the next file for a folder.
   *
   * @throws {FileUnreadable} when a file came that cannot be read; the next call gives the next file
   * @throws {InspectionError} when there is none; the source stays usable and the next call tries again
   * @throws the signal's reason when `signal` aborts
   */
  next(signal: AbortSignal): Promise<Frame>;
  /** Ends all work; waiting `next` calls reject. */
  close(): Promise<void>;
}
