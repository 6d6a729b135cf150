import { createHash } from 'node:crypto';
import type { LabelledBox } from '../domain';
import type { Dataset } from './dataset';
import { byName } from './files';

/**
 * Hex SHA-256 over classes, splits, pictures and labels. Boxes count to a thousandth of a pixel and in any order, so that
 * a format's decimals do not matter; paths and file names do not count, ids do.
 */
export function fingerprint({ kind, classes, pictures }: Pick<Dataset, 'kind' | 'classes' | 'pictures'>): string {
  const hash = createHash('sha256').update(JSON.stringify([kind, classes]));
  for (const { id, split, sha256, boxes, ignored, class: label } of pictures.toSorted((a, b) => byName(a.id, b.id))) {
    const labels = boxes === null ? label : [textsOf(boxes), textsOf(ignored ?? [])];
    hash.update('\n').update(JSON.stringify([id, split, sha256, labels]));
  }
  return hash.digest('hex');
}

function textsOf(boxes: readonly LabelledBox[]): string[] {
  const rounded = (value: number) => Math.round(1000 * value);
  return boxes
    .map(({ label, box }) => [label, ...[box.x, box.y, box.width, box.height].map(rounded)].join(' '))
    .sort(byName);
}
