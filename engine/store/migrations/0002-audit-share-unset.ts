import type { Knex } from 'knex';

/** A part type may have thresholds of its own and no audit share: then the router's counts. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('routing_settings_2', (table) => {
    table.string('part_type').primary();
    table.text('thresholds');
    table.double('audit_share');
  });
  await knex.raw(
    'insert into routing_settings_2 (part_type, thresholds, audit_share) ' +
      'select part_type, thresholds, audit_share from routing_settings',
  );
  await knex.schema.dropTable('routing_settings');
  await knex.schema.renameTable('routing_settings_2', 'routing_settings');
}
