import type { Stats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import { InspectionError } from '../domain';
import { BaseSource } from './base-source';
import { CameraUnavailable, FileUnreadable } from './errors';
import { folderChangedAt, isPictureName, listFolder, readPicture } from './folder-files';
import type { Frame } from './frame-source';
import { SkippedFiles } from './skipped-files';
import { unlessAborted } from './waiting';

const CHECK_MS = 1_000;
/** Names of files long gone that are remembered beside those in the folder. */
const REMEMBERED_NAMES = 10_000;

export interface WatchFolderOptions {
  readonly folder: string;
  readonly extensions: readonly string[];
  readonly includeExisting: boolean;
  readonly polling: boolean;
  readonly settleMs: number;
  readonly maxBytes: number;
}

/**
 * Gives each new or rewritten picture of a folder once, when it is fully written. The system's notices may get lost (network
 * shares, watch limits), so the folder's time of change is looked at every second too. When the folder disappears, one call of
 * `next` is told; the following ones wait for its return.
 */
export class WatchFolder extends BaseSource {
  private readonly skipped = new SkippedFiles((file) => this.emit('skipped', file));
  /** What each name looked like when it was taken, or found at the start. */
  private readonly seen = new Map<string, string>();
  /** What names that were not settled yet looked like. */
  private unsettled = new Map<string, string>();
  private readonly queue = new Set<string>();
  private readonly wakeUps = new Set<() => void>();
  private watcher: FSWatcher | null = null;
  private loss: CameraUnavailable | null = null;
  private closed = false;
  private changedAt: number | null = null;
  private started = false;
  private timer: NodeJS.Timeout | undefined;
  private work: Promise<void>;

  constructor(private readonly options: WatchFolderOptions) {
    super();
    this.work = this.check();
  }

  async next(signal: AbortSignal): Promise<Frame> {
    const { folder, maxBytes } = this.options;
    for (;;) {
      signal.throwIfAborted();
      if (this.closed) throw new CameraUnavailable(`folder ${folder}`, 'the source was closed.');
      const [name] = this.queue;
      if (name === undefined) {
        this.throwLoss();
        await this.change(signal);
        continue;
      }
      this.queue.delete(name);
      const picture = await readPicture(folder, name, maxBytes).catch((error) => {
        throw error instanceof InspectionError ? new FileUnreadable(name, error) : error;
      });
      if (picture) return { picture, name };
      this.skipped.tell(name, 'it is gone, or no file');
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    this.tell('closed');
    this.wake();
    await this.work;
    await this.stopWatching();
  }

  private throwLoss(): void {
    const { loss } = this;
    this.loss = null;
    if (loss) throw loss;
  }

  private async change(signal: AbortSignal): Promise<void> {
    let wake = () => {};
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
      this.wakeUps.add(wake);
    });
    await unlessAborted(woken, signal).finally(() => this.wakeUps.delete(wake));
  }

  private wake(): void {
    for (const wake of this.wakeUps) wake();
    this.wakeUps.clear();
  }

  /** Looks after the folder, and comes back in a second, or sooner while files are being written. */
  private async check(): Promise<void> {
    try {
      const changedAt = await folderChangedAt(this.options.folder);
      if (this.closed) return;
      if (!this.watcher) await this.startWatching();
      if (changedAt !== this.changedAt || this.unsettled.size > 0) await this.scan();
      this.changedAt = changedAt;
      this.loss = null;
      if (!this.closed) this.tellSuccess();
    } catch (error) {
      await this.onLoss(error as CameraUnavailable);
    }
    if (this.closed) return;
    const pause = this.unsettled.size > 0 ? Math.max(20, this.options.settleMs) : CHECK_MS;
    this.timer = setTimeout(() => {
      this.work = this.check();
    }, pause);
  }

  private async startWatching(): Promise<void> {
    const { folder, settleMs, polling, includeExisting } = this.options;
    if (!this.started && !includeExisting) await this.rememberExisting();
    this.started = true;
    if (this.closed) return;
    const watcher = watch(folder, {
      depth: 0,
      ignoreInitial: true,
      alwaysStat: true,
      usePolling: polling,
      awaitWriteFinish: settleMs > 0 ? { stabilityThreshold: settleMs, pollInterval: Math.min(50, settleMs) } : false,
    });
    this.watcher = watcher;
    const onFile = (path: string, stats?: Stats) => {
      if (stats) this.consider(basename(path), stats);
    };
    watcher.on('add', onFile);
    watcher.on('change', onFile);
    // What the watcher cannot see, the check finds.
    watcher.on('error', () => {});
    await ready(watcher);
    this.changedAt = null;
  }

  private async stopWatching(): Promise<void> {
    const { watcher } = this;
    this.watcher = null;
    await watcher?.close();
  }

  private async rememberExisting(): Promise<void> {
    const { folder, extensions } = this.options;
    const { pictures } = await listFolder(folder, extensions);
    for (const name of pictures) {
      const stats = await stat(join(folder, name)).catch(() => null);
      if (stats) this.seen.set(name, look(stats));
    }
  }

  /** Finds what the watcher did not tell. A file counts as written when it is old enough or looks as it did last time. */
  private async scan(): Promise<void> {
    const { folder, extensions, settleMs } = this.options;
    const { pictures, others } = await listFolder(folder, extensions);
    for (const name of others) this.skipped.tell(name, `it is not one of ${extensions.join(', ')}`);
    const before = this.unsettled;
    this.unsettled = new Map();
    for (const name of pictures) {
      if (this.closed) return;
      const path = join(folder, name);
      const stats = await stat(path).catch(() => null);
      if (!stats && (await isLink(path))) this.skipped.tell(name, 'it is a link to a file that is not there');
      if (!stats?.isFile() || this.seen.get(name) === look(stats)) continue;
      const settled = Date.now() - stats.mtimeMs > settleMs || before.get(name) === look(stats);
      if (settled) this.take(name, stats);
      else this.unsettled.set(name, look(stats));
    }
    this.forgetOld(pictures);
  }

  private consider(name: string, stats: Stats): void {
    if (isPictureName(name, this.options.extensions)) this.take(name, stats);
    else if (!name.startsWith('.')) this.skipped.tell(name, `it is not one of ${this.options.extensions.join(', ')}`);
  }

  private take(name: string, stats: Stats): void {
    if (this.seen.get(name) === look(stats)) return;
    this.seen.set(name, look(stats));
    this.unsettled.delete(name);
    this.queue.add(name);
    this.wake();
  }

  /**
   * Names stay remembered when their files go, so that a share that comes back does not bring all its old pictures again; but
   * not without end.
   */
  private forgetOld(present: readonly string[]): void {
    if (this.seen.size <= 2 * present.length + REMEMBERED_NAMES) return;
    const here = new Set(present);
    for (const name of this.seen.keys()) if (!here.has(name)) this.seen.delete(name);
  }

  private async onLoss(error: CameraUnavailable): Promise<void> {
    await this.stopWatching();
    this.changedAt = null;
    this.unsettled.clear();
    if (this.closed || this.status.state === 'unavailable') return;
    this.loss = error;
    this.tell('unavailable', error.message);
    this.wake();
  }
}

/** Resolves when the watcher listens. It says nothing when the folder goes meanwhile, which the next check finds. */
async function ready(watcher: FSWatcher): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, 2 * CHECK_MS);
    watcher.once('ready', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

async function isLink(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null))?.isSymbolicLink() ?? false;
}

function look(stats: Stats): string {
  return `${stats.mtimeMs}:${stats.size}`;
}
