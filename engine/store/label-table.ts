import type { Knex } from 'knex';
import type { Label } from '../domain';
import { boxesOf, countingLabels, countingStates, importedLabels, reviewLabels } from './counting-labels';
import type { Database } from './database';
import type { CountingLabel, LabelFacts } from './dataset-types';
import type { LabelCounts, LabelledPicture, LabelTable, WithdrawnLabel } from './types';

interface Counted {
  readonly part_type: string;
  readonly label: Label;
  readonly labels: number | string;
  readonly boxed: number | string;
}

interface CountedClass {
  readonly label: string;
  readonly boxes: number | string;
  readonly pictures: number | string;
}

const BOXED = "sum(case when boxes <> '[]' then 1 else 0 end) as boxed";

/** Labels of reviewed and of imported pictures, as far as they count. */
export class SqlLabelTable implements LabelTable {
  /** @param approvedOnly only labels that a second person has approved count */
  constructor(
    private readonly database: Database,
    private readonly approvedOnly: boolean,
  ) {}

  async labelledPictures(partType: string, label: Label): Promise<readonly LabelledPicture[]> {
    const labels = await this.labelled(partType);
    return labels.filter((labelled) => labelled.label === label).map(({ id, picturePath }) => ({ id, picturePath }));
  }

  labelled(partType: string): Promise<readonly CountingLabel[]> {
    return this.database.read((knex) => countingLabels(knex, partType, this.approvedOnly));
  }

  withdrawn(partType: string): Promise<readonly WithdrawnLabel[]> {
    return this.database.read(async (knex) => [
      ...(await knex('review_items')
        .join('inspections', 'inspections.id', 'review_items.id')
        .where('review_items.part_type', partType)
        .whereNotIn('review_items.state', countingStates(this.approvedOnly))
        .whereNotNull('review_items.used_for_training')
        .whereNotNull('inspections.picture_path')
        .select({
          id: 'review_items.id',
          picturePath: 'inspections.picture_path',
          sha256: knex.raw("json_extract(inspections.image, '$.sha256')"),
        })),
      ...(await knex('imported_pictures')
        .where({ part_type: partType })
        .whereNotNull('deleted_at')
        .whereNotNull('used_for_training')
        .select('id', 'sha256', { picturePath: 'picture_path' })),
    ]);
  }

  async classes(partType: string): Promise<readonly string[]> {
    return this.database.read(async (knex) => {
      const rows: { boxes: string }[] = [
        ...(await reviewLabels(knex, this.approvedOnly)
          .where('labels.part_type', partType)
          .whereNotNull('labels.boxes')
          .select('labels.boxes')),
        ...(await importedLabels(knex).where({ part_type: partType }).whereNotNull('boxes').select('boxes')),
      ];
      const named: { class: string }[] = await classed(knex, partType).distinct('class');
      const ofBoxes = rows.flatMap(({ boxes }) => (boxesOf(boxes) ?? []).map(({ label }) => label));
      return [...new Set([...ofBoxes, ...named.map((row) => row.class)])].sort();
    });
  }

  async counts(): Promise<ReadonlyMap<string, LabelCounts>> {
    const rows: Counted[] = await this.database.read(async (knex) => [
      ...((await knex('review_counts')
        .whereIn('state', countingStates(this.approvedOnly))
        .where('items', '>', 0)
        .groupBy('part_type', 'label')
        .select('part_type', 'label', knex.raw('sum(boxed * items) as boxed'))
        .sum({ labels: 'items' })) as never),
      ...((await importedLabels(knex)
        .groupBy('part_type', 'label')
        .select('part_type', 'label', knex.raw(BOXED))
        .count({ labels: '*' })) as never),
    ]);
    const counts = new Map<string, { ok: number; ng: number; boxed: number }>();
    for (const row of rows) {
      const count = counts.get(row.part_type) ?? { ok: 0, ng: 0, boxed: 0 };
      count[row.label === 'OK' ? 'ok' : 'ng'] += Number(row.labels);
      count.boxed += Number(row.boxed);
      counts.set(row.part_type, count);
    }
    return counts;
  }

  unused(partType: string): Promise<number> {
    return this.database.read(async (knex) => {
      const reviewed = await reviewLabels(knex, this.approvedOnly)
        .where('labels.part_type', partType)
        .whereNull('review_items.used_for_training')
        .count({ labels: '*' })
        .first();
      const imported = await importedLabels(knex)
        .where({ part_type: partType })
        .whereNull('used_for_training')
        .count({ labels: '*' })
        .first();
      return Number(reviewed?.labels ?? 0) + Number(imported?.labels ?? 0);
    });
  }

  facts(partType: string): Promise<LabelFacts> {
    return this.database.read(async (knex) => {
      const reviewed = () => reviewLabels(knex, this.approvedOnly).where('labels.part_type', partType);
      const imported = () => importedLabels(knex).where({ part_type: partType });
      const month = (column: string) => knex.raw('substr(??, 1, 7) as month', [column]);
      const perMonth = [
        ...(await reviewed()
          .groupBy('month', 'labels.label')
          .select(month('labels.at'), 'labels.label', knex.raw("'inspection' as source"))
          .count({ count: '*' })),
        ...(await imported()
          .groupBy('month', 'label')
          .select(month('at'), 'label', knex.raw("'imported' as source"))
          .count({ count: '*' })),
      ];
      const boxed = knex.unionAll([
        reviewed().whereNotNull('labels.boxes').select('labels.id', 'labels.boxes'),
        imported().whereNotNull('boxes').select('id', 'boxes'),
      ]);
      const perBoxClass: CountedClass[] = await knex
        .from(knex.raw('(?) as boxed, json_each(boxed.boxes) as box', [boxed]))
        .groupByRaw("json_extract(box.value, '$.label')")
        .select(
          knex.raw("json_extract(box.value, '$.label') as label"),
          knex.raw('count(*) as boxes'),
          knex.raw('count(distinct boxed.id) as pictures'),
        );
      const perPictureClass: CountedClass[] = await classed(knex, partType)
        .groupBy('class')
        .select({ label: 'class', boxes: knex.raw('0') })
        .count({ pictures: '*' });
      const ids: { id: string }[] = [...(await reviewed().select('labels.id')), ...(await imported().select('id'))];
      return {
        perMonth: perMonth.map((row) => ({ ...row, count: Number(row.count) })) as LabelFacts['perMonth'],
        perClass: summed([...perBoxClass, ...perPictureClass]),
        ids: ids.map(({ id }) => id),
      };
    });
  }
}

/** Imported pictures that are of a class as a whole. */
function classed(knex: Knex, partType: string): Knex.QueryBuilder {
  return importedLabels(knex).where({ part_type: partType }).whereNotNull('class');
}

/** Counts of the same class as one. */
function summed(counted: readonly CountedClass[]): LabelFacts['perClass'] {
  const sums = new Map<string, { boxes: number; pictures: number }>();
  for (const { label, boxes, pictures } of counted) {
    const before = sums.get(label) ?? { boxes: 0, pictures: 0 };
    sums.set(label, { boxes: before.boxes + Number(boxes), pictures: before.pictures + Number(pictures) });
  }
  return [...sums].map(([label, sum]) => ({ label, ...sum }));
}
