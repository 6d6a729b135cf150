import { setImmediate } from 'node:timers/promises';
import type { DatasetStats, Label, LabelSource } from '../../domain';
import type { Store } from '../../store';
import { splitOf } from './content';

/** Ids dealt to splits before others have their turn. */
const AT_ONCE = 5000;

/** What people have labelled of a part type, as trainings would take it now. */
export async function datasetStats(
  store: Pick<Store, 'labels' | 'snapshots'>,
  partType: string,
): Promise<DatasetStats> {
  const [facts, unused, snapshots] = await Promise.all([
    store.labels.facts(partType),
    store.labels.unused(partType),
    store.snapshots.list({ partType }),
  ]);
  const count = (wanted: (row: (typeof facts.perMonth)[number]) => boolean) =>
    facts.perMonth.filter(wanted).reduce((sum, row) => sum + row.count, 0);
  const ofLabel = (label: Label) => count((row) => row.label === label);
  const ofSource = (source: LabelSource) => count((row) => row.source === source);
  const months = [...new Set(facts.perMonth.map(({ month }) => month))].sort();
  const living = snapshots.filter(({ deletedAt }) => deletedAt === null);
  return {
    partType,
    labels: { ok: ofLabel('OK'), ng: ofLabel('NG') },
    perClass: [...facts.perClass].sort((a, b) => b.boxes - a.boxes || (a.label < b.label ? -1 : 1)),
    perMonth: months.map((month) => ({
      month,
      ok: count((row) => row.month === month && row.label === 'OK'),
      ng: count((row) => row.month === month && row.label === 'NG'),
    })),
    perSource: { review: ofSource('inspection'), imported: ofSource('imported') },
    boxes: facts.perClass.reduce((sum, { boxes }) => sum + boxes, 0),
    split: await splitsOf(facts.ids),
    unused,
    snapshots: living.length,
    lastSnapshot: living[0] ?? null,
  };
}

async function splitsOf(ids: readonly string[]): Promise<DatasetStats['split']> {
  let val = 0;
  for (const [place, id] of ids.entries()) {
    if (splitOf(id) === 'val') val += 1;
    if (place % AT_ONCE === AT_ONCE - 1) await setImmediate();
  }
  return { train: ids.length - val, val };
}
