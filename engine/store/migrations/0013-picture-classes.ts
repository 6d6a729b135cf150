import type { Knex } from 'knex';

/** What a whole imported picture shows, where no box says it. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('imported_pictures', (table) => {
    table.string('class');
  });
}
