import type { Knex } from 'knex';

/** What came into the review queue through which node, what was not taken, and what the pictures look like. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('review_embeddings', (table) => {
    table.string('id', 26).primary();
    table.string('part_type').notNullable();
    table.string('space').notNullable();
    table.string('model_name').notNullable();
    table.string('model_version').notNullable();
    table.binary('vector').notNullable();
    table.index(['part_type', 'space', 'id']);
  });
  await knex.schema.createTable('review_admissions', (table) => {
    table.string('id', 26).primary();
    table.string('node').notNullable();
    table.string('reason').notNullable();
    table.bigInteger('at').notNullable();
    table.index(['node', 'at', 'reason']);
  });
  await knex.schema.createTable('review_declines', (table) => {
    table.string('day', 10).notNullable();
    table.string('node').notNullable();
    table.string('part_type').notNullable();
    table.string('cause').notNullable();
    table.integer('items').notNullable();
    table.primary(['day', 'node', 'part_type', 'cause']);
  });
}
