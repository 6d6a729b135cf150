import type { AuditedDay, AuditedFilter, AuditedTable } from './admission-types';
import type { Database } from './database';
import { idBound } from './inspection-table';

/** A part comes into the queue within this time of its inspection. */
const LONGEST_WAY_MS = 24 * 3_600_000;

interface Row {
  readonly partType: string;
  readonly day: string;
  readonly audited: number | string;
  readonly bad: number | string;
}

export class SqlAuditedTable implements AuditedTable {
  /** @param approvedOnly labels count only once a second person has approved them */
  constructor(
    private readonly database: Database,
    private readonly approvedOnly: boolean,
  ) {}

  async days({ partType, from }: AuditedFilter = {}): Promise<readonly AuditedDay[]> {
    const rows: Row[] = await this.database.read((knex) => {
      const query = knex('review_reasons as reason')
        .join('review_items as item', 'item.id', 'reason.item_id')
        .where({ 'reason.reason': 'audit-sample', 'item.line_verdict': 'OK' })
        .whereIn('item.state', this.approvedOnly ? ['approved'] : ['labelled', 'approved'])
        .groupBy('item.part_type', 'day')
        .select('item.part_type as partType', knex.raw('substr(item.created_at, 1, 10) as day'))
        .count({ audited: '*' })
        .select(knex.raw("sum(case when item.label = 'NG' then 1 else 0 end) as bad"));
      if (partType !== undefined) query.where('item.part_type', partType);
      if (from !== undefined) {
        query.where('reason.item_id', '>=', idBound(from, -LONGEST_WAY_MS)).where('item.created_at', '>=', from);
      }
      return query as never;
    });
    return rows.map(({ audited, bad, ...day }) => ({ ...day, audited: Number(audited), bad: Number(bad) }));
  }
}
