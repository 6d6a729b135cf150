import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Knex } from 'knex';
import {
  type LabelSource,
  NotFound,
  type Snapshot,
  type SnapshotCounts,
  type SnapshotItem,
  type SnapshotSummary,
} from '../domain';
import { addAuditEntry } from './audit-table';
import { countingLabels, labelChanges } from './counting-labels';
import type { Database } from './database';
import type { SnapshotContent, SnapshotFilter, SnapshotOrder, SnapshotTable } from './dataset-types';
import { pageSize } from './paging';

interface Row {
  id: string;
  part_type: string;
  created_at: string;
  actor: string;
  hash: string;
  counts: string;
  items: Buffer;
  note: string | null;
  deleted_at: string | null;
}

const SUMMARY = ['id', 'part_type', 'created_at', 'actor', 'hash', 'counts', 'note', 'deleted_at'] as const;
/** Times that a snapshot is made beside other work before others wait for it. */
const ATTEMPTS = 4;
/** Items packed before others have their turn. */
const AT_ONCE = 1000;

const compress = promisify(gzip);
const expand = promisify(gunzip);

type ContentOf = Parameters<SnapshotTable['take']>[1];

interface Content extends SnapshotContent {
  /** The items as they stand in the row. */
  readonly packed: Buffer;
  /** Ids of the labels that no snapshot has taken. */
  readonly unused: Readonly<Record<LabelSource, readonly string[]>>;
}

export class SqlSnapshotTable implements SnapshotTable {
  constructor(
    private readonly database: Database,
    private readonly approvedOnly: boolean,
  ) {}

  async take(order: SnapshotOrder, contentOf: ContentOf): Promise<Snapshot> {
    const { partType } = order;
    for (let attempt = 1; attempt < ATTEMPTS; attempt += 1) {
      const changes = await this.database.read((knex) => labelChanges(knex, partType));
      const content = await this.database.read((knex) => this.contentNow(knex, partType, contentOf));
      const snapshot = await this.database.write(async (transaction) =>
        (await labelChanges(transaction, partType)) === changes ? keep(transaction, order, content) : null,
      );
      if (snapshot !== null) return snapshot;
    }
    // labels come faster than they are read: others wait this once
    return this.database.write(async (transaction) =>
      keep(transaction, order, await this.contentNow(transaction, partType, contentOf)),
    );
  }

  private async contentNow(knex: Knex, partType: string, contentOf: ContentOf): Promise<Content> {
    const labels = await countingLabels(knex, partType, this.approvedOnly);
    const content = await contentOf(labels.map(({ usedForTraining: _used, ...label }) => label));
    const unused = labels.filter(({ usedForTraining }) => usedForTraining === null);
    const idsOf = (source: LabelSource) => unused.filter((label) => label.source === source).map(({ id }) => id);
    return {
      ...content,
      packed: await packed(content.items),
      unused: { inspection: idsOf('inspection'), imported: idsOf('imported') },
    };
  }

  async get(id: string): Promise<Snapshot | null> {
    const row = await this.database.read((knex) => knex<Row>('snapshots').where({ id }).first());
    if (!row) return null;
    return toSnapshot(row);
  }

  async list(filter: SnapshotFilter = {}): Promise<readonly SnapshotSummary[]> {
    const rows = await this.database.read((knex) => {
      const query = knex<Row>('snapshots')
        .orderBy('id', 'desc')
        .limit(pageSize(filter.limit ?? 500));
      if (filter.partType !== undefined) query.where('part_type', filter.partType);
      return query.select(...SUMMARY);
    });
    return rows.map(toSummary);
  }

  setDeleted(id: string, deletedAt: string | null, actor: string, at: string): Promise<SnapshotSummary> {
    return this.database.write(async (transaction) => {
      const row = await transaction<Row>('snapshots')
        .where({ id })
        .first(...SUMMARY);
      if (!row) throw new NotFound('snapshot', id);
      if ((row.deleted_at === null) === (deletedAt === null)) return toSummary(row);
      await transaction<Row>('snapshots').where({ id }).update({ deleted_at: deletedAt });
      const action = deletedAt === null ? 'dataset.restore' : 'dataset.delete';
      const told = { before: { deletedAt: row.deleted_at }, after: { deletedAt } };
      await addAuditEntry(transaction, { at, actor, action, subject: id, ...told });
      return { ...toSummary(row), deletedAt };
    });
  }

  purge(before: string): Promise<number> {
    return this.database.write((transaction) =>
      transaction<Row>('snapshots').whereNotNull('deleted_at').where('deleted_at', '<', before).delete(),
    );
  }
}

/** The last snapshot of a part type, also a deleted one. */
export async function newestSnapshot(knex: Knex, partType: string): Promise<Snapshot | null> {
  const row = await knex<Row>('snapshots').where({ part_type: partType }).orderBy('id', 'desc').first();
  return row ? toSnapshot(row) : null;
}

/** Writes a snapshot, unless the newest one says the same. */
async function keep(
  transaction: Knex.Transaction,
  { id, partType, actor, note, at }: SnapshotOrder,
  { items, hash, counts, packed, unused }: Content,
): Promise<Snapshot> {
  const last = await transaction<Row>('snapshots')
    .where({ part_type: partType, deleted_at: null })
    .orderBy('id', 'desc')
    .first(...SUMMARY);
  if (last?.hash === hash) return { ...toSummary(last), items };
  const summary = { id, part_type: partType, created_at: at, actor, hash, counts: JSON.stringify(counts), note };
  const row: Row = { ...summary, items: packed, deleted_at: null };
  await transaction<Row>('snapshots').insert(row);
  for (const [name, ids] of [
    ['review_items', unused.inspection],
    ['imported_pictures', unused.imported],
  ] as const) {
    await transaction(name)
      .whereRaw('id in (select value from json_each(?))', [JSON.stringify(ids)])
      .whereNull('used_for_training')
      .update({ used_for_training: id });
  }
  const after = { id, hash, ok: counts.ok, ng: counts.ng };
  await addAuditEntry(transaction, { at, actor, action: 'dataset.snapshot', subject: partType, before: null, after });
  return { ...toSummary(row), items };
}

/** As they stand in the row, made in portions. */
async function packed(items: readonly SnapshotItem[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let from = 0; from < items.length; from += AT_ONCE) {
    const lines = items.slice(from, from + AT_ONCE).map((item) => JSON.stringify(item));
    parts.push(Buffer.from(`${from === 0 ? '' : ','}${lines.join(',')}`));
    await setImmediate();
  }
  return compress(Buffer.concat([Buffer.from('['), ...parts, Buffer.from(']')]));
}

async function toSnapshot(row: Row): Promise<Snapshot> {
  const items = JSON.parse((await expand(row.items)).toString('utf8')) as SnapshotItem[];
  return { ...toSummary(row), items };
}

function toSummary(row: Omit<Row, 'items'>): SnapshotSummary {
  return {
    id: row.id,
    partType: row.part_type,
    createdAt: row.created_at,
    actor: row.actor,
    hash: row.hash,
    counts: JSON.parse(row.counts) as SnapshotCounts,
    note: row.note,
    deletedAt: row.deleted_at,
  };
}
