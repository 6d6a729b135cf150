import { InvalidInput } from '../domain';

const LARGEST_PAGE = 500;

/** One page of a list. Give `nextCursor` as `cursor` to get the next page; null on the last one. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

/** `limit` is 1..500, 50 unless told. */
export interface PageRequest {
  readonly limit?: number;
  readonly cursor?: string;
}

/** @throws {InvalidInput} when it is no whole number in 1..500 */
export function pageSize(limit = 50): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > LARGEST_PAGE) {
    throw new InvalidInput(`limit must be a whole number from 1 to ${LARGEST_PAGE}, not ${limit}.`, { limit });
  }
  return limit;
}

/**
 * A page out of rows that were asked for with one more than the limit.
 *
 * @param cursorOf where the page after an item begins
 */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => Item,
  cursorOf: (row: Row) => string,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(toItem),
    nextCursor: rows.length > limit && last !== undefined ? cursorOf(last) : null,
  };
}
