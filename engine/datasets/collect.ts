import { readFile, realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import { type LabelledBox, sha256Of } from '../domain';
import { PictureUnreadable, readPictureHeader } from '../imaging';
import { usableBoxes } from './boxes';
import { type BoxRemark, type Dataset, type DatasetPicture, type SkippedPicture, SPLITS, type Split } from './dataset';
import { LabelFault } from './errors';
import { byName } from './files';
import { fingerprint } from './fingerprint';
import { fixedSplit } from './fixed-split';

export interface ReadOptions {
  /** Folders that the pictures must lie in, links followed; anywhere unless told. Others are left out and named. */
  readonly within?: readonly string[];
  /** Ends the reading between two pictures. */
  readonly signal?: AbortSignal;
}

export interface PictureLabels {
  readonly boxes: readonly LabelledBox[];
  readonly ignored?: readonly LabelledBox[];
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A picture as a dataset names it, not looked at yet. */
export interface PictureEntry {
  readonly path: string;
  readonly id: string;
  /** Null: the dataset does not say. */
  readonly split: Split | null;
  /** Missing in a classification dataset. @throws {LabelFault} */
  readonly labels?: (size: Size) => Promise<PictureLabels> | PictureLabels;
  readonly class?: string;
}

export interface DatasetEntries extends Pick<Dataset, 'kind' | 'format' | 'classes'> {
  readonly entries: readonly PictureEntry[];
  /** The dataset says which pictures are for validation or testing, be it none. */
  readonly hasHoldOut: boolean;
  /** What the dataset names and is not there, or cannot be used. */
  readonly skipped?: readonly SkippedPicture[];
}

const AT_ONCE = 4;

/** Looks at all pictures and labels, one by one; a faulty one is left out and named. */
export async function collect(found: DatasetEntries, { within, signal }: ReadOptions = {}): Promise<Dataset> {
  const allowed = within && (await Promise.all(within.map((folder) => realpath(folder))));
  const { entries, shared } = withSplits(found);
  const results: (Looked | SkippedPicture)[] = new Array(entries.length);
  let next = 0;
  const worker = async () => {
    while (next < entries.length) {
      signal?.throwIfAborted();
      const index = next++;
      results[index] = await lookAt(entries[index], allowed);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const looked = results.filter((result): result is Looked => 'picture' in result);
  const pictures = looked
    .map(({ picture }) => picture)
    .sort((a, b) => SPLITS.indexOf(a.split) - SPLITS.indexOf(b.split) || byName(a.id, b.id));
  const { kind, format, classes } = found;
  return {
    kind,
    format,
    classes,
    pictures,
    skipped: [
      ...(found.skipped ?? []),
      ...results.filter((result): result is SkippedPicture => !('picture' in result)),
    ],
    remarks: looked.flatMap(({ remarks }) => remarks),
    shared,
    sha256: fingerprint({ kind, classes, pictures }),
  };
}

interface Looked {
  readonly picture: DatasetPicture;
  readonly remarks: readonly BoxRemark[];
}

async function lookAt(
  { path, id, split, labels, class: label }: PictureEntry & { readonly split: Split },
  allowed: readonly string[] | undefined,
): Promise<Looked | SkippedPicture> {
  try {
    if (allowed !== undefined) {
      const real = await realpath(path);
      if (!allowed.some((folder) => real.startsWith(folder + sep))) {
        return { name: path, reason: 'The picture lies outside the allowed folders.', fault: 'picture' };
      }
    }
    const bytes = await readFile(path);
    const { width, height } = readPictureHeader(bytes);
    const facts = { id, path, split, width, height, sha256: sha256Of(bytes) };
    if (labels === undefined) return { picture: { ...facts, boxes: null, class: label }, remarks: [] };
    const { boxes, ignored = [] } = await labels({ width, height });
    const usable = usableBoxes(facts, boxes);
    const left = usableBoxes(facts, ignored).boxes;
    return {
      picture: { ...facts, boxes: usable.boxes, ...(left.length > 0 && { ignored: left }) },
      remarks: usable.remarks,
    };
  } catch (error) {
    if (error instanceof LabelFault) return { name: error.file, reason: error.message, fault: error.fault };
    if (error instanceof PictureUnreadable) return { name: path, reason: error.message, fault: 'picture' };
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return { name: path, reason: code === 'ENOENT' ? 'The file does not exist.' : message, fault: 'picture' };
  }
}

/**
 * Each file once, in the first split that names it, with an id of its own. Where the dataset keeps nothing for
 * validation and testing, or the same pictures as for training, the split is the fixed one of the id.
 */
function withSplits({ entries, hasHoldOut }: DatasetEntries): {
  entries: (PictureEntry & { readonly split: Split })[];
  shared: Dataset['shared'];
} {
  const splits = new Map<string, Set<Split>>();
  const files = new Map<string, PictureEntry>();
  for (const entry of entries) {
    if (!files.has(entry.path)) files.set(entry.path, entry);
    const named = splits.get(entry.path) ?? new Set();
    splits.set(entry.path, named);
    if (entry.split !== null) named.add(entry.split);
  }
  const isShared = [...splits.values()].some(({ size }) => size > 1);
  const isHeldOut = [...files.values()].some(({ split }) => split === 'val' || split === 'test');
  const isSaid = isHeldOut || (hasHoldOut && !isShared);
  const ids = new Set<string>();
  const unique = [...files.values()].map((entry) => {
    const split = isSaid && entry.split !== null ? entry.split : fixedSplit(entry.id);
    let id = entry.id;
    for (let copy = 1; ids.has(id); copy += 1)
      id = copy === 1 ? `${split}/${entry.id}` : `${split}-${copy}/${entry.id}`;
    ids.add(id);
    return { ...entry, id, split };
  });
  const shared = [...files.values()].flatMap(({ path, id }) => {
    const named = [...splits.get(path)!];
    return named.length > 1 && isSaid ? [{ picture: id, splits: named }] : [];
  });
  return { entries: unique, shared };
}
