import type { DeploymentRecord, ModelKind } from '../domain';
import { addAuditEntry } from './audit-table';
import type { Database } from './database';
import type { DeploymentTable } from './types';

interface Row {
  id?: number;
  part_type: string;
  kind: ModelKind;
  name: string;
  version: string;
  previous_version: string | null;
  action: DeploymentRecord['action'];
  actor: string;
  at: string;
  reason: string | null;
}

export class SqlDeploymentTable implements DeploymentTable {
  constructor(private readonly database: Database) {}

  async current(partType: string, kind: ModelKind = 'patchcore'): Promise<DeploymentRecord | null> {
    const row = await this.database.read((knex) =>
      knex<Row>('deployments').where({ part_type: partType, kind }).orderBy('id', 'desc').first(),
    );
    return row ? toRecord(row) : null;
  }

  async allCurrent(): Promise<readonly DeploymentRecord[]> {
    const rows = await this.database.read((knex) =>
      knex<Row>('deployments')
        .whereIn('id', knex<Row>('deployments').max('id').groupBy('part_type', 'kind'))
        .orderBy(['part_type', 'kind']),
    );
    return rows.map(toRecord);
  }

  async add(deployment: DeploymentRecord): Promise<void> {
    const { partType, kind, action, actor, at, reason } = deployment;
    await this.database.write(async (transaction) => {
      const earlier = transaction<Row>('deployments').where({ part_type: partType, kind });
      const before = await earlier.orderBy('id', 'desc').first();
      await transaction<Row>('deployments').insert(toRow(deployment));
      await addAuditEntry(transaction, {
        at,
        actor,
        action: `model.${action}`,
        subject: partType,
        before: before ? versionOf(before) : null,
        after: { ...versionOf(deployment), ...(reason !== null && { reason }) },
      });
    });
  }

  async history(partType: string, kind: ModelKind = 'patchcore'): Promise<readonly DeploymentRecord[]> {
    const rows = await this.database.read((knex) =>
      knex<Row>('deployments').where({ part_type: partType, kind }).orderBy('id', 'desc'),
    );
    return rows.map(toRecord);
  }
}

function versionOf({ name, version }: { readonly name: string; readonly version: string }) {
  return { name, version };
}

function toRow(record: DeploymentRecord): Row {
  const { partType, kind, name, version, previousVersion, action, actor, at, reason } = record;
  return { part_type: partType, kind, name, version, previous_version: previousVersion, action, actor, at, reason };
}

function toRecord(row: Row): DeploymentRecord {
  const {
    part_type: partType,
    kind,
    name,
    version,
    previous_version: previousVersion,
    action,
    actor,
    at,
    reason,
  } = row;
  return { partType, kind, name, version, previousVersion, action, actor, at, reason };
}
