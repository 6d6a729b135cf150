import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { fixedSplit } from '../../datasets';
import type { LabelledBox, SnapshotCounts, SnapshotItem } from '../../domain';
import type { CountingLabel, SnapshotContent } from '../../store';

/** Items worked on before others have their turn. */
const AT_ONCE = 1000;
/** Decimals of a box that count: finer differences come from formats alone. */
const PER_PIXEL = 1000;

/**
 * What a snapshot of labels holds. Which pictures are held out depends on their ids alone, except that the same picture
 * under two ids is dealt by the older one: learnt and held out, it would flatter the figures.
 *
 * @param labels by id
 */
export async function contentOf(labels: readonly CountingLabel[]): Promise<SnapshotContent> {
  const splits = new Map<string, SnapshotItem['split']>();
  const items: SnapshotItem[] = [];
  for (const label of labels) {
    const split = splits.get(label.sha256) ?? splitOf(label.id);
    splits.set(label.sha256, split);
    items.push({ ...label, split });
    if (items.length % AT_ONCE === 0) await setImmediate();
  }
  return { items, hash: await hashOf(items), counts: countsOf(items) };
}

/**
 * Parts items by whether their picture is labelled NG under another id while they call it OK: then it is no good one.
 */
export function partContradicted<Item extends Pick<SnapshotItem, 'label' | 'sha256'>>(
  items: readonly Item[],
): { readonly clear: readonly Item[]; readonly contradicted: readonly Item[] } {
  const defective = new Set(items.filter(({ label }) => label === 'NG').map(({ sha256 }) => sha256));
  const isClear = ({ label, sha256 }: Item) => label === 'NG' || !defective.has(sha256);
  return { clear: items.filter(isClear), contradicted: items.filter((item) => !isClear(item)) };
}

/** Held out (one in five) or learnt, by the id alone. */
export function splitOf(id: string): SnapshotItem['split'] {
  return fixedSplit(id) === 'val' ? 'val' : 'train';
}

/** Hex SHA-256 over ids, pictures, labels, boxes in any order to a thousandth of a pixel, classes and splits; of items by id. */
async function hashOf(items: readonly SnapshotItem[]): Promise<string> {
  const hash = createHash('sha256');
  for (const [place, { id, sha256, label, boxes, split, class: own }] of items.entries()) {
    hash.update(
      `${JSON.stringify([id, sha256, label, boxes && textsOf(boxes), split, ...(own === undefined ? [] : [own])])}\n`,
    );
    if (place % AT_ONCE === AT_ONCE - 1) await setImmediate();
  }
  return hash.digest('hex');
}

function textsOf(boxes: readonly LabelledBox[]): string[] {
  const rounded = (value: number) => Math.round(PER_PIXEL * value);
  return boxes
    .map(({ label, box }) => JSON.stringify([label, ...[box.x, box.y, box.width, box.height].map(rounded)]))
    .sort();
}

function countsOf(items: readonly SnapshotItem[]): SnapshotCounts {
  const count = (wanted: (item: SnapshotItem) => boolean) => items.filter(wanted).length;
  const boxes = items.flatMap((item) => item.boxes ?? []);
  const perClass = new Map<string, number>();
  for (const { label } of boxes) perClass.set(label, (perClass.get(label) ?? 0) + 1);
  return {
    ok: count(({ label }) => label === 'OK'),
    ng: count(({ label }) => label === 'NG'),
    boxes: boxes.length,
    perClass: Object.fromEntries([...perClass].sort(([a], [b]) => (a < b ? -1 : 1))),
    train: count(({ split }) => split === 'train'),
    val: count(({ split }) => split === 'val'),
  };
}
