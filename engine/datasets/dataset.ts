import type { Box, LabelledBox } from '../domain';

export type Split = 'train' | 'val' | 'test';

export const SPLITS: readonly Split[] = ['train', 'val', 'test'];

export interface DatasetPicture {
  /** Its path below the pictures of its split, with forward slashes; each is there once. */
  readonly id: string;
  /** Absolute. */
  readonly path: string;
  readonly split: Split;
  readonly width: number;
  readonly height: number;
  /** Hex SHA-256 of the file. */
  readonly sha256: string;
  /** All objects, cut to the picture; none: nothing to find here. Null in a classification dataset. */
  readonly boxes: readonly LabelledBox[] | null;
  /** Areas full of objects, or with objects too difficult to judge: what is found there counts neither way. */
  readonly ignored?: readonly LabelledBox[];
  /** The class of the whole picture, in a classification dataset. */
  readonly class?: string;
}

/** A picture that was left out. */
export interface SkippedPicture {
  /** Path of the picture, or of its label file. */
  readonly name: string;
  readonly reason: string;
  readonly fault: 'picture' | 'label' | 'unknown-class' | 'no-class';
}

/** A box that was changed or dropped while reading. */
export interface BoxRemark {
  /** Id of the picture. */
  readonly picture: string;
  readonly label: string;
  /** As it was written, in pixels. */
  readonly box: Box;
  /** More than a pixel outside and cut; without area in the picture and dropped; there twice and dropped once. */
  readonly kind: 'outside' | 'empty' | 'repeated';
}

export type DatasetFormat = 'yolo' | 'coco' | 'voc' | 'classes';

export interface Dataset {
  readonly kind: 'detection' | 'classification';
  readonly format: DatasetFormat;
  /** In the order of their numbers. */
  readonly classes: readonly string[];
  /** By split, then by id. */
  readonly pictures: readonly DatasetPicture[];
  readonly skipped: readonly SkippedPicture[];
  readonly remarks: readonly BoxRemark[];
  /** Pictures that are named in more than one split; they belong to the first. */
  readonly shared: readonly { readonly picture: string; readonly splits: readonly Split[] }[];
  /** Hex SHA-256 over classes, splits, pictures and labels: the same after writing and reading it in another format. */
  readonly sha256: string;
}
