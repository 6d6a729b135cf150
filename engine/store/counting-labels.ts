import type { Knex } from 'knex';
import type { Label, LabelledBox, LabelSource } from '../domain';
import type { CountingLabel } from './dataset-types';

interface Row {
  readonly id: string;
  readonly source: LabelSource;
  readonly label: Label;
  readonly boxes: string | null;
  readonly picturePath: string;
  readonly width: number;
  readonly height: number;
  readonly sha256: string;
}

/** The states of review items whose labels count. */
export function countingStates(approvedOnly: boolean): readonly string[] {
  return approvedOnly ? ['approved'] : ['labelled', 'approved'];
}

/** Labels of review items that count. */
export function reviewLabels(knex: Knex, approvedOnly: boolean): Knex.QueryBuilder {
  return knex('labels')
    .join('review_items', 'review_items.id', 'labels.id')
    .whereIn('review_items.state', countingStates(approvedOnly));
}

/** Labels of imported pictures that count. */
export function importedLabels(knex: Knex): Knex.QueryBuilder {
  return knex('imported_pictures').whereNull('imported_pictures.deleted_at');
}

/** The labels of a part type that count and whose pictures are there and known, by id. */
export async function countingLabels(
  knex: Knex,
  partType: string,
  approvedOnly: boolean,
): Promise<readonly CountingLabel[]> {
  const reviewed: Row[] = await reviewLabels(knex, approvedOnly)
    .join('inspections', 'inspections.id', 'labels.id')
    .where('labels.part_type', partType)
    .whereNotNull('inspections.picture_path')
    .whereNotNull('inspections.image')
    .select({
      id: 'labels.id',
      source: knex.raw("'inspection'"),
      label: 'labels.label',
      boxes: 'labels.boxes',
      picturePath: 'inspections.picture_path',
      width: knex.raw("json_extract(inspections.image, '$.width')"),
      height: knex.raw("json_extract(inspections.image, '$.height')"),
      sha256: knex.raw("json_extract(inspections.image, '$.sha256')"),
    });
  const imported: Row[] = await importedLabels(knex)
    .where({ part_type: partType })
    .select('id', 'label', 'boxes', 'width', 'height', 'sha256', {
      source: knex.raw("'imported'"),
      picturePath: 'picture_path',
    });
  return [...reviewed, ...imported].sort((a, b) => (a.id < b.id ? -1 : 1)).map(toLabel);
}

/** Boxes as they stand in a row. */
export function boxesOf(text: string | null): readonly LabelledBox[] | null {
  return text === null ? null : (JSON.parse(text) as LabelledBox[]);
}

function toLabel({ id, source, label, boxes, picturePath, width, height, sha256 }: Row): CountingLabel {
  return { id, source, label, boxes: boxesOf(boxes), sha256, size: { width, height }, picturePath };
}
