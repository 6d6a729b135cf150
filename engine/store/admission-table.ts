import { DECLINE_CAUSES, type DeclineCause, type QueueReason } from '../domain';
import type { AdmissionTable, ReviewAdmission } from './admission-types';
import type { Database } from './database';

export class SqlAdmissionTable implements AdmissionTable {
  constructor(private readonly database: Database) {}

  async add(admission: ReviewAdmission): Promise<void> {
    await this.database.write((transaction) =>
      transaction('review_admissions').insert(admission).onConflict('id').ignore(),
    );
  }

  async count(node: string, since: number, reason?: QueueReason): Promise<number> {
    const rows: { items: number | string }[] = await this.database.read((knex) => {
      const query = knex('review_admissions').where({ node }).where('at', '>=', since).count({ items: '*' });
      return (reason === undefined ? query : query.where({ reason })) as never;
    });
    return Number(rows[0].items);
  }

  async decline(
    { node, partType, cause }: { readonly node: string; readonly partType: string; readonly cause: DeclineCause },
    day: string,
  ): Promise<void> {
    await this.database.write((transaction) =>
      transaction.raw(
        `insert into review_declines (day, node, part_type, cause, items) values (?, ?, ?, ?, 1)
         on conflict (day, node, part_type, cause) do update set items = items + 1`,
        [day, node, partType, cause],
      ),
    );
  }

  async declined(sinceDay: string, partType?: string): Promise<Readonly<Record<DeclineCause, number>>> {
    const rows: { cause: DeclineCause; items: number | string }[] = await this.database.read((knex) => {
      const query = knex('review_declines')
        .where('day', '>=', sinceDay)
        .groupBy('cause')
        .select('cause')
        .sum({ items: 'items' });
      return (partType === undefined ? query : query.where({ part_type: partType })) as never;
    });
    const itemsOf = (cause: DeclineCause) => Number(rows.find((row) => row.cause === cause)?.items ?? 0);
    return Object.fromEntries(DECLINE_CAUSES.map((cause) => [cause, itemsOf(cause)])) as Record<DeclineCause, number>;
  }
}
