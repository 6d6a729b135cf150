import type { Label, LabelledBox, PictureInfo } from '../domain';
import type { Database } from './database';
import type { BoxedPicture, LabelCounts, LabelledPicture, LabelTable } from './types';

interface LabelledRow {
  readonly id: string;
  readonly label: Label;
  readonly boxes: string | null;
  readonly picturePath: string;
  readonly image: string | null;
}

interface Counted {
  readonly part_type: string;
  readonly label: Label;
  readonly labels: number | string;
  readonly boxed: number | string;
}

export class SqlLabelTable implements LabelTable {
  constructor(private readonly database: Database) {}

  labelledPictures(partType: string, label: Label): Promise<readonly LabelledPicture[]> {
    return this.database.read((knex) =>
      knex('labels')
        .join('inspections', 'inspections.id', 'labels.id')
        .where({ 'labels.part_type': partType, 'labels.label': label })
        .whereNotNull('inspections.picture_path')
        .orderBy('labels.id')
        .select({ id: 'labels.id', picturePath: 'inspections.picture_path' }),
    );
  }

  async labelled(partType: string): Promise<readonly BoxedPicture[]> {
    const rows: LabelledRow[] = await this.database.read((knex) =>
      knex('labels')
        .join('inspections', 'inspections.id', 'labels.id')
        .where({ 'labels.part_type': partType })
        .whereNotNull('inspections.picture_path')
        .orderBy('labels.id')
        .select({
          id: 'labels.id',
          label: 'labels.label',
          boxes: 'labels.boxes',
          picturePath: 'inspections.picture_path',
          image: 'inspections.image',
        }),
    );
    return rows.map(({ image, boxes, ...row }) => ({ ...row, boxes: boxesOf(boxes), size: sizeOf(image) }));
  }

  async classes(partType: string): Promise<readonly string[]> {
    const rows: { boxes: string }[] = await this.database.read((knex) =>
      knex('labels').where({ part_type: partType }).whereNotNull('boxes').select('boxes'),
    );
    return [...new Set(rows.flatMap(({ boxes }) => (boxesOf(boxes) ?? []).map(({ label }) => label)))].sort();
  }

  async counts(): Promise<ReadonlyMap<string, LabelCounts>> {
    const rows: Counted[] = await this.database.read(
      (knex) =>
        knex('labels')
          .groupBy('part_type', 'label')
          .select('part_type', 'label', knex.raw("sum(case when boxes <> '[]' then 1 else 0 end) as boxed"))
          .count({ labels: '*' }) as never,
    );
    const counts = new Map<string, { ok: number; ng: number; boxed: number }>();
    for (const row of rows) {
      const count = counts.get(row.part_type) ?? { ok: 0, ng: 0, boxed: 0 };
      count[row.label === 'OK' ? 'ok' : 'ng'] = Number(row.labels);
      count.boxed += Number(row.boxed);
      counts.set(row.part_type, count);
    }
    return counts;
  }
}

/** Boxes as they stand in a row. */
export function boxesOf(text: string | null): readonly LabelledBox[] | null {
  return text === null ? null : (JSON.parse(text) as LabelledBox[]);
}

function sizeOf(image: string | null): BoxedPicture['size'] {
  if (image === null) return null;
  const { width, height } = JSON.parse(image) as PictureInfo;
  return { width, height };
}
