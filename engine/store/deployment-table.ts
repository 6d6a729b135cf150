import type { DeploymentRecord } from '../domain';
import type { Database } from './database';
import type { DeploymentTable } from './types';

interface Row {
  id?: number;
  part_type: string;
  name: string;
  version: string;
  previous_version: string | null;
  action: DeploymentRecord['action'];
  actor: string;
  at: string;
}

export class SqlDeploymentTable implements DeploymentTable {
  constructor(private readonly database: Database) {}

  async current(partType: string): Promise<DeploymentRecord | null> {
    const row = await this.database.read((knex) =>
      knex<Row>('deployments').where({ part_type: partType }).orderBy('id', 'desc').first(),
    );
    return row ? toRecord(row) : null;
  }

  async allCurrent(): Promise<readonly DeploymentRecord[]> {
    const rows = await this.database.read((knex) =>
      knex<Row>('deployments')
        .whereIn('id', knex<Row>('deployments').max('id').groupBy('part_type'))
        .orderBy('part_type'),
    );
    return rows.map(toRecord);
  }

  async add(deployment: DeploymentRecord): Promise<void> {
    await this.database.write((transaction) => transaction<Row>('deployments').insert(toRow(deployment)));
  }

  async history(partType: string): Promise<readonly DeploymentRecord[]> {
    const rows = await this.database.read((knex) =>
      knex<Row>('deployments').where({ part_type: partType }).orderBy('id', 'desc'),
    );
    return rows.map(toRecord);
  }
}

function toRow(record: DeploymentRecord): Row {
  const { partType, name, version, previousVersion, action, actor, at } = record;
  return { part_type: partType, name, version, previous_version: previousVersion, action, actor, at };
}

function toRecord(row: Row): DeploymentRecord {
  const { part_type: partType, name, version, previous_version: previousVersion, action, actor, at } = row;
  return { partType, name, version, previousVersion, action, actor, at };
}
