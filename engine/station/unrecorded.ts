import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Inspection, type InspectionError, timestamp } from '../domain';
import { type Store, StoreUnavailable, storeError } from '../store';
import { JournalFull, RecordGivenUp } from './errors';
import { asInspection } from './recovery';

/** A verdict that was sent on, or must be, but stands in no database yet. */
export interface UnrecordedVerdict {
  readonly inspection: Inspection;
  readonly route: string;
  /** Sent on by a node of the flow, or claimed by an outlet. */
  readonly delivered: boolean;
  /** Read from the journal, which keeps no findings: the record may know more. */
  readonly fromJournal?: boolean;
}

export interface UnrecordedOptions {
  readonly store: Pick<Store, 'dataFolder' | 'inspections' | 'pictures'>;
  readonly onFault: (error: InspectionError) => void;
  /** Pause before the first retry; doubled up to 30 s. */
  readonly firstRetryMs?: number;
}

const JOURNAL = 'unrecorded.journal';
/** Some 500 bytes for each of the verdicts. */
const JOURNAL_BYTES = 512 * 1024;
const MOST_VERDICTS = 1000;
const MOST_PICTURE_BYTES = 64 * 1024 * 1024;
const LONGEST_RETRY_MS = 30_000;
const LAST_TRY_MS = 700;
/** While one of these lasts, no verdict can be recorded. */
const STORE_WIDE_TROUBLES: ReadonlySet<unknown> = new Set([
  'locked',
  'disk-full',
  'read-only',
  'in-use',
  'corrupt',
  'closed',
]);

/**
 * Verdicts the store could not take when they fell. They are tried again until it can, and kept in a journal file beside
 * the database, so that a crash meanwhile neither loses nor repeats them; only their findings are lost with it. The
 * journal has its full size from the start: writing into it needs no free disk space.
 */
export class UnrecordedVerdicts {
  private readonly verdicts = new Map<string, UnrecordedVerdict>();
  private readonly pictures = new Map<string, Buffer>();
  private pictureBytes = 0;
  private journal: FileHandle | null = null;
  private journalWork: Promise<void> = Promise.resolve();
  private journalStale = false;
  private journalFull = false;
  /** Verdicts that cannot be recorded for a reason of their own, which a fault has told. */
  private readonly told = new Set<string>();
  private flushing: Promise<boolean> | null = null;
  private retryTimer: NodeJS.Timeout | null = null;
  private retryMs: number;
  private closed = false;

  constructor(private readonly options: UnrecordedOptions) {
    this.retryMs = this.firstRetryMs;
  }

  get size(): number {
    return this.verdicts.size;
  }

  get(id: string): UnrecordedVerdict | undefined {
    return this.verdicts.get(id);
  }

  get inspections(): readonly Inspection[] {
    return [...this.verdicts.values()].map(({ inspection }) => inspection);
  }

  /** Reads what the last run left and tries to record it. @returns all verdicts that were in the journal */
  async open(): Promise<readonly UnrecordedVerdict[]> {
    this.journal = await openJournal(join(this.options.store.dataFolder, JOURNAL)).catch((error) => {
      this.options.onFault(storeError(error, this.options.store.dataFolder));
      return null;
    });
    const left = this.journal ? await readJournal(this.journal) : [];
    for (const verdict of left) this.verdicts.set(verdict.inspection.id, verdict);
    if (left.length > 0 && !(await this.flush())) this.retryLater();
    return left;
  }

  /** Takes over a verdict, and its picture where that may not be on the disk. */
  add(verdict: UnrecordedVerdict, picture: Buffer | null): void {
    const { id } = verdict.inspection;
    this.verdicts.set(id, verdict);
    if (picture && this.pictureBytes + picture.length <= MOST_PICTURE_BYTES) {
      this.pictures.set(id, picture);
      this.pictureBytes += picture.length;
    }
    if (this.verdicts.size > MOST_VERDICTS) {
      const oldest = this.verdicts.keys().next().value as string;
      this.forget(oldest);
      this.options.onFault(new RecordGivenUp(oldest, MOST_VERDICTS));
    }
    this.writeJournal();
    this.retryLater();
  }

  /** Notes that an outlet sends the verdict on. @returns false when it was sent already */
  claim(id: string): boolean {
    const verdict = this.verdicts.get(id);
    if (!verdict || verdict.delivered) return false;
    this.verdicts.set(id, { ...verdict, delivered: true });
    this.writeJournal();
    return true;
  }

  /** Tries to record everything now. @returns true when nothing is left */
  flush(): Promise<boolean> {
    this.flushing ??= this.recordAll().finally(() => {
      this.flushing = null;
    });
    return this.flushing;
  }

  /** A last try; what still cannot be recorded stays in the journal. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    if (this.retryTimer) clearTimeout(this.retryTimer);
    if (this.size > 0) await Promise.race([this.flush(), sleep(LAST_TRY_MS, undefined, { ref: false })]);
    this.writeJournal();
    await this.journalWork;
    await this.journal?.close().catch(() => {});
    this.journal = null;
  }

  private get firstRetryMs(): number {
    return this.options.firstRetryMs ?? 1000;
  }

  private async recordAll(): Promise<boolean> {
    let hasTold = false;
    for (const id of [...this.verdicts.keys()]) {
      const verdict = this.verdicts.get(id);
      if (!verdict) continue;
      try {
        await this.record(verdict);
        // an outlet may have claimed it meanwhile
        if (this.verdicts.get(id) === verdict) this.forget(id);
        else await this.options.store.inspections.setDelivered(id, true).then(() => this.forget(id));
      } catch (error) {
        const fault = storeError(error, this.options.store.dataFolder);
        const isStoreWide = fault instanceof StoreUnavailable && STORE_WIDE_TROUBLES.has(fault.trouble);
        if (isStoreWide || (!this.told.has(id) && !hasTold)) this.options.onFault(fault);
        if (isStoreWide) return false;
        this.told.add(id);
        hasTold = true;
      }
    }
    this.writeJournal();
    if (this.size > 0) return false;
    this.retryMs = this.firstRetryMs;
    return true;
  }

  private async record({ inspection: sent, route, delivered, fromJournal }: UnrecordedVerdict): Promise<void> {
    const { inspections, pictures } = this.options.store;
    const known = fromJournal ? await inspections.get(sent.id) : null;
    const inspection = known ? { ...asInspection(known), ...sent, findings: known.findings } : sent;
    const { id, capturedAt, image, decision } = inspection;
    const picture = this.pictures.get(id);
    let picturePath = await pictures.locate(id, capturedAt);
    if (!picturePath && picture && image) picturePath = await pictures.save(id, capturedAt, picture, image.format);
    if (picturePath && decision) picturePath = await pictures.moveToVerdict(picturePath, decision.verdict);
    const settledAt = decision?.at ?? timestamp(Date.now());
    await inspections.settle(inspection, { picturePath, settledAt, delivered, route, overwrite: true });
  }

  private forget(id: string): void {
    this.verdicts.delete(id);
    this.told.delete(id);
    this.pictureBytes -= this.pictures.get(id)?.length ?? 0;
    this.pictures.delete(id);
  }

  private retryLater(): void {
    if (this.closed || this.retryTimer) return;
    this.retryTimer = setTimeout(() => {
      this.retryTimer = null;
      this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS);
      void this.flush().then((done) => {
        if (!done) this.retryLater();
      });
    }, this.retryMs);
    this.retryTimer.unref();
  }

  /** Best effort: the verdict has to fall whether or not this works. */
  private writeJournal(): void {
    if (this.journalStale) return;
    this.journalStale = true;
    this.journalWork = this.journalWork.then(async () => {
      this.journalStale = false;
      const { content, isComplete } = journalContent(this.verdicts.values());
      if (!isComplete && !this.journalFull) this.options.onFault(new JournalFull(this.size));
      this.journalFull = !isComplete;
      await this.journal?.write(content, 0, JOURNAL_BYTES, 0);
      await this.journal?.datasync();
    });
    this.journalWork = this.journalWork.catch(() => {});
  }
}

async function openJournal(file: string): Promise<FileHandle> {
  const handle = await open(file, 'r+').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return open(file, 'w+');
  });
  try {
    const { size } = await handle.stat();
    if (size < JOURNAL_BYTES)
      await handle.write(Buffer.alloc(JOURNAL_BYTES - size, '\n'), 0, JOURNAL_BYTES - size, size);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readJournal(journal: FileHandle): Promise<readonly UnrecordedVerdict[]> {
  const { buffer } = await journal.read(Buffer.alloc(JOURNAL_BYTES), 0, JOURNAL_BYTES, 0);
  return buffer
    .toString('utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return line.trim() === '' ? [] : [parseEntry(line)];
      } catch {
        return []; // the line a crash cut off
      }
    });
}

/** All entries that have room, which are all as long as the texts in them are of the usual length. */
function journalContent(verdicts: Iterable<UnrecordedVerdict>): { content: Buffer; isComplete: boolean } {
  const content = Buffer.alloc(JOURNAL_BYTES, '\n');
  let end = 0;
  let isComplete = true;
  for (const verdict of verdicts) {
    const line = entryOf(verdict);
    if (line === null || end + line.length > JOURNAL_BYTES) isComplete = false;
    else end += line.copy(content, end);
  }
  return { content, isComplete };
}

/** What a crash must not lose, in one line; null for what is no JSON. */
function entryOf({ inspection, route, delivered }: UnrecordedVerdict): Buffer | null {
  const { id, station, partType, serial, trigger, capturedAt, deadlineAt, decision } = inspection;
  const kept = { id, station, partType, serial, trigger, capturedAt, deadlineAt, decision };
  try {
    return Buffer.from(`${JSON.stringify({ inspection: kept, route, delivered })}\n`);
  } catch {
    return null;
  }
}

function parseEntry(line: string): UnrecordedVerdict {
  const { inspection, route, delivered } = JSON.parse(line) as UnrecordedVerdict;
  return { inspection: { ...inspection, findings: inspection.findings ?? [] }, route, delivered, fromJournal: true };
}
