import type { Knex } from 'knex';

/** Why versions were deployed, what people noted, what the gate found, what was removed, and live shadows. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('deployments', (table) => {
    table.text('reason');
  });
  await knex.schema.createTable('model_notes', (table) => {
    table.string('name', 64).notNullable();
    table.string('version', 64).notNullable();
    table.text('notes').notNullable();
    table.primary(['name', 'version']);
  });
  await knex.schema.createTable('gate_reports', (table) => {
    table.string('name', 64).notNullable();
    table.string('version', 64).notNullable();
    table.boolean('accepted').notNullable();
    table.string('at', 24).notNullable();
    table.text('document').notNullable();
    table.primary(['name', 'version']);
  });
  await knex.schema.createTable('removed_models', (table) => {
    table.string('name', 64).notNullable();
    table.string('version', 64).notNullable();
    table.string('actor').notNullable();
    table.string('removed_at', 24).notNullable();
    table.primary(['name', 'version']);
    table.index(['removed_at']);
  });
  await knex.schema.createTable('comparisons', (table) => {
    table.string('name', 64).notNullable();
    table.text('versions').notNullable();
    table.text('document').notNullable();
    table.primary(['name', 'versions']);
  });
  await knex.schema.createTable('shadow_runs', (table) => {
    table.string('id', 26).primary();
    table.string('name', 64).notNullable();
    table.string('state', 16).notNullable();
    table.text('document').notNullable();
    table.index(['name', 'id']);
    table.index(['state']);
  });
}
