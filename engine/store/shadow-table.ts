import type { ShadowRun } from '../domain';
import type { Database } from './database';
import type { ShadowTable } from './registry-types';

interface Row {
  id: string;
  name: string;
  state: ShadowRun['state'];
  document: string;
}

export class SqlShadowTable implements ShadowTable {
  constructor(private readonly database: Database) {}

  async put(run: ShadowRun): Promise<void> {
    const { id, name, state } = run;
    const row: Row = { id, name, state, document: JSON.stringify(run) };
    await this.database.write((transaction) => transaction<Row>('shadow_runs').insert(row).onConflict('id').merge());
  }

  async running(): Promise<readonly ShadowRun[]> {
    const rows = await this.database.read((knex) => knex<Row>('shadow_runs').where({ state: 'running' }).orderBy('id'));
    return rows.map(toRun);
  }

  async last(name: string): Promise<ShadowRun | null> {
    const row = await this.database.read((knex) =>
      knex<Row>('shadow_runs').where({ name }).orderBy('id', 'desc').first(),
    );
    return row ? toRun(row) : null;
  }
}

function toRun({ document }: Row): ShadowRun {
  return JSON.parse(document) as ShadowRun;
}
