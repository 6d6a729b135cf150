import type { Knex } from 'knex';

/** The history of retrainings, what of them waits, and indexes by which new labels are counted. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('retraining_runs', (table) => {
    table.string('id', 26).primary();
    table.string('part_type').notNullable();
    table.string('kind', 16).notNullable();
    table.string('outcome', 16).notNullable();
    table.text('document').notNullable();
    table.index(['part_type', 'kind', 'id']);
    table.index(['outcome', 'id']);
  });

  await knex.schema.createTable('retraining_states', (table) => {
    table.string('part_type').notNullable();
    table.string('kind', 16).notNullable();
    table.text('document').notNullable();
    table.primary(['part_type', 'kind']);
  });

  await knex.raw('create index review_items_labelled on review_items (part_type, state, decided_at)');
  await knex.raw('create index review_items_approved on review_items (part_type, state, approved_at)');
}
