import { type FileHandle, mkdir, open, rename, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { syncFolder } from '../domain';
import {
  type CatalogueEntry,
  catalogue,
  catalogueEntry,
  embeddedPath,
  fileNameOf,
  isEmbedded,
  type PulledBackbone,
} from './catalogue';
import { PullAltered, PullFailed, PullNotWritable, PullRunning } from './errors';
import { sha256OfContent, sizeOf } from './find-pulled';
import { takeLock } from './lock';
import { ask, connect, type Delivery, OutOfRange, Refusal, shown, sourceOf, type Timeouts } from './source';

export interface PullProgress {
  /** `verifying` while the SHA-256 is computed. */
  readonly stage: 'pulling' | 'verifying';
  /** Bytes that are there, those of an earlier attempt included. */
  readonly received: number;
  readonly total: number;
}

export interface PullOptions {
  readonly folder: string;
  /** Base address under which the file lies by its own name; `OPTI_QUALITY_MIRROR` unless given. */
  readonly mirror?: string;
  readonly onProgress?: (progress: PullProgress) => void;
  readonly signal?: AbortSignal;
  /** Attempts in a row in which not one byte came, before it is given up; 5 unless given. */
  readonly attempts?: number;
  /** Pause after the first failed attempt, doubled each time up to 30 s; 1000 unless given. */
  readonly pauseMs?: number;
  readonly timeouts?: Timeouts;
  readonly entries?: readonly CatalogueEntry[];
}

export interface Pulled {
  readonly path: string;
  /** False when it was there already. */
  readonly fetched: boolean;
}

const LONGEST_PAUSE_MS = 30_000;
const PROGRESS_EVERY_MS = 200;
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const NOT_WRITABLE = new Set([...NO_ROOM, 'EACCES', 'EPERM', 'EROFS', 'EIO', 'ENOTDIR', 'EEXIST']);

/**
 * Fetches a backbone into a folder, unless it is there. What an attempt brought is kept beside it as `<name>.part`, and
 * the next one goes on from there. The file gets its name only when size and SHA-256 are those of the catalogue.
 *
 * @throws {BackboneUnknown | PullFailed | PullAltered | PullRunning | PullNotWritable | InvalidInput}
 * @throws the reason of `signal` when it is aborted; what came is kept
 */
export async function pull(id: string, options: PullOptions): Promise<Pulled> {
  const entry = catalogueEntry(id, options.entries ?? catalogue());
  if (isEmbedded(entry)) return { path: embeddedPath(entry), fetched: false };
  const source = sourceOf(entry, options.mirror ?? process.env.OPTI_QUALITY_MIRROR);
  const path = join(options.folder, fileNameOf(entry));
  options.signal?.throwIfAborted();
  return translated(entry, options, async () => {
    if (await isComplete(entry, path, options.signal)) return { path, fetched: false };
    const dispatcher = connect(source, options.timeouts ?? { connectMs: 15_000, silenceMs: 30_000 });
    try {
      await mkdir(options.folder, { recursive: true });
      const giveBack = await takeLock(`${path}.lock`);
      if (giveBack === null) throw new PullRunning(id, options.folder);
      try {
        // another process may have just finished
        if (await isComplete(entry, path, options.signal)) return { path, fetched: false };
        await fetchVerified(entry, source, path, dispatcher, options);
        return { path, fetched: true };
      } finally {
        await giveBack();
      }
    } finally {
      await dispatcher?.destroy().catch(() => undefined);
    }
  });
}

async function isComplete(entry: PulledBackbone, path: string, signal?: AbortSignal): Promise<boolean> {
  return (await sizeOf(path)) === entry.bytes && (await sha256OfContent(path, signal)) === entry.sha256;
}

async function fetchVerified(
  entry: PulledBackbone,
  source: URL,
  path: string,
  dispatcher: Dispatcher | null,
  options: PullOptions,
): Promise<void> {
  const part = `${path}.part`;
  const begun = ((await sizeOf(part)) ?? 0) > 0;
  await fetchAll(entry, source, part, dispatcher, options);
  if (!(await isRight(entry, part, options))) {
    await rm(part, { force: true });
    // what lay there before may have been the wrong half
    if (begun) await fetchAll(entry, source, part, dispatcher, options);
    if (!begun || !(await isRight(entry, part, options))) {
      await rm(part, { force: true });
      throw new PullAltered(entry.id, shown(source), 'its SHA-256 is another one');
    }
  }
  await rename(part, path);
  await syncFolder(dirname(path));
}

async function isRight(entry: PulledBackbone, part: string, { onProgress, signal }: PullOptions): Promise<boolean> {
  onProgress?.({ stage: 'verifying', received: entry.bytes, total: entry.bytes });
  return (await sha256OfContent(part, signal)) === entry.sha256;
}

/** Asks again, with growing pauses, until the file has its full size or nothing comes any more. */
async function fetchAll(
  entry: PulledBackbone,
  source: URL,
  part: string,
  dispatcher: Dispatcher | null,
  options: PullOptions,
): Promise<void> {
  const { attempts = 5, pauseMs = 1000, signal } = options;
  if (((await sizeOf(part)) ?? 0) > entry.bytes) await rm(part, { force: true });
  await refuseFullDisk(entry, part);
  let validator: string | null = null;
  let failed = 0;
  for (;;) {
    const from = (await sizeOf(part)) ?? 0;
    if (from === entry.bytes) return;
    let problem: unknown = new Error('the connection was closed too early');
    try {
      const delivery = await ask(source, from, validator, dispatcher, signal);
      validator = delivery.validator;
      await receive(entry, source, part, delivery, options);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof OutOfRange) await rm(part, { force: true });
      else if (isFinal(error)) throw asPullError(entry, source, error);
      problem = error;
    }
    const now = (await sizeOf(part)) ?? 0;
    if (now === entry.bytes) return;
    failed = now > from ? 0 : failed + 1;
    if (failed >= attempts) throw asPullError(entry, source, problem);
    const wished = problem instanceof Refusal ? problem.afterMilliseconds : null;
    const pause = Math.min(LONGEST_PAUSE_MS, Math.max(wished ?? 0, pauseMs * 2 ** Math.max(0, failed - 1)));
    await wait(pause, undefined, { signal }).catch(() => signal?.throwIfAborted());
  }
}

/** Writes what comes; never more than the file's size. */
async function receive(
  entry: PulledBackbone,
  source: URL,
  part: string,
  { from, total, content }: Delivery,
  { onProgress }: PullOptions,
): Promise<void> {
  if (total !== null && total !== entry.bytes) {
    throw new PullAltered(entry.id, shown(source), `it has ${total} bytes instead of ${entry.bytes}`);
  }
  const file = await open(part, from === 0 ? 'w' : 'r+');
  let place = from;
  let told = 0;
  const tell = () => {
    told = performance.now();
    onProgress?.({ stage: 'pulling', received: place, total: entry.bytes });
  };
  try {
    tell();
    for await (const chunk of content) {
      if (place + chunk.length > entry.bytes) {
        throw new PullAltered(entry.id, shown(source), `it has more than ${entry.bytes} bytes`);
      }
      await writeAll(file, chunk, place);
      place += chunk.length;
      if (performance.now() - told >= PROGRESS_EVERY_MS) tell();
    }
    tell();
  } catch (error) {
    if (error instanceof PullAltered) await rm(part, { force: true });
    throw error;
  } finally {
    await file.datasync().catch(() => undefined);
    await file.close();
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array, place: number): Promise<void> {
  let written = 0;
  while (written < chunk.length) {
    const { bytesWritten } = await file.write(chunk, written, chunk.length - written, place + written);
    written += bytesWritten;
  }
}

async function refuseFullDisk(entry: PulledBackbone, part: string): Promise<void> {
  const folder = dirname(part);
  const needed = entry.bytes - ((await sizeOf(part)) ?? 0);
  const disk = await statfs(folder).catch(() => null);
  const free = disk === null ? Number.POSITIVE_INFINITY : disk.bavail * disk.bsize;
  if (free < needed) throw new PullNotWritable(entry.id, folder, `it needs ${needed} bytes, ${free} are free`);
}

function isFinal(error: unknown): boolean {
  if (error instanceof Refusal) return !error.transient;
  return error instanceof PullAltered || NOT_WRITABLE.has((error as NodeJS.ErrnoException).code ?? '');
}

function asPullError(entry: PulledBackbone, source: URL, error: unknown): unknown {
  if (error instanceof PullAltered || NOT_WRITABLE.has((error as NodeJS.ErrnoException).code ?? '')) return error;
  return new PullFailed(entry.id, shown(source), detailOf(error), error);
}

/** `fetch` hides what happened in its cause. */
function detailOf(error: unknown): string {
  const { message, cause } = error as Error;
  const inner = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : undefined;
  return inner ? `${message} (${inner})` : message;
}

async function translated<Result>(
  entry: PulledBackbone,
  { folder, signal }: PullOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    signal?.throwIfAborted();
    const { code, message } = error as NodeJS.ErrnoException;
    if (!NOT_WRITABLE.has(code ?? '')) throw error;
    throw new PullNotWritable(entry.id, folder, NO_ROOM.has(code ?? '') ? 'the disk is full' : message, error);
  }
}
