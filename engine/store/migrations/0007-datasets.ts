import type { Knex } from 'knex';

/**
 * Snapshots of labelled pictures, and pictures that were imported with their labels. Triggers count the changes of labels that
 * count, so that a snapshot can be made beside other work and is known to be of one moment.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('snapshots', (table) => {
    table.string('id', 26).primary();
    table.string('part_type').notNullable();
    table.string('created_at', 24).notNullable();
    table.string('actor').notNullable();
    table.string('hash', 64).notNullable();
    table.text('counts').notNullable();
    // the items as JSON, compressed with gzip: they are always read as a whole
    table.binary('items').notNullable();
    table.text('note');
    table.string('deleted_at', 24);
    table.index(['part_type', 'id']);
    table.index(['deleted_at']);
  });

  await knex.schema.createTable('imported_pictures', (table) => {
    table.string('id', 26).primary();
    table.string('part_type').notNullable();
    table.string('label', 8).notNullable();
    table.text('boxes');
    table.string('name').notNullable();
    table.integer('width').notNullable();
    table.integer('height').notNullable();
    table.integer('bytes').notNullable();
    table.string('sha256', 64).notNullable();
    table.string('picture_path').notNullable();
    table.string('at', 24).notNullable();
    table.string('actor').notNullable();
    table.string('used_for_training', 26);
    table.string('deleted_at', 24);
    table.index(['part_type', 'label', 'id']);
    table.index(['deleted_at']);
  });
  await knex.raw(
    'create unique index imported_pictures_once on imported_pictures (part_type, sha256) where deleted_at is null',
  );

  await knex.raw('create table label_changes (part_type text primary key, changes integer not null) without rowid');
  for (const [name, event] of [
    ['label_decided', 'update of state on review_items'],
    ['label_imported', 'insert on imported_pictures'],
    ['label_deleted', 'update of deleted_at on imported_pictures'],
  ]) {
    await knex.raw(`create trigger ${name} after ${event} begin
      insert into label_changes values (new.part_type, 1) on conflict (part_type) do update set changes = changes + 1;
    end`);
  }
}
