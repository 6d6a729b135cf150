import { readFile } from 'node:fs/promises';
import type { Dataset } from '../../datasets';
import { InvalidInput } from '../../domain';

/** A picture and the class a person gave it. */
export interface ClassPicture {
  /** For messages, for example the file's path. */
  readonly name: string;
  /** Encoded JPEG or PNG, or how to get it. */
  readonly picture: Buffer | (() => Promise<Buffer>);
  readonly label: string;
  /** Never learnt: it measures what was learnt. */
  readonly heldOut: boolean;
}

/**
 * The pictures of a dataset: those for training are learnt, all others held out.
 *
 * @throws {InvalidInput} for a dataset of boxes
 */
export function classPictures({ kind, pictures }: Pick<Dataset, 'kind' | 'pictures'>): ClassPicture[] {
  if (kind !== 'classification') {
    throw new InvalidInput(
      'The dataset holds boxes, not classes of whole pictures. Give a folder with a folder for each class.',
    );
  }
  return pictures.flatMap(({ id, path, split, class: label }) =>
    label === undefined ? [] : [{ name: id, picture: () => readFile(path), label, heldOut: split !== 'train' }],
  );
}
