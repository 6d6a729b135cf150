import type { SkippedPicture } from '../../domain';
import { type DetectionDataset, type Labelled, labelled } from './dataset';
import { NothingToLearn } from './errors';
import { type InputSize, PictureStore } from './picture-store';
import type { SampleGroup } from './samples';

/** The pictures of a fine-tuning, read and checked. */
export interface Material {
  /** New pictures to learn from. */
  readonly fresh: SampleGroup;
  /** The same pictures, in the order of the store's numbers. */
  readonly freshPictures: readonly Labelled[];
  /** Old pictures shown beside them; null without any. */
  readonly replay: SampleGroup | null;
  readonly heldOut: readonly Labelled[];
  readonly oldHeldOut: readonly Labelled[];
  /** Pictures and boxes left out, and why. */
  readonly skipped: readonly SkippedPicture[];
}

export interface MaterialOptions {
  readonly dataset: DetectionDataset;
  readonly replay: DetectionDataset | undefined;
  /** Of the detector, in its order. */
  readonly classes: readonly string[];
  readonly size: InputSize;
  /** Memory that decoded pictures may take. */
  readonly cacheBytes: number;
  readonly signal?: AbortSignal;
  /** @param share of the pictures that is read, 0..1 */
  readonly onProgress?: (share: number) => void;
}

/** @throws {NothingToLearn} when no picture is left */
export async function readMaterial(options: MaterialOptions): Promise<Material> {
  const { dataset, replay, classes, size, cacheBytes, signal, onProgress } = options;
  const total = labelled(dataset, 'train').length + labelled(replay, 'train').length;
  let before = 0;
  const read = async (name: string, source: DetectionDataset) => {
    const pictures = labelled(source, 'train');
    const { store, kept, skipped } = await PictureStore.open(pictures, classes, size, {
      cacheBytes: (cacheBytes * pictures.length) / Math.max(1, total),
      onPicture: (done) => {
        signal?.throwIfAborted();
        onProgress?.((before + done) / total);
      },
    });
    before += pictures.length;
    const unlabelled = classes.flatMap((label, number) => (source.classes.includes(label) ? [] : [number]));
    return { group: { name, store, pictures: store.numbers, unlabelled }, kept, skipped };
  };
  const fresh = await read('new', dataset);
  const old = replay === undefined ? null : await read('old', replay);
  const skipped = [...fresh.skipped, ...(old?.skipped ?? [])];
  if (fresh.kept.length === 0) throw new NothingToLearn(skipped.length);
  return {
    fresh: fresh.group,
    freshPictures: fresh.kept,
    replay: old === null || old.kept.length === 0 ? null : old.group,
    heldOut: labelled(dataset, 'val'),
    oldHeldOut: labelled(replay, 'val'),
    skipped,
  };
}
