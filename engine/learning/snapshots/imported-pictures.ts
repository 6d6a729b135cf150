import { basename } from 'node:path';
import { usableBoxes } from '../../datasets';
import {
  type Clock,
  type Fault,
  faultOf,
  type ImportedPicture,
  InspectionError,
  InvalidInput,
  isPartType,
  type Label,
  type LabelledBox,
  NotFound,
  newId,
  PartTypeInvalid,
  type PictureInfo,
  systemClock,
  TypedEmitter,
  timestamp,
} from '../../domain';
import { readPictureHeader } from '../../imaging';
import type { ImportedFilter, Page, Store } from '../../store';
import { checkImportedClass } from './good-class';
import { RESTORABLE_MS } from './snapshots';

export interface ImportedPicturesOptions {
  readonly store: Pick<Store, 'imported' | 'labels' | 'pictures'>;
  /** Decodes a picture completely. @throws {PictureUnreadable} */
  inspect(picture: Buffer): Promise<PictureInfo>;
  readonly clock?: Clock;
}

export interface ImportedPicturesEvents {
  /** Pictures of a part type were imported, deleted or restored. */
  readonly changed: { readonly partType: string };
}

/** A file that is to be imported. */
export interface IncomingPicture {
  /** What it is called. */
  readonly name: string;
  /** Where it lies within what is imported, for the report; its name unless told. */
  readonly place?: string;
  /** Its own label, class and boxes; those of the import, and no boxes, unless told. */
  readonly label?: Label;
  readonly class?: string;
  readonly boxes?: readonly LabelledBox[] | null;
  /** Its bytes. @throws {InspectionError} why it cannot be taken */
  picture(): Promise<Buffer>;
}

export interface ImportOrder {
  readonly partType: string;
  readonly label: Label;
  /** What pictures labelled NG show, for a classifier. */
  readonly class?: string;
  /** For the record. */
  readonly actor: string;
}

/** How an import is followed and ended. */
export interface ImportWatch {
  /** Ends it after the picture at hand. */
  readonly signal?: AbortSignal;
  onResult?(result: ImportResult): void;
}

/** What became of a file. */
export type ImportResult = { readonly name: string } & (
  | { readonly outcome: 'accepted'; readonly id: string }
  /** The same picture is labelled already: `id` names it; with the class that it did not have yet. */
  | {
      readonly outcome: 'duplicate';
      readonly id: string;
      readonly label: Label;
      /** The import gives it the other label; the one it has stays. */
      readonly contradicts: boolean;
      readonly class?: string;
      readonly reason: string;
    }
  | { readonly outcome: 'refused'; readonly reason: string; readonly error: Fault }
);

/** What is labelled already of the same bytes. */
interface Twin {
  readonly id: string;
  readonly label: Label;
}

const NAME_LENGTH = 200;
/** What a crash left of an import is removed when it is older: nothing is being written so long. */
const LEFT_BEHIND_MS = 3_600_000;

/** Labelled pictures that did not come over the line. They count as labels, approved by whoever imported them. */
export class ImportedPictures {
  readonly events = new TypedEmitter<ImportedPicturesEvents>();
  readonly #store: ImportedPicturesOptions['store'];
  readonly #inspect: ImportedPicturesOptions['inspect'];
  readonly #clock: Clock;

  constructor({ store, inspect, clock = systemClock }: ImportedPicturesOptions) {
    this.#store = store;
    this.#inspect = inspect;
    this.#clock = clock;
  }

  /**
   * Takes in pictures, one after the other. A file that cannot be taken is told with the reason, and the next one is tried;
   * of a picture that is labelled already, byte by byte, nothing is added but a class, where it was labelled NG without one.
   *
   * @returns of each file that was looked at what became of it
   * @throws {PartTypeInvalid}
   */
  async add(
    files: Iterable<IncomingPicture> | AsyncIterable<IncomingPicture>,
    order: ImportOrder,
    { signal, onResult }: ImportWatch = {},
  ): Promise<readonly ImportResult[]> {
    const { partType } = order;
    if (!isPartType(partType)) throw new PartTypeInvalid(partType);
    const labelled = await this.#store.labels.labelled(partType);
    const known = new Map(labelled.map(({ sha256, id, label }) => [sha256, { id, label }]));
    const results: ImportResult[] = [];
    try {
      for await (const file of files) {
        if (signal?.aborted) break;
        const name = nameOf(file.name);
        const result = { name: file.place ?? name, ...(await this.#addOne(file, name, order, known)) };
        results.push(result);
        onResult?.(result);
      }
    } finally {
      if (results.some((result) => result.outcome === 'accepted' || 'class' in result))
        this.events.emit('changed', { partType });
    }
    return results;
  }

  /** @throws {NotFound} */
  async get(id: string): Promise<ImportedPicture> {
    const picture = await this.#store.imported.get(id);
    if (!picture) throw new NotFound('imported picture', id);
    return picture;
  }

  /** Newest first. */
  list(filter?: ImportedFilter): Promise<Page<ImportedPicture>> {
    return this.#store.imported.list(filter);
  }

  /** The picture's bytes, also of a deleted one. @throws {NotFound} */
  async read(id: string): Promise<Buffer> {
    return this.#store.pictures.read((await this.get(id)).picturePath);
  }

  /** Deletes one; it can be restored for 30 days. Snapshots that have it keep it. @throws {NotFound} */
  remove(id: string, actor: string): Promise<ImportedPicture> {
    const at = this.#now();
    return this.#setDeleted(id, at, actor, at);
  }

  /** Takes a deletion back. @throws {NotFound} @throws {PictureThere} when it was imported again in the meantime */
  restore(id: string, actor: string): Promise<ImportedPicture> {
    return this.#setDeleted(id, null, actor, this.#now());
  }

  /**
   * Removes for good what was deleted more than 30 days ago and no snapshot holds, and what a crash left of imports.
   *
   * @returns how many pictures
   */
  async purge(): Promise<number> {
    const now = this.#clock.now();
    const before = timestamp(now - RESTORABLE_MS);
    let count = 0;
    for (;;) {
      const pictures = await this.#store.imported.purgeable(before);
      if (pictures.length === 0) break;
      // the file goes first: a crash in between leaves a row that the next run finishes
      for (const { picturePath } of pictures) await this.#store.pictures.remove(picturePath);
      await this.#store.imported.purge(pictures.map(({ id }) => id));
      count += pictures.length;
    }
    await this.#store.pictures.sweepImported(now - LEFT_BEHIND_MS, (ids) => this.#store.imported.known(ids));
    return count;
  }

  async #addOne(file: IncomingPicture, name: string, order: ImportOrder, known: Map<string, Twin>): Promise<Outcome> {
    const { partType, label: common, actor } = order;
    const { label = common, boxes = null } = file;
    const shown = label === 'NG' && !boxes?.length ? (file.class ?? order.class ?? null) : null;
    try {
      if (shown !== null) checkImportedClass(label, shown);
      const picture = await file.picture();
      readPictureHeader(picture);
      const { format, ...info } = await this.#inspect(picture);
      const { width, height, bytes, sha256 } = info;
      const twin = known.get(sha256);
      if (twin) return this.#again(twin, { label, shown, actor });
      const id = newId();
      const drawn = boxes && checked(boxes, { id, width, height });
      const picturePath = await this.#store.pictures.saveImported(id, partType, picture, format);
      const row = { id, partType, label, boxes: drawn, class: shown, name, width, height, bytes, sha256, picturePath };
      const there = await this.#addRow({ ...row, at: this.#now(), actor });
      if (there) return this.#again(there, { label, shown, actor });
      known.set(sha256, { id, label });
      return { outcome: 'accepted', id };
    } catch (error) {
      const fault = faultOf(error instanceof InspectionError ? error : new PictureNotRead(name, error));
      return { outcome: 'refused', reason: fault.message, error: fault };
    }
  }

  /** A picture that is there without a class gets the one that the import tells. */
  async #again(
    twin: Twin,
    { label, shown, actor }: { readonly label: Label; readonly shown: string | null; readonly actor: string },
  ): Promise<Outcome> {
    const there = duplicate(twin, label);
    if (shown === null || twin.label !== 'NG') return there;
    const isAdded = await this.#store.imported.addClass(twin.id, shown, actor, this.#now());
    return isAdded ? { ...there, class: shown } : there;
  }

  /** The file is there before the row; without its row it goes again. */
  async #addRow(row: Parameters<Store['imported']['add']>[0]): Promise<ImportedPicture | null> {
    const forget = () => this.#store.pictures.remove(row.picturePath).catch(() => undefined);
    try {
      const there = await this.#store.imported.add(row);
      if (there) await forget();
      return there;
    } catch (error) {
      await forget();
      throw error;
    }
  }

  async #setDeleted(id: string, deletedAt: string | null, actor: string, at: string): Promise<ImportedPicture> {
    const picture = await this.#store.imported.setDeleted(id, deletedAt, actor, at);
    this.events.emit('changed', { partType: picture.partType });
    return picture;
  }

  #now(): string {
    return timestamp(this.#clock.now());
  }
}

/** A file that cannot be opened or read. */
export class PictureNotRead extends InspectionError {
  constructor(name: string, cause: unknown) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    super({
      code: 'picture-not-read',
      status: 'file not readable',
      message: `${name} cannot be read: ${detail}. Check that the file is there and may be read.`,
      parameters: { name, detail },
      httpStatus: 422,
      cause,
    });
  }
}

type Outcome = ImportResult extends infer Result ? (Result extends unknown ? Omit<Result, 'name'> : never) : never;

function duplicate({ id, label }: Twin, given: Label): Outcome & { readonly outcome: 'duplicate' } {
  const reason = `The same picture is there already, labelled ${label}.`;
  return { outcome: 'duplicate', id, label, contradicts: label !== given, reason };
}

/** @throws {InvalidInput} for a box that leaves the picture or has no area */
function checked(
  boxes: readonly LabelledBox[],
  picture: { readonly id: string; readonly width: number; readonly height: number },
): readonly LabelledBox[] {
  const { boxes: usable, remarks } = usableBoxes(picture, boxes);
  const wrong = remarks.find(({ kind }) => kind !== 'repeated');
  if (!wrong) return usable;
  const size = `${picture.width} x ${picture.height}`;
  throw new InvalidInput(
    wrong.kind === 'outside'
      ? `The box ${wrong.label} leaves the picture, which has ${size} pixels. Draw it again.`
      : `The box ${wrong.label} has no area in the picture, which has ${size} pixels. Draw it again.`,
    { label: wrong.label, size },
  );
}

function nameOf(name: string): string {
  const plain = basename(name.replaceAll('\\', '/')).replaceAll(/\p{Cc}/gu, '');
  return plain.slice(0, NAME_LENGTH) || 'picture';
}
