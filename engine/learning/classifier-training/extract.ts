import { ClassifierSession, FEATURES, type FeatureNetwork } from '../../classifier';
import { type Random, type SkippedPicture, seededRandom, sha256Of } from '../../domain';
import {
  augment,
  drawAugmentations,
  type PictureTensor,
  PictureUnreadable,
  type Preprocessing,
  toTensor,
} from '../../imaging';
import { writeModel } from '../../onnx';
import type { LearntRows } from './choose-layer';
import type { ClassPicture } from './class-pictures';
import { wishesOf } from './settings';

/** A picture that is used, by its file. */
export interface UsedPicture {
  readonly source: ClassPicture;
  readonly sha256: string;
}

export interface Extracted {
  readonly rows: LearntRows;
  /** In the order of the rows' pictures. */
  readonly learnt: readonly UsedPicture[];
  readonly heldOut: readonly UsedPicture[];
  readonly skipped: readonly SkippedPicture[];
}

export interface ExtractOptions {
  readonly preprocessing: Preprocessing;
  readonly classes: readonly string[];
  /** Strength, 0..1. */
  readonly augmentation: number;
  readonly seed: number;
  readonly threads: number;
  readonly signal?: AbortSignal;
  readonly onPicture?: (done: number, skipped: number) => void;
}

/** Altered copies of each picture: the more, the fewer pictures there are. */
const COPIES: readonly { readonly below: number; readonly copies: number }[] = [
  { below: 60, copies: 4 },
  { below: 200, copies: 2 },
  { below: Number.POSITIVE_INFINITY, copies: 1 },
];

/**
 * Reads all pictures and pools what the backbone sees in those that are learnt, altered copies included. Pictures that cannot
 * be read, and those that are there already, are left out and named; where one is both held out and learnt, it is held out.
 *
 * @throws the signal's reason when it aborts
 */
export async function extractFeatures(
  network: FeatureNetwork,
  pictures: readonly ClassPicture[],
  options: ExtractOptions,
): Promise<Extracted> {
  const session = await ClassifierSession.open(writeModel(network.model), options.threads);
  try {
    return await extract(session, pictures, options);
  } finally {
    await session.close();
  }
}

async function extract(
  session: ClassifierSession,
  pictures: readonly ClassPicture[],
  { preprocessing, classes, augmentation, seed, signal, onPicture }: ExtractOptions,
): Promise<Extracted> {
  const learnt: UsedPicture[] = [];
  const heldOut: UsedPicture[] = [];
  const skipped: SkippedPicture[] = [];
  const names = new Map<string, string>();
  const features: { row: Float32Array; picture: number; isOriginal: boolean }[] = [];
  const learntCount = pictures.filter((picture) => !picture.heldOut).length;
  const copies = augmentation === 0 ? 0 : (COPIES.find(({ below }) => learntCount < below)?.copies ?? 0);
  // those held out first: a copy of one is not learnt
  const ordered = [...pictures].sort((a, b) => Number(b.heldOut) - Number(a.heldOut));
  for (const [index, source] of ordered.entries()) {
    signal?.throwIfAborted();
    const read = await readPicture(source, preprocessing);
    if ('reason' in read) {
      skipped.push(read);
    } else if (names.has(read.sha256)) {
      skipped.push({ name: source.name, reason: `it is the same picture as ${names.get(read.sha256)}` });
    } else {
      names.set(read.sha256, source.name);
      const used = { source, sha256: read.sha256 };
      if (source.heldOut) heldOut.push(used);
      else {
        const random = seededRandom(seed + learnt.length);
        for (const [copy, data] of variants(read.tensor, augmentation, copies, random).entries()) {
          const row = await session.run(data, read.tensor.width, read.tensor.height, FEATURES);
          features.push({ row, picture: learnt.length, isOriginal: copy === 0 });
        }
        learnt.push(used);
      }
    }
    onPicture?.(index + 1, skipped.length);
  }
  const columns = features[0]?.row.length ?? 0;
  const data = new Float32Array(features.length * columns);
  for (const [at, { row }] of features.entries()) data.set(row, at * columns);
  const rows = {
    features: { data, rows: features.length, columns },
    pictures: features.map(({ picture }) => picture),
    isOriginal: features.map(({ isOriginal }) => isOriginal),
    labels: learnt.map(({ source }) => classes.indexOf(source.label)),
    classes: classes.length,
  };
  return { rows, learnt, heldOut, skipped };
}

/** The picture as it is, and altered copies of it. */
function variants(tensor: PictureTensor, augmentation: number, copies: number, random: Random): Float32Array[] {
  const changes = drawAugmentations(wishesOf(augmentation), copies, random);
  return [tensor.data, ...changes.map((change) => augment(tensor, change))];
}

/** @returns why not, when the picture cannot be read */
export async function readPicture(
  { name, picture }: ClassPicture,
  preprocessing: Preprocessing,
): Promise<SkippedPicture | { readonly sha256: string; readonly tensor: PictureTensor }> {
  let file: Buffer;
  try {
    file = await fileOf(picture);
  } catch (error) {
    return { name, reason: (error as Error).message };
  }
  try {
    return { sha256: sha256Of(file), tensor: await toTensor(file, preprocessing) };
  } catch (error) {
    if (error instanceof PictureUnreadable) return { name, reason: error.message };
    throw error;
  }
}

export async function fileOf(picture: ClassPicture['picture']): Promise<Buffer> {
  return typeof picture === 'function' ? picture() : picture;
}
