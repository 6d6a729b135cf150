import type { Knex } from 'knex';
import { InvalidInput, isId } from '../domain';
import type { ReviewRow } from './review-row';
import type { ReviewFilter } from './review-types';

export interface ReviewSelection {
  readonly query: Knex.QueryBuilder<ReviewRow, ReviewRow[]>;
  cursorOf(row: ReviewRow): string;
}

/**
 * The items of a filter in their order (see `ReviewTable.list`), from the cursor on. Each order is that of an index, so that
 * a page takes no longer the more items there are.
 *
 * @throws {InvalidInput} when the cursor is of another order
 */
export function selectReviews(knex: Knex, filter: ReviewFilter): ReviewSelection {
  const { state, partType, queueReason, reviewer, cursor } = filter;
  const query = knex('review_items').select('review_items.*') as Knex.QueryBuilder<ReviewRow, ReviewRow[]>;
  // of one reason: read in the order of the side table, whose indexes begin with the reason
  const place = queueReason === undefined ? 'review_items' : 'review_reasons';
  const idColumn = queueReason === undefined ? 'review_items.id' : 'review_reasons.item_id';
  if (queueReason !== undefined) {
    query.join('review_reasons', 'review_reasons.item_id', 'review_items.id').where({ reason: queueReason });
  }
  if (state !== undefined) query.where(`${place}.state`, state);
  if (partType !== undefined) query.where(`${place}.part_type`, partType);
  if (reviewer !== undefined) query.where({ reviewer });

  if (filter.order === 'information') {
    const column = `${place}.information`;
    query.orderBy([{ column, order: 'desc' }, { column: idColumn }]);
    if (cursor !== undefined) {
      const { information, id } = readCursor(cursor);
      query.where(column, '<=', information).where((after) => {
        after.where(column, '<', information).orWhere(idColumn, '>', id);
      });
    }
    return { query, cursorOf: (row) => writeCursor(row.information, row.id) };
  }

  const waiting = state === 'pending' || state === 'skipped';
  if (reviewer !== undefined || (state !== undefined && !waiting)) {
    const column = `${place}.decision_order`;
    query.whereNotNull(column).orderBy(column, 'desc');
    if (cursor !== undefined) query.where(column, '<', decisionOf(cursor));
    return { query, cursorOf: (row) => String(row.decision_order) };
  }
  query.orderBy(idColumn, state === undefined ? 'desc' : 'asc');
  if (cursor !== undefined) {
    if (!isId(cursor)) throw wrongCursor(cursor);
    query.where(idColumn, state === undefined ? '<' : '>', cursor);
  }
  return { query, cursorOf: (row) => row.id };
}

/** The bits of the number in hexadecimal, and the id: what a cursor may be made of. */
function writeCursor(information: number, id: string): string {
  const bits = Buffer.alloc(8);
  bits.writeDoubleBE(information);
  return bits.toString('hex') + id;
}

function readCursor(cursor: string): { readonly information: number; readonly id: string } {
  const parts = /^([0-9a-f]{16})([0-9A-Z]{26})$/.exec(cursor);
  if (!parts) throw wrongCursor(cursor);
  return { information: Buffer.from(parts[1], 'hex').readDoubleBE(), id: parts[2] };
}

function decisionOf(cursor: string): number {
  if (!/^\d{1,15}$/.test(cursor)) throw wrongCursor(cursor);
  return Number(cursor);
}

function wrongCursor(cursor: string): InvalidInput {
  return new InvalidInput('The cursor is of another list. Use nextCursor of the page before, with the same filter.', {
    cursor,
  });
}
