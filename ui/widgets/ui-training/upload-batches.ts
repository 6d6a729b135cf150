/** Limits of one request: the station keeps what it receives in memory. */
const FILES_AT_MOST = 20;
const BYTES_AT_MOST = 32_000_000;

/** Files in groups that go in one request each, in their order. */
export function batchesOf<Item extends { readonly size: number }>(
  files: readonly Item[],
): readonly (readonly Item[])[] {
  const batches: Item[][] = [];
  let room = 0;
  for (const file of files) {
    const last = batches.at(-1);
    if (last === undefined || last.length >= FILES_AT_MOST || file.size > room) {
      batches.push([file]);
      room = BYTES_AT_MOST - file.size;
    } else {
      last.push(file);
      room -= file.size;
    }
  }
  return batches;
}
