/**
 * Does something with each item, beginning with the next ones before the first is done, and gives the results in the
 * order of the items.
 *
 * @param ahead how many are under way at once, at least 1
 */
export async function* overlapping<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  work: (item: Item) => Promise<Result>,
  ahead = 2,
): AsyncGenerator<Result> {
  const underWay: Promise<Result>[] = [];
  try {
    for await (const item of items) {
      const result = work(item);
      result.catch(() => {}); // told when its turn comes
      underWay.push(result);
      if (underWay.length >= ahead) yield await (underWay.shift() as Promise<Result>);
    }
    while (underWay.length > 0) yield await (underWay.shift() as Promise<Result>);
  } finally {
    await Promise.allSettled(underWay);
  }
}
