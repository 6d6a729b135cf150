import { BaseSource } from './base-source';
import { CameraUnavailable, NoMorePictures } from './errors';
import { compareNames, folderChangedAt, listFolder, readPicture } from './folder-files';
import type { Frame } from './frame-source';
import { SkippedFiles } from './skipped-files';
import { unlessAborted } from './waiting';

export interface StepFolderOptions {
  readonly folder: string;
  readonly loop: boolean;
  readonly extensions: readonly string[];
  readonly maxBytes: number;
}

/** Gives the pictures of a folder one by one, in natural order. Files that come and go meanwhile are noticed. */
export class StepFolder extends BaseSource {
  private readonly skipped = new SkippedFiles((file) => this.emit('skipped', file));
  private listed: { readonly changedAt: number; readonly names: readonly string[] } | null = null;
  private last: string | null = null;
  private taken = 0;
  private closed = false;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: StepFolderOptions) {
    super();
  }

  /** Two calls at the same time get two files. */
  next(signal: AbortSignal): Promise<Frame> {
    const frame = this.turn.then(() => this.take(signal));
    this.turn = frame.catch(() => {});
    return unlessAborted(frame, signal);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.tell('closed');
    await this.turn;
  }

  private async take(signal: AbortSignal): Promise<Frame> {
    const { folder, maxBytes } = this.options;
    let startedOver = false;
    for (;;) {
      signal.throwIfAborted();
      if (this.closed) throw new CameraUnavailable(`folder ${folder}`, 'the source was closed.');
      const name = await this.following(this.last);
      if (name === null) {
        if (!this.options.loop || startedOver || this.last === null) throw new NoMorePictures(folder, this.taken);
        startedOver = true;
        this.last = null;
        this.taken = 0;
        continue;
      }
      this.last = name;
      const picture = await readPicture(folder, name, maxBytes);
      if (picture) {
        this.taken++;
        return { picture, name };
      }
      this.skipped.tell(name, 'it is gone, or no file');
      this.listed = null;
    }
  }

  /** The first name after `last`; the folder is read again when it changed, and always at its end. */
  private async following(last: string | null): Promise<string | null> {
    const known = await this.names(false);
    const find = (names: readonly string[]) => names.find((name) => last === null || compareNames(name, last) > 0);
    return find(known) ?? find(await this.names(true)) ?? null;
  }

  private async names(again: boolean): Promise<readonly string[]> {
    const { folder, extensions } = this.options;
    try {
      const changedAt = await folderChangedAt(folder);
      if (again || this.listed?.changedAt !== changedAt) {
        const { pictures, others } = await listFolder(folder, extensions);
        for (const name of others) this.skipped.tell(name, `it is not one of ${extensions.join(', ')}`);
        this.listed = { changedAt, names: pictures };
      }
      this.tellSuccess();
      return this.listed.names;
    } catch (error) {
      this.listed = null;
      this.tell('unavailable', (error as Error).message);
      throw error;
    }
  }
}
