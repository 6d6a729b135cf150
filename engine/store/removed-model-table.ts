import { addAuditEntry } from './audit-table';
import type { Database } from './database';
import type { RemovalRecord, RemovedModelTable, VersionKey } from './registry-types';

interface Row {
  name: string;
  version: string;
  actor: string;
  removed_at: string;
}

/** What is known of a version besides its package. */
const FACTS = ['model_notes', 'gate_reports', 'removed_models'];

export class SqlRemovedModelTable implements RemovedModelTable {
  constructor(private readonly database: Database) {}

  async add({ name, version, actor, removedAt }: RemovalRecord): Promise<void> {
    const row: Row = { name, version, actor, removed_at: removedAt };
    await this.database.write(async (transaction) => {
      await transaction<Row>('removed_models').insert(row).onConflict(['name', 'version']).merge();
      const entry = { at: removedAt, actor, action: 'model.remove', subject: `${name}/${version}` };
      await addAuditEntry(transaction, { ...entry, before: null, after: null });
    });
  }

  restore({ name, version }: VersionKey, actor: string, at: string): Promise<boolean> {
    return this.database.write(async (transaction) => {
      const deleted = await transaction<Row>('removed_models').where({ name, version }).delete();
      if (deleted === 0) return false;
      const entry = { at, actor, action: 'model.restore', subject: `${name}/${version}` };
      await addAuditEntry(transaction, { ...entry, before: null, after: null });
      return true;
    });
  }

  async purge({ name, version }: VersionKey): Promise<void> {
    await this.database.write(async (transaction) => {
      for (const table of FACTS) await transaction(table).where({ name, version }).delete();
    });
  }

  async get({ name, version }: VersionKey): Promise<RemovalRecord | null> {
    const row = await this.database.read((knex) => knex<Row>('removed_models').where({ name, version }).first());
    return row ? toRecord(row) : null;
  }

  async list(name?: string): Promise<readonly RemovalRecord[]> {
    const rows = await this.database.read((knex) => {
      const query = knex<Row>('removed_models').orderBy('removed_at', 'desc');
      return name === undefined ? query : query.where({ name });
    });
    return rows.map(toRecord);
  }
}

function toRecord({ name, version, actor, removed_at: removedAt }: Row): RemovalRecord {
  return { name, version, actor, removedAt };
}
