import type { Knex } from 'knex';

/** What a person drew on a picture, with the decision and with the label; null where nobody did. */
export async function up(knex: Knex): Promise<void> {
  for (const name of ['review_items', 'labels']) {
    await knex.schema.alterTable(name, (table) => {
      table.text('boxes');
    });
  }
}
