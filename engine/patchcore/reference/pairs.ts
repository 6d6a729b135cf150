import { basename, extname } from 'node:path';
import { InspectionError } from '../../domain';
import { readPictureHeader } from '../../imaging';
import type { SkippedPicture } from '../picture-reader';
import type { TrainingPicture } from '../pictures';
import type { ReferencePair } from './training';
import { boxOf, readYoloLabels } from './yolo-labels';

export interface PairingSources {
  /**
   * Golden pictures, named like the pictures. A single one that is named like none of them is the golden picture of every
   * part.
   */
  readonly references: readonly TrainingPicture[];
  readonly good: readonly TrainingPicture[];
  /** Pictures with defects, of which labels tell the places. */
  readonly defective: readonly TrainingPicture[];
  /** With a file `x.txt` in YOLO's format for `x.jpg`. */
  readonly labelFolder?: string;
}

export interface Pairing {
  readonly pairs: readonly ReferencePair[];
  /** Encoded; null when each part has its own. */
  readonly shared: Buffer | null;
  /** Pictures without golden picture, and defective ones of which nobody knows where they are good. */
  readonly skipped: readonly SkippedPicture[];
}

/**
 * Gives each picture its golden picture.
 *
 * @throws {InvalidInput} when a label file cannot be read
 */
export async function pairWithReferences(sources: PairingSources): Promise<Pairing> {
  const { references, good, defective, labelFolder } = sources;
  const byStem = new Map(references.map((each) => [stemOf(each.name), each]));
  const isShared = references.length === 1 && ![...good, ...defective].some(({ name }) => byStem.has(stemOf(name)));
  const pairs: ReferencePair[] = [];
  const skipped: SkippedPicture[] = [];
  const add = (picture: TrainingPicture, boxes?: ReferencePair['boxes']) => {
    const reference = isShared ? references[0] : byStem.get(stemOf(picture.name));
    if (reference) pairs.push({ ...picture, reference: reference.picture, ...(boxes && { boxes }) });
    else skipped.push({ name: picture.name, reason: 'it has no golden picture' });
  };
  for (const picture of good) add(picture);
  for (const picture of defective) {
    const labels = labelFolder === undefined ? null : await readYoloLabels(labelFolder, picture.name);
    if (!labels?.length) {
      skipped.push({ name: picture.name, reason: 'its defects are not annotated' });
      continue;
    }
    try {
      const header = readPictureHeader(await bytesOf(picture));
      add(
        picture,
        labels.map((label) => boxOf(label, header)),
      );
    } catch (error) {
      skipped.push({ name: picture.name, reason: error instanceof InspectionError ? error.message : String(error) });
    }
  }
  return { pairs, shared: isShared ? await bytesOf(references[0]) : null, skipped };
}

async function bytesOf({ picture }: TrainingPicture): Promise<Buffer> {
  return typeof picture === 'function' ? picture() : picture;
}

function stemOf(path: string): string {
  return basename(path, extname(path));
}
