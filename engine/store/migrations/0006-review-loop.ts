import type { Knex } from 'knex';

/**
 * Approval by a second person, locks, and why an item is in the queue. A row of `review_reasons` says one reason of an item
 * and, for lists of that reason, where the item stands in each order; `review_counts` (by the day of the decision) and
 * `review_reason_counts` say how many items there are of each kind. Triggers keep these three, so that no list and no count looks at all items.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('review_items', (table) => {
    table.text('queue_reasons').notNullable().defaultTo('[]');
    table.double('information').notNullable().defaultTo(0);
    table.string('similar_to', 26);
    table.boolean('model_mistake').notNullable().defaultTo(false);
    // the actor; `reviewer` is only the name shown
    table.string('labelled_by');
    table.string('approver');
    table.text('approval_note');
    table.string('approved_at', 24);
    table.string('used_for_training', 26);
    table.string('lock_reviewer');
    table.string('lock_until', 24);
  });
  await fillOldItems(knex);
  await makeCounts(knex);
  await makeIndexes(knex);
}

async function fillOldItems(knex: Knex): Promise<void> {
  await knex.raw(`update review_items set queue_reasons =
    case when exists (select 1 from json_each(reasons) where value = 'audit-sample') then '["audit-sample"]' else '["sent"]' end`);
  await knex.raw(`update review_items set labelled_by =
    (select actor from audit where subject = review_items.id and action = 'review.label' order by audit.id desc limit 1)
    where label is not null`);
}

async function makeCounts(knex: Knex): Promise<void> {
  await knex.raw(`create table review_counts (
    day text not null, part_type text not null, state text not null, line_verdict text not null, label text not null,
    boxed integer not null, reviewer text not null, items integer not null,
    primary key (${KIND})) without rowid`);
  await knex.raw(`create table review_reason_counts (
    part_type text not null, state text not null, reason text not null, items integer not null,
    primary key (part_type, state, reason)) without rowid`);
  await knex.raw(`create table review_reasons (
    item_id text not null references review_items (id), reason text not null, part_type text not null, state text not null,
    information real not null, decision_order integer,
    primary key (item_id, reason)) without rowid`);

  await knex.raw(`create trigger review_reason_added after insert on review_reasons begin
    insert into review_reason_counts values (new.part_type, new.state, new.reason, 1)
      on conflict (part_type, state, reason) do update set items = items + 1;
  end`);
  await knex.raw(`create trigger review_reason_moved after update of state on review_reasons when old.state <> new.state begin
    update review_reason_counts set items = items - 1
      where part_type = old.part_type and state = old.state and reason = old.reason;
    insert into review_reason_counts values (new.part_type, new.state, new.reason, 1)
      on conflict (part_type, state, reason) do update set items = items + 1;
  end`);
  await knex.raw(`create trigger review_item_added after insert on review_items begin
    ${COUNT_NEW}
    ${ADD_REASONS}
  end`);
  const changed = ['state', 'label', 'boxes', 'reviewer', 'decided_at'];
  await knex.raw(`create trigger review_item_decided after update of ${changed.join(', ')} on review_items
    when ${changed.map((column) => `old.${column} is not new.${column}`).join(' or ')} begin
    update review_counts set items = items - 1 where (${KIND}) = (${kindOf('old')});
    ${COUNT_NEW}
  end`);
  await knex.raw(`create trigger review_item_moved after update of state, decision_order on review_items
    when old.state <> new.state or old.decision_order is not new.decision_order begin
    update review_reasons set state = new.state, decision_order = new.decision_order where item_id = new.id;
  end`);
  await knex.raw(`create trigger review_item_reasoned after update of queue_reasons on review_items
    when old.queue_reasons <> new.queue_reasons begin
    ${ADD_REASONS}
  end`);

  await knex.raw(`insert into review_counts
    select ${kindOf('review_items')}, count(*) from review_items group by 1, 2, 3, 4, 5, 6, 7`);
  await knex.raw(`insert into review_reasons
    select review_items.id, value, part_type, state, information, decision_order
      from review_items, json_each(queue_reasons)`);
}

/** What items have in common that are counted together; `day` is that of the decision, empty before there is one. */
const KIND = 'day, part_type, state, line_verdict, label, boxed, reviewer';

function kindOf(row: string): string {
  return `coalesce(substr(${row}.decided_at, 1, 10), ''), ${row}.part_type, ${row}.state, ${row}.line_verdict,
      coalesce(${row}.label, ''), coalesce(${row}.boxes, '[]') <> '[]', coalesce(${row}.reviewer, '')`;
}

const COUNT_NEW = `insert into review_counts values (${kindOf('new')}, 1)
      on conflict (${KIND}) do update set items = items + 1;`;

const ADD_REASONS = `insert or ignore into review_reasons
      select new.id, value, new.part_type, new.state, new.information, new.decision_order from json_each(new.queue_reasons);`;

async function makeIndexes(knex: Knex): Promise<void> {
  const items = [
    'by_age (state, part_type, id)',
    'by_information (state, information desc, id)',
    'by_part_information (state, part_type, information desc, id)',
    'of_all_by_information (information desc, id)',
    'of_all_by_part_information (part_type, information desc, id)',
    'by_decision (state, decision_order)',
    'by_part_decision (state, part_type, decision_order)',
    'by_reviewer (reviewer, decision_order)',
    'by_part (part_type, id)',
    'by_time (decided_at, part_type, state, line_verdict, label, reviewer)',
    'by_use (part_type, state, used_for_training)',
  ];
  for (const index of items) await knex.raw(`create index review_${index.replace(' (', ' on review_items (')}`);
  const reasons = [
    'by_age (reason, state, item_id, part_type)',
    'by_information (reason, state, information desc, item_id, part_type)',
    'of_all_by_information (reason, information desc, item_id, part_type)',
    'by_decision (reason, state, decision_order, part_type)',
    'by_item (reason, item_id, part_type)',
  ];
  for (const index of reasons)
    await knex.raw(`create index review_reasons_${index.replace(' (', ' on review_reasons (')}`);
}
