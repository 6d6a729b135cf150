import type { LabelledBox } from '../../domain';

/** A labelled picture; the data sets of engine/datasets have such ones. */
export interface LabelledPicture {
  readonly id: string;
  readonly path: string;
  readonly split: 'train' | 'val' | 'test';
  /** Empty: background; null: never labelled, and not learnt from. */
  readonly boxes: readonly LabelledBox[] | null;
}

/** What a detector learns from: `train` is learnt, `val` is held out, `test` is not touched. */
export interface DetectionDataset {
  readonly classes: readonly string[];
  readonly pictures: readonly LabelledPicture[];
  /** Hash of all that it holds. */
  readonly sha256: string;
}

/** A picture that somebody labelled. */
export type Labelled = LabelledPicture & { readonly boxes: readonly LabelledBox[] };

/** The pictures of a split that are labelled. */
export function labelled(dataset: DetectionDataset | undefined, split: LabelledPicture['split']): Labelled[] {
  return (dataset?.pictures ?? []).flatMap((picture) =>
    picture.split === split && picture.boxes !== null ? [{ ...picture, boxes: picture.boxes }] : [],
  );
}
