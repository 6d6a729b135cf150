import type { Knex } from 'knex';
import { type Clock, InvalidInput, type RoutingSettings, type Thresholds, timestamp } from '../domain';
import { addAuditEntry } from './audit-table';
import type { Database } from './database';
import type { RoutingPatch, SettingsTable } from './types';

interface Row {
  part_type: string;
  thresholds: string | null;
  audit_share: number;
}

export class SqlSettingsTable implements SettingsTable {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  routing(partType: string): Promise<RoutingSettings> {
    return this.database.read((knex) => readRouting(knex, partType));
  }

  async allRouting(): Promise<readonly RoutingSettings[]> {
    const rows = await this.database.read((knex) => knex<Row>('routing_settings').orderBy('part_type'));
    return rows.map(toSettings);
  }

  async setRouting(partType: string, patch: RoutingPatch, actor: string): Promise<RoutingSettings> {
    if (partType === '') throw new InvalidInput('The part type is empty.');
    if (patch.thresholds) requireThresholds(patch.thresholds);
    if (patch.auditShare !== undefined) requireShare(patch.auditShare);
    return this.database.write(async (transaction) => {
      const before = await readRouting(transaction, partType);
      const after: RoutingSettings = {
        partType,
        thresholds: patch.thresholds === undefined ? before.thresholds : patch.thresholds,
        auditShare: patch.auditShare ?? before.auditShare,
      };
      await transaction<Row>('routing_settings').insert(toRow(after)).onConflict('part_type').merge();
      const at = timestamp(this.clock.now());
      for (const [property, action] of [
        ['thresholds', 'routing.thresholds'],
        ['auditShare', 'routing.audit-share'],
      ] as const) {
        if (JSON.stringify(before[property]) === JSON.stringify(after[property])) continue;
        const entry = { at, actor, action, subject: partType, before: before[property], after: after[property] };
        await addAuditEntry(transaction, entry);
      }
      return after;
    });
  }
}

async function readRouting(knex: Knex, partType: string): Promise<RoutingSettings> {
  const row = await knex<Row>('routing_settings').where({ part_type: partType }).first();
  return row ? toSettings(row) : { partType, thresholds: null, auditShare: 0 };
}

function toSettings(row: Row): RoutingSettings {
  return {
    partType: row.part_type,
    thresholds: row.thresholds === null ? null : (JSON.parse(row.thresholds) as Thresholds),
    auditShare: row.audit_share,
  };
}

function toRow({ partType, thresholds, auditShare }: RoutingSettings): Row {
  const stored = thresholds === null ? null : { accept: thresholds.accept, reject: thresholds.reject };
  return { part_type: partType, thresholds: stored && JSON.stringify(stored), audit_share: auditShare };
}

function requireThresholds({ accept, reject }: Thresholds): void {
  if (!(Number.isFinite(accept) && Number.isFinite(reject) && accept >= 0 && accept <= reject)) {
    throw new InvalidInput(`Thresholds need 0 <= accept <= reject; given were accept ${accept} and reject ${reject}.`, {
      accept: String(accept),
      reject: String(reject),
    });
  }
}

function requireShare(share: number): void {
  if (!(share >= 0 && share <= 1)) {
    throw new InvalidInput(`The audit share must be a number from 0 to 1, not ${share}.`, { share: String(share) });
  }
}
