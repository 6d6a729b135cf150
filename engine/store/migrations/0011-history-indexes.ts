import type { Knex } from 'knex';

/**
 * Indexes of the history's filters with the time of capture in them: a page before some moment is found without reading the
 * rows of the day after it.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('inspections', (table) => {
    table.dropIndex(['verdict', 'id']);
    table.dropIndex(['part_type', 'id']);
    table.index(['id', 'captured_at'], 'inspections_by_time');
    table.index(['verdict', 'id', 'captured_at'], 'inspections_by_verdict');
    table.index(['part_type', 'id', 'captured_at'], 'inspections_by_part');
    table.index(['part_type', 'verdict', 'id', 'captured_at'], 'inspections_by_part_verdict');
  });
}
