import type { Knex } from 'knex';

/** A part type may have a model of each kind in production; those there were are of PatchCore. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('deployments', (table) => {
    table.string('kind', 16).notNullable().defaultTo('patchcore');
  });
  await knex.schema.alterTable('deployments', (table) => {
    table.index(['part_type', 'kind', 'id']);
  });
}
