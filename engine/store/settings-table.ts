import type { Knex } from 'knex';
import { type Clock, InvalidInput, type RoutingSettings, type Thresholds, timestamp } from '../domain';
import { addAuditEntry } from './audit-table';
import type { Database } from './database';
import type { RoutingPatch, SettingsTable } from './types';

interface Row {
  part_type: string;
  thresholds: string | null;
  audit_share: number | null;
}

export class SqlSettingsTable implements SettingsTable {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  async routing(partType: string): Promise<RoutingSettings> {
    return settingsOf(partType, await this.database.read((knex) => readRow(knex, partType)));
  }

  async allRouting(): Promise<readonly RoutingSettings[]> {
    const rows = await this.database.read((knex) => knex<Row>('routing_settings').orderBy('part_type'));
    return rows.map((row) => settingsOf(row.part_type, row));
  }

  async setRouting(partType: string, patch: RoutingPatch, actor: string): Promise<RoutingSettings> {
    if (partType === '') throw new InvalidInput('The part type is empty.');
    if (patch.thresholds) requireThresholds(patch.thresholds);
    if (patch.auditShare !== undefined) requireShare(patch.auditShare);
    return this.database.write(async (transaction) => {
      const stored = await readRow(transaction, partType);
      const before = settingsOf(partType, stored);
      const changed: Row = {
        part_type: partType,
        thresholds: patch.thresholds === undefined ? (stored?.thresholds ?? null) : toText(patch.thresholds),
        audit_share: patch.auditShare ?? before.auditShare,
      };
      const after = settingsOf(partType, changed);
      await transaction<Row>('routing_settings').insert(changed).onConflict('part_type').merge();
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

function settingsOf(partType: string, row: Row | undefined): RoutingSettings {
  const thresholds = row?.thresholds ? (JSON.parse(row.thresholds) as Thresholds) : null;
  return { partType, thresholds, auditShare: row?.audit_share ?? null };
}

function readRow(knex: Knex, partType: string): Promise<Row | undefined> {
  return knex<Row>('routing_settings').where({ part_type: partType }).first();
}

function toText(thresholds: Thresholds | null): string | null {
  return thresholds && JSON.stringify({ accept: thresholds.accept, reject: thresholds.reject });
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
