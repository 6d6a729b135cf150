import { setImmediate } from 'node:timers/promises';
import type { Knex } from 'knex';
import type { Label, LabelledBox, LabelSource } from '../domain';
import type { CountingLabel } from './dataset-types';

interface Row {
  readonly id: string;
  readonly source: LabelSource;
  readonly label: Label;
  readonly boxes: string | null;
  readonly class: string | null;
  readonly usedForTraining: string | null;
  readonly picturePath: string;
  readonly width: number;
  readonly height: number;
  readonly sha256: string;
}

/** A label that counts, and the first snapshot that took it. */
export interface CountedLabel extends CountingLabel {
  readonly usedForTraining: string | null;
}

/** Rows read before others have their turn. */
const AT_ONCE = 1000;

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

/**
 * The labels of a part type that count and whose pictures are there and known, by id. They are read in portions, so that
 * others have their turn.
 */
export async function countingLabels(
  knex: Knex,
  partType: string,
  approvedOnly: boolean,
): Promise<readonly CountedLabel[]> {
  const found: CountedLabel[] = [];
  for (const label of ['OK', 'NG']) {
    const portions = [
      (after: string) => reviewed(knex, approvedOnly, { partType, label, after }),
      (after: string) => imported(knex, { partType, label, after }),
    ];
    for (const read of portions) {
      for (let rows = await read(''); rows.length > 0; rows = await read(rows[rows.length - 1].id)) {
        found.push(...rows.map(toLabel));
        if (rows.length < AT_ONCE) break;
        await setImmediate();
      }
    }
  }
  return found.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** How often labels of a part type that may count have changed. */
export async function labelChanges(knex: Knex, partType: string): Promise<number> {
  const row = await knex('label_changes').where({ part_type: partType }).first('changes');
  return Number(row?.changes ?? 0);
}

interface Portion {
  readonly partType: string;
  readonly label: string;
  /** The id it begins after. */
  readonly after: string;
}

function reviewed(knex: Knex, approvedOnly: boolean, { partType, label, after }: Portion): Promise<Row[]> {
  return reviewLabels(knex, approvedOnly)
    .join('inspections', 'inspections.id', 'labels.id')
    .where({ 'labels.part_type': partType, 'labels.label': label })
    .where('labels.id', '>', after)
    .whereNotNull('inspections.picture_path')
    .whereNotNull('inspections.image')
    .orderBy('labels.id')
    .limit(AT_ONCE)
    .select({
      id: 'labels.id',
      source: knex.raw("'inspection'"),
      label: 'labels.label',
      boxes: 'labels.boxes',
      class: knex.raw('null'),
      usedForTraining: 'review_items.used_for_training',
      picturePath: 'inspections.picture_path',
      width: knex.raw("json_extract(inspections.image, '$.width')"),
      height: knex.raw("json_extract(inspections.image, '$.height')"),
      sha256: knex.raw("json_extract(inspections.image, '$.sha256')"),
    });
}

function imported(knex: Knex, { partType, label, after }: Portion): Promise<Row[]> {
  return importedLabels(knex)
    .where({ part_type: partType, label })
    .where('id', '>', after)
    .orderBy('id')
    .limit(AT_ONCE)
    .select('id', 'label', 'boxes', 'class', 'width', 'height', 'sha256', {
      source: knex.raw("'imported'"),
      usedForTraining: 'used_for_training',
      picturePath: 'picture_path',
    });
}

/** Boxes as they stand in a row. */
export function boxesOf(text: string | null): readonly LabelledBox[] | null {
  return text === null ? null : (JSON.parse(text) as LabelledBox[]);
}

function toLabel({ boxes, class: own, width, height, ...same }: Row): CountedLabel {
  return { ...same, boxes: boxesOf(boxes), ...(own !== null && { class: own }), size: { width, height } };
}
