import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { InvalidInput } from '../domain';
import { defaultPictureLimits } from '../imaging';
import { BaseSource } from './base-source';
import { type Credentials, credentialsOf, publicUrl, withoutCredentials } from './credentials';
import { CameraUnavailable, FfmpegMissing } from './errors';
import { ffmpegArguments, streamUrl } from './ffmpeg-arguments';
import type { Frame, FrameSource } from './frame-source';
import { JpegSplitter, type SplitFrame } from './jpeg-splitter';
import { unlessAborted } from './waiting';

export interface FfmpegSourceOptions {
  /** RTSP URL, or the device: `/dev/video0` on Linux, the device's name on Windows, its index on macOS. */
  readonly input: string;
  readonly kind: 'rtsp' | 'usb';
  /** `1280x720` (default): fitted into it, missing borders black. `native`: as the camera gives it. */
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
  /** Milliseconds a new connection may take to its first frame; 15000 by default. */
  readonly connectMs?: number;
  /** Milliseconds `next` waits for a frame, reconnecting included; 5000 by default. */
  readonly timeoutMs?: number;
  /** Pause before reconnecting, doubled after each try without a frame; 500 ms up to 30 s by default, give or take a fifth. */
  readonly backOff?: { readonly firstMs: number; readonly maxMs: number };
  readonly maxBytes?: number;
}

const ERROR_LINES = 5;

/**
 * A network or USB camera through ffmpeg, which runs all the time, so that a capture takes one frame interval and not a
 * connection. `next` gives the first frame that began to arrive after the call. ffmpeg is killed and started again when it
 * ends or gives no frames.
 *
 * The password of a network camera stands on ffmpeg's command line, where other users of the machine may see it.
 *
 * @throws {InvalidInput} when the input is no URL or no device
 */
export function ffmpegSource(options: FfmpegSourceOptions): FrameSource {
  return new FfmpegSource(options);
}

interface Waiter {
  /** Chunks received when the call began to wait. */
  readonly since: number;
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: Error) => void;
}

class FfmpegSource extends BaseSource {
  private readonly camera: string;
  private readonly credentials: Credentials | null;
  private readonly ffmpegPath: string;
  private readonly command: readonly string[];
  private readonly stallMs: number;
  private readonly connectMs: number;
  private readonly timeoutMs: number;
  private readonly backOff: { readonly firstMs: number; readonly maxMs: number };
  private readonly maxBytes: number;
  private readonly waiters = new Set<Waiter>();
  private child: ChildProcess | null = null;
  private errors: string[] = [];
  private missing: FfmpegMissing | null = null;
  private closed = false;
  private chunks = 0;
  private failures = 0;
  private watchdog: NodeJS.Timeout | undefined;
  private pause: NodeJS.Timeout | undefined;

  constructor(options: FfmpegSourceOptions) {
    super();
    const { input, kind, size = '1280x720', framesPerSecond = 15, username, password, inputArguments } = options;
    if (!(framesPerSecond > 0)) throw new InvalidInput(`framesPerSecond must be above 0, got ${framesPerSecond}.`);
    const url = kind === 'rtsp' && !inputArguments ? streamUrl(input) : null;
    this.credentials = url && credentialsOf(url, username, password);
    this.camera = url ? publicUrl(url) : `camera ${input}`;
    const { credentials } = this;
    this.command = ffmpegArguments({ input, kind, size, framesPerSecond, credentials, inputArguments });
    this.ffmpegPath = options.ffmpegPath || 'ffmpeg';
    this.stallMs = options.stallMs ?? 5_000;
    this.connectMs = options.connectMs ?? 15_000;
    this.timeoutMs = options.timeoutMs ?? 5_000;
    this.backOff = options.backOff ?? { firstMs: 500, maxMs: 30_000 };
    this.maxBytes = options.maxBytes ?? defaultPictureLimits.maxBytes;
    this.connect();
  }

  async next(signal: AbortSignal): Promise<Frame> {
    await pipeDrained();
    signal.throwIfAborted();
    if (this.closed) throw this.closedError();
    if (this.missing) throw this.missing;
    let giveUp = () => {};
    const frame = new Promise<Frame>((resolve, reject) => {
      const waiter: Waiter = { since: this.chunks, resolve, reject };
      const timer = setTimeout(() => reject(this.timeoutError()), this.timeoutMs);
      giveUp = () => {
        clearTimeout(timer);
        this.waiters.delete(waiter);
      };
      this.waiters.add(waiter);
    });
    try {
      return await unlessAborted(frame, signal);
    } finally {
      giveUp();
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.pause);
    clearTimeout(this.watchdog);
    this.rejectAll(this.closedError());
    this.tell('closed');
    const { child } = this;
    if (child?.pid === undefined) return;
    const gone = once(child, 'close');
    child.kill('SIGKILL');
    await gone;
  }

  private connect(): void {
    this.errors = [];
    let detail: string | null = null;
    const child = spawn(this.ffmpegPath, this.command, { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
    const splitter = new JpegSplitter(this.maxBytes);
    this.child = child;
    child.once('spawn', () => {
      this.missing = null;
      this.watch(this.connectMs);
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return;
      this.missing = new FfmpegMissing(this.ffmpegPath, error);
      detail = this.missing.message;
      this.tell('unavailable', detail);
      this.rejectAll(this.missing);
    });
    child.stdout.on('data', (chunk: Buffer) => {
      this.chunks++;
      splitter.push(chunk, this.chunks, (frame) => this.onFrame(frame));
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.noteErrors(text));
    child.once('close', (code, signal) => {
      this.onEnd(child, detail ?? this.describeEnd(code, signal));
    });
  }

  private onFrame(frame: SplitFrame): void {
    if (this.closed) return;
    this.failures = 0;
    this.watch(this.stallMs);
    this.tell('ready');
    const fresh = [...this.waiters].filter((waiter) => frame.startedAt > waiter.since);
    if (fresh.length === 0) return;
    const picture = Buffer.from(frame.bytes);
    for (const waiter of fresh) {
      this.waiters.delete(waiter);
      waiter.resolve({ picture });
    }
  }

  /** Kills ffmpeg when no frame comes for so long; its end then starts the reconnecting. */
  private watch(milliseconds: number): void {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => {
      this.noteErrors(`No frame for ${milliseconds / 1000} s.\n`);
      this.child?.kill('SIGKILL');
    }, milliseconds);
  }

  private onEnd(child: ChildProcess, detail: string): void {
    if (this.child === child) this.child = null;
    clearTimeout(this.watchdog);
    if (this.closed) return;
    this.failures++;
    const { firstMs, maxMs } = this.backOff;
    const pause = Math.min(maxMs, firstMs * 2 ** (this.failures - 1)) * (0.8 + 0.4 * Math.random());
    this.tell(this.missing ? 'unavailable' : 'reconnecting', detail);
    this.pause = setTimeout(() => {
      this.countReconnect();
      this.connect();
    }, pause);
  }

  private noteErrors(text: string): void {
    const lines = withoutCredentials(text, this.credentials)
      .split(/\r?\n/)
      .filter((line) => line.trim() !== '');
    this.errors = [...this.errors, ...lines.map((line) => line.slice(0, 300))].slice(-ERROR_LINES);
  }

  private describeEnd(code: number | null, signal: NodeJS.Signals | null): string {
    if (this.errors.length > 0) return this.errors.join(' ');
    return signal ? `ffmpeg was ended by ${signal}.` : `ffmpeg ended with exit code ${code}.`;
  }

  private rejectAll(error: Error): void {
    for (const waiter of this.waiters) waiter.reject(error);
    this.waiters.clear();
  }

  private timeoutError(): CameraUnavailable {
    const reason = this.status.message ?? 'it is connected, but gives no pictures.';
    const advice = 'Check power, cable, address and credentials of the camera; connecting is tried again and again.';
    return new CameraUnavailable(this.camera, `no frame within ${this.timeoutMs / 1000} s: ${reason} ${advice}`);
  }

  private closedError(): CameraUnavailable {
    return new CameraUnavailable(this.camera, 'the source was closed.');
  }
}

/** What ffmpeg had written before the call is read after a whole turn of the event loop, and counts as old. */
async function pipeDrained(): Promise<void> {
  await nextTurn();
  await nextTurn();
}
