import type { Knex } from 'knex';

/** The items that the escape estimate rests on; a query must say it in these words for its index to be used. */
export const AUDITED = `line_verdict = 'OK' and instr(queue_reasons, '"audit-sample"') > 0`;

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
  await knex.raw(`create index review_audited on review_items (part_type, created_at, state, label) where ${AUDITED}`);
}
