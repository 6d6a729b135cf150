import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Knex } from 'knex';
import { NotFound, type Snapshot, type SnapshotCounts, type SnapshotItem, type SnapshotSummary } from '../domain';
import { addAuditEntry } from './audit-table';
import { countingLabels } from './counting-labels';
import type { Database } from './database';
import type { CountingLabel, SnapshotContent, SnapshotFilter, SnapshotOrder, SnapshotTable } from './dataset-types';
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
/** Ids named in one statement. */
const BATCH = 500;

const compress = promisify(gzip);
const expand = promisify(gunzip);

export class SqlSnapshotTable implements SnapshotTable {
  constructor(
    private readonly database: Database,
    private readonly approvedOnly: boolean,
  ) {}

  take(order: SnapshotOrder, contentOf: (labels: readonly CountingLabel[]) => SnapshotContent): Promise<Snapshot> {
    const { id, partType, actor, note, at } = order;
    return this.database.write(async (transaction) => {
      const labels = await countingLabels(transaction, partType, this.approvedOnly);
      const { items, hash, counts } = contentOf(labels);
      const last = await transaction<Row>('snapshots')
        .where({ part_type: partType, deleted_at: null })
        .orderBy('id', 'desc')
        .first(...SUMMARY);
      if (last?.hash === hash) return { ...toSummary(last), items };
      const row: Row = {
        id,
        part_type: partType,
        created_at: at,
        actor,
        hash,
        counts: JSON.stringify(counts),
        items: await compress(JSON.stringify(items)),
        note,
        deleted_at: null,
      };
      await transaction<Row>('snapshots').insert(row);
      await markUsed(transaction, id, items);
      const after = { id, hash, ok: counts.ok, ng: counts.ng };
      await addAuditEntry(transaction, {
        at,
        actor,
        action: 'dataset.snapshot',
        subject: partType,
        before: null,
        after,
      });
      return { ...toSummary(row), items };
    });
  }

  async get(id: string): Promise<Snapshot | null> {
    const row = await this.database.read((knex) => knex<Row>('snapshots').where({ id }).first());
    if (!row) return null;
    const items = JSON.parse((await expand(row.items)).toString('utf8')) as SnapshotItem[];
    return { ...toSummary(row), items };
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

/** Notes with labels that no snapshot had taken that this one has. */
async function markUsed(transaction: Knex.Transaction, id: string, items: readonly SnapshotItem[]): Promise<void> {
  for (const [source, name] of [
    ['inspection', 'review_items'],
    ['imported', 'imported_pictures'],
  ] as const) {
    const ids = items.filter((item) => item.source === source).map((item) => item.id);
    for (let from = 0; from < ids.length; from += BATCH) {
      await transaction(name)
        .whereIn('id', ids.slice(from, from + BATCH))
        .whereNull('used_for_training')
        .update({ used_for_training: id });
    }
  }
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
