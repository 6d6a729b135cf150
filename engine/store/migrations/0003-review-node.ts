import type { Knex } from 'knex';

/** The review-queue node an item came through; null for those that were there before. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('review_items', (table) => {
    table.string('node');
  });
}
