import type { Knex } from 'knex';

/**
 * What was said with an item when it came is kept beside the note of its decision, so that it is there again when the decision
 * is undone. A trigger keeps what lists by reason know of an item's information.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('review_items', (table) => {
    table.text('entry_note');
  });
  await knex.raw("update review_items set entry_note = note where state in ('pending', 'skipped')");
  await knex.raw(`create trigger review_item_weighed after update of information on review_items
    when old.information <> new.information begin
    update review_reasons set information = new.information where item_id = new.id;
  end`);
}
