import type { FrameSource } from './frame-source';

export interface FfmpegSourceOptions {
  /** RTSP URL, or the device: `/dev/video0` on Linux, the device's name on Windows, its index on macOS. */
  readonly input: string;
  readonly kind: 'rtsp' | 'usb';
  /** `1280x720`: fitted into it, missing borders black. `native`: as the camera gives it. */
  readonly size?: '1280x720' | 'native';
  readonly username?: string;
  readonly password?: string;
  /** Frames a second taken from the camera, 15 by default; a capture waits for the next one. */
  readonly framesPerSecond?: number;
  /** `ffmpeg` by default. */
  readonly ffmpegPath?: string;
  /** Replaces everything up to and including `-i <input>` on ffmpeg's command line. */
  readonly inputArguments?: readonly string[];
  /** Milliseconds without a frame after which the connection counts as lost; 5000 by default. */
  readonly stallMs?: number;
  /** Milliseconds `next` waits for a frame, reconnecting included; 5000 by default. */
  readonly timeoutMs?: number;
  /** Milliseconds before the second and the last of ever longer pauses between tries; 500 and 30000 by default. */
  readonly backOff?: { readonly firstMs: number; readonly maxMs: number };
  readonly maxBytes?: number;
}

export function ffmpegSource(_options: FfmpegSourceOptions): FrameSource {
  throw new Error('under construction');
}
