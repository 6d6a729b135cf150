import type { Knex } from 'knex';
import type { AuditEntry } from '../domain';
import type { Database } from './database';
import { pageSize } from './paging';
import type { AuditFilter, AuditTable } from './types';

interface Row {
  id: number;
  at: string;
  actor: string;
  action: string;
  subject: string;
  before: string;
  after: string;
}

export class SqlAuditTable implements AuditTable {
  constructor(private readonly database: Database) {}

  add(entry: Omit<AuditEntry, 'id'>): Promise<AuditEntry> {
    return this.database.write((transaction) => addAuditEntry(transaction, entry));
  }

  async list(filter: AuditFilter = {}): Promise<readonly AuditEntry[]> {
    const rows = await this.database.read((knex) => {
      const query = knex<Row>('audit').orderBy('id', 'desc').limit(pageSize(filter.limit));
      if (filter.subject !== undefined) query.where('subject', filter.subject);
      if (filter.action !== undefined) query.where('action', filter.action);
      return query;
    });
    return rows.map((row) => ({ ...row, before: JSON.parse(row.before), after: JSON.parse(row.after) }));
  }
}

/** Adds an entry within a transaction, beside the change it tells of. */
export async function addAuditEntry(transaction: Knex.Transaction, entry: Omit<AuditEntry, 'id'>): Promise<AuditEntry> {
  const row = { ...entry, before: toJson(entry.before), after: toJson(entry.after) };
  const [{ id }] = await transaction<Row>('audit').insert(row).returning('id');
  return { ...entry, id };
}

function toJson(value: unknown): string {
  return JSON.stringify(value ?? null);
}
