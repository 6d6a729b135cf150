import type { GateReport } from '../domain';
import type { Database } from './database';
import type { GateReportTable, GateVerdict, VersionKey } from './registry-types';

interface Row {
  name: string;
  version: string;
  accepted: boolean | number;
  at: string;
  document: string;
}

export class SqlGateReportTable implements GateReportTable {
  constructor(private readonly database: Database) {}

  async add(report: GateReport): Promise<void> {
    const { candidate, decision, at } = report;
    const { name, version } = candidate;
    const row: Row = { name, version, accepted: decision.accepted, at, document: JSON.stringify(report) };
    await this.database.write((transaction) =>
      transaction<Row>('gate_reports').insert(row).onConflict(['name', 'version']).merge(),
    );
  }

  async get({ name, version }: VersionKey): Promise<GateReport | null> {
    const row = await this.database.read((knex) => knex<Row>('gate_reports').where({ name, version }).first());
    return row ? (JSON.parse(row.document) as GateReport) : null;
  }

  async verdicts(name?: string): Promise<readonly GateVerdict[]> {
    const rows = await this.database.read((knex) => {
      const query = knex<Row>('gate_reports').select('name', 'version', 'accepted', 'at');
      return name === undefined ? query : query.where({ name });
    });
    return rows.map((row) => ({ ...row, accepted: Boolean(row.accepted) }));
  }
}
