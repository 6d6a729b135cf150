import type { Knex } from 'knex';

/** Inspections, reviews and labels, routing settings, jobs, deployments, audit. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('inspections', (table) => {
    table.string('id', 26).primary();
    table.string('station').notNullable();
    table.string('route').notNullable();
    table.string('part_type').notNullable();
    table.string('serial');
    table.string('captured_at', 24).notNullable();
    table.string('deadline_at', 24).notNullable();
    table.string('settled_at', 24);
    table.string('state', 8).notNullable();
    table.string('verdict', 8);
    table.boolean('fail_safe').notNullable();
    table.boolean('delivered').notNullable();
    table.string('picture_path');
    table.integer('picture_bytes').notNullable();
    table.text('trigger').notNullable();
    table.text('image');
    table.text('quality');
    table.text('findings').notNullable();
    table.text('decision');
    table.index(['state']);
    table.index(['delivered']);
    table.index(['verdict', 'id']);
    table.index(['part_type', 'id']);
    table.index(['serial', 'id']);
    table.index(['captured_at', 'part_type', 'verdict', 'fail_safe'], 'inspections_counters');
  });
  await knex.raw('create index inspections_kept on inspections (verdict, id) where picture_path is not null');

  await knex.schema.createTable('review_items', (table) => {
    table.string('id', 26).primary();
    table.string('state', 8).notNullable();
    table.string('part_type').notNullable();
    table.string('serial');
    table.string('line_verdict', 8).notNullable();
    table.text('reasons').notNullable();
    table.text('findings').notNullable();
    table.string('label', 8);
    table.string('reviewer');
    table.text('note');
    table.string('created_at', 24).notNullable();
    table.string('decided_at', 24);
    // counts up over all decisions: two of them may fall in the same millisecond
    table.integer('decision_order');
    table.index(['state', 'id']);
    table.index(['decision_order']);
  });

  await knex.schema.createTable('labels', (table) => {
    table.string('id', 26).primary().references('id').inTable('review_items');
    table.string('part_type').notNullable();
    table.string('label', 8).notNullable();
    table.string('reviewer');
    table.text('note');
    table.string('at', 24).notNullable();
    table.index(['part_type', 'label', 'id']);
  });

  await knex.schema.createTable('routing_settings', (table) => {
    table.string('part_type').primary();
    table.text('thresholds');
    table.double('audit_share').notNullable();
  });

  await knex.schema.createTable('jobs', (table) => {
    table.string('id', 26).primary();
    table.string('state', 16).notNullable();
    table.text('document').notNullable();
    table.index(['state', 'id']);
  });

  await knex.schema.createTable('deployments', (table) => {
    table.increments('id');
    table.string('part_type').notNullable();
    table.string('name').notNullable();
    table.string('version').notNullable();
    table.string('previous_version');
    table.string('action', 16).notNullable();
    table.string('actor').notNullable();
    table.string('at', 24).notNullable();
    table.index(['part_type', 'id']);
  });

  await knex.schema.createTable('audit', (table) => {
    table.increments('id');
    table.string('at', 24).notNullable();
    table.string('actor').notNullable();
    table.string('action').notNullable();
    table.string('subject').notNullable();
    table.text('before').notNullable();
    table.text('after').notNullable();
    table.index(['subject', 'id']);
    table.index(['action', 'id']);
  });
}
