import { type ImportedPicture, type Label, NotFound } from '../domain';
import { addAuditEntry } from './audit-table';
import { boxesOf } from './counting-labels';
import type { Database } from './database';
import type { ImportedFilter, ImportedTable, NewImportedPicture } from './dataset-types';
import { PictureThere } from './errors';
import { type Page, pageOf, pageSize } from './paging';

interface Row {
  id: string;
  part_type: string;
  label: Label;
  boxes: string | null;
  class: string | null;
  name: string;
  width: number;
  height: number;
  bytes: number;
  sha256: string;
  picture_path: string;
  at: string;
  actor: string;
  used_for_training: string | null;
  deleted_at: string | null;
}

const PURGED_AT_ONCE = 500;

export class SqlImportedTable implements ImportedTable {
  constructor(private readonly database: Database) {}

  add(picture: NewImportedPicture): Promise<ImportedPicture | null> {
    const row = toRow(picture);
    const { id, part_type, sha256, label, name, at, actor } = row;
    return this.database.write(async (transaction) => {
      const there = await transaction<Row>('imported_pictures').where({ part_type, sha256, deleted_at: null }).first();
      if (there) return toPicture(there);
      await transaction<Row>('imported_pictures').insert(row);
      const after = { partType: part_type, label, name };
      await addAuditEntry(transaction, { at, actor, action: 'dataset.import', subject: id, before: null, after });
      return null;
    });
  }

  async get(id: string): Promise<ImportedPicture | null> {
    const row = await this.database.read((knex) => knex<Row>('imported_pictures').where({ id }).first());
    return row ? toPicture(row) : null;
  }

  addClass(id: string, shown: string, actor: string, at: string): Promise<boolean> {
    return this.database.write(async (transaction) => {
      const changed = await transaction<Row>('imported_pictures')
        .where({ id, label: 'NG', class: null, deleted_at: null })
        .where((unboxed) => unboxed.whereNull('boxes').orWhere('boxes', '[]'))
        // deleted_at: labels of the part type have changed for a snapshot that is being taken
        .update({ class: shown, deleted_at: null });
      if (changed === 0) return false;
      const told = { before: { class: null }, after: { class: shown } };
      await addAuditEntry(transaction, { at, actor, action: 'dataset.class', subject: id, ...told });
      return true;
    });
  }

  async list(filter: ImportedFilter = {}): Promise<Page<ImportedPicture>> {
    const limit = pageSize(filter.limit);
    const rows: Row[] = await this.database.read((knex) => {
      const query = knex<Row>('imported_pictures')
        .orderBy('id', 'desc')
        .limit(limit + 1);
      if (filter.partType !== undefined) query.where('part_type', filter.partType);
      if (filter.label !== undefined) query.where('label', filter.label);
      if (filter.deleted === true) query.whereNotNull('deleted_at');
      if (filter.deleted === false) query.whereNull('deleted_at');
      if (filter.cursor !== undefined) query.where('id', '<', filter.cursor);
      return query;
    });
    return pageOf(rows, limit, toPicture, (row) => row.id);
  }

  setDeleted(id: string, deletedAt: string | null, actor: string, at: string): Promise<ImportedPicture> {
    return this.database.write(async (transaction) => {
      const row = await transaction<Row>('imported_pictures').where({ id }).first();
      if (!row) throw new NotFound('imported picture', id);
      if ((row.deleted_at === null) === (deletedAt === null)) return toPicture(row);
      if (deletedAt === null) {
        const { part_type, sha256 } = row;
        const twin = await transaction<Row>('imported_pictures').where({ part_type, sha256, deleted_at: null }).first();
        if (twin) throw new PictureThere(id, twin.id);
      }
      await transaction<Row>('imported_pictures').where({ id }).update({ deleted_at: deletedAt });
      const action = deletedAt === null ? 'dataset.restore-picture' : 'dataset.delete-picture';
      const told = { before: { deletedAt: row.deleted_at }, after: { deletedAt } };
      await addAuditEntry(transaction, { at, actor, action, subject: id, ...told });
      return { ...toPicture(row), deletedAt };
    });
  }

  async purgeable(before: string): Promise<readonly ImportedPicture[]> {
    const rows: Row[] = await this.database.read((knex) =>
      knex<Row>('imported_pictures')
        .whereNotNull('deleted_at')
        .where('deleted_at', '<', before)
        // every snapshot taken while it was there has it
        .whereNotExists(
          knex('snapshots')
            .whereRaw('snapshots.part_type = imported_pictures.part_type')
            .whereRaw('snapshots.created_at >= imported_pictures.at')
            .whereRaw('snapshots.created_at <= imported_pictures.deleted_at'),
        )
        .orderBy('id')
        .limit(PURGED_AT_ONCE),
    );
    return rows.map(toPicture);
  }

  async purge(ids: readonly string[]): Promise<void> {
    await this.database.write((transaction) =>
      transaction<Row>('imported_pictures').whereIn('id', ids).whereNotNull('deleted_at').delete(),
    );
  }

  async known(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.database.read((knex) => knex<Row>('imported_pictures').whereIn('id', ids).select('id'));
    return new Set(rows.map(({ id }) => id));
  }
}

function toRow(picture: NewImportedPicture): Row {
  const { partType, boxes, picturePath, ...same } = picture;
  return {
    ...same,
    part_type: partType,
    boxes: boxes && JSON.stringify(boxes),
    picture_path: picturePath,
    used_for_training: null,
    deleted_at: null,
  };
}

function toPicture(row: Row): ImportedPicture {
  const { part_type, boxes, picture_path, used_for_training, deleted_at, ...same } = row;
  return {
    ...same,
    partType: part_type,
    boxes: boxesOf(boxes),
    picturePath: picture_path,
    usedForTraining: used_for_training,
    deletedAt: deleted_at,
  };
}
