import type { AuditedDay, AuditedFilter, AuditedTable } from './admission-types';
import type { Database } from './database';
import { AUDITED } from './migrations/0010-review-admission';

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
      // named, as SQLite would take an index of states and read every decided item
      const query = knex(knex.raw('review_items indexed by review_audited'))
        .whereRaw(AUDITED)
        .whereIn('state', this.approvedOnly ? ['approved'] : ['labelled', 'approved'])
        .groupBy('part_type', 'day')
        .select('part_type as partType', knex.raw('substr(created_at, 1, 10) as day'))
        .count({ audited: '*' })
        .select(knex.raw("sum(case when label = 'NG' then 1 else 0 end) as bad"));
      if (partType !== undefined) query.where('part_type', partType);
      if (from !== undefined) query.where('created_at', '>=', from);
      return query as never;
    });
    return rows.map(({ audited, bad, ...day }) => ({ ...day, audited: Number(audited), bad: Number(bad) }));
  }
}
