import {
  type Clock,
  InspectionError,
  NotFound,
  newId,
  type Snapshot,
  type SnapshotItem,
  type SnapshotSummary,
  systemClock,
  timestamp,
} from '../../domain';
import type { SnapshotFilter, Store } from '../../store';
import { contentOf } from './content';

/** How long what was deleted can be restored. */
export const RESTORABLE_DAYS = 30;
export const RESTORABLE_MS = RESTORABLE_DAYS * 86_400_000;
const NOTE_LENGTH = 2000;

/** A picture of a snapshot with the absolute path of its file. */
export interface SnapshotFile extends SnapshotItem {
  readonly path: string;
}

/** Nobody has labelled a picture of the part type. */
export class NothingLabelled extends InspectionError {
  constructor(partType: string) {
    super({
      code: 'nothing-labelled',
      status: 'no labels',
      message: `No labelled picture of part type ${partType} counts yet. Label pictures in the review, or import some.`,
      parameters: { partType },
      httpStatus: 409,
    });
  }
}

/** Data sets of labelled pictures that never change. */
export class Snapshots {
  constructor(
    private readonly store: Pick<Store, 'snapshots' | 'pictures'>,
    private readonly clock: Clock = systemClock,
  ) {}

  /**
   * Takes all labels of a part type that count now. When nothing has changed since the newest snapshot, that one is given
   * again. Labels that no snapshot had taken are marked as used by this one, in the same transaction.
   *
   * @param actor who wants it, for the record
   * @throws {NothingLabelled}
   */
  take(partType: string, actor: string, note: string | null = null): Promise<Snapshot> {
    const order = { id: newId(), partType, actor, note: note?.trim().slice(0, NOTE_LENGTH) || null, at: this.now() };
    return this.store.snapshots.take(order, (labels) => {
      if (labels.length === 0) throw new NothingLabelled(partType);
      return contentOf(labels);
    });
  }

  /** Deleted ones included. @throws {NotFound} */
  async get(id: string): Promise<Snapshot> {
    const snapshot = await this.store.snapshots.get(id);
    if (!snapshot) throw new NotFound('data set', id);
    return snapshot;
  }

  /** Newest first, deleted ones included. */
  list(filter?: SnapshotFilter): Promise<readonly SnapshotSummary[]> {
    return this.store.snapshots.list(filter);
  }

  /** The pictures of a snapshot with absolute paths; whether the files are there is not looked at. */
  files({ items }: Pick<Snapshot, 'items'>): readonly SnapshotFile[] {
    return items.map((item) => ({ ...item, path: this.store.pictures.absolute(item.picturePath) }));
  }

  /** Deletes one; it can be restored for 30 days. What was trained from it stays. @throws {NotFound} */
  remove(id: string, actor: string): Promise<SnapshotSummary> {
    const at = this.now();
    return this.store.snapshots.setDeleted(id, at, actor, at);
  }

  /** Takes a deletion back. @throws {NotFound} also when it was deleted more than 30 days ago */
  restore(id: string, actor: string): Promise<SnapshotSummary> {
    return this.store.snapshots.setDeleted(id, null, actor, this.now());
  }

  /** Removes for good what was deleted more than 30 days ago. @returns how many */
  purge(): Promise<number> {
    return this.store.snapshots.purge(timestamp(this.clock.now() - RESTORABLE_MS));
  }

  private now(): string {
    return timestamp(this.clock.now());
  }
}
