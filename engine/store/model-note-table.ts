import { addAuditEntry } from './audit-table';
import type { Database } from './database';
import type { ModelNoteTable, VersionKey } from './registry-types';

interface Row {
  name: string;
  version: string;
  notes: string;
}

export class SqlModelNoteTable implements ModelNoteTable {
  constructor(private readonly database: Database) {}

  async set({ name, version }: VersionKey, notes: string, actor: string, at: string): Promise<void> {
    await this.database.write(async (transaction) => {
      const noted = () => transaction<Row>('model_notes').where({ name, version });
      const before = (await noted().first())?.notes ?? null;
      const after = notes === '' ? null : notes;
      if (before === after) return;
      if (after === null) await noted().delete();
      else {
        const row: Row = { name, version, notes: after };
        await transaction<Row>('model_notes').insert(row).onConflict(['name', 'version']).merge();
      }
      await addAuditEntry(transaction, {
        at,
        actor,
        action: 'model.notes',
        subject: `${name}/${version}`,
        before,
        after,
      });
    });
  }

  async get({ name, version }: VersionKey): Promise<string | null> {
    const row = await this.database.read((knex) => knex<Row>('model_notes').where({ name, version }).first());
    return row?.notes ?? null;
  }

  all(name?: string): Promise<readonly Row[]> {
    return this.database.read((knex) => {
      const query = knex<Row>('model_notes').select('name', 'version', 'notes');
      return name === undefined ? query : query.where({ name });
    });
  }
}
