import type { ModelComparison } from '../domain';
import type { Database } from './database';
import type { ComparisonTable } from './registry-types';

interface Row {
  name: string;
  versions: string;
  document: string;
}

export class SqlComparisonTable implements ComparisonTable {
  constructor(private readonly database: Database) {}

  async add(comparison: ModelComparison): Promise<void> {
    const { name, versions } = comparison;
    const key = versions.map(({ version }) => version).join(',');
    const row: Row = { name, versions: key, document: JSON.stringify(comparison) };
    await this.database.write((transaction) =>
      transaction<Row>('comparisons').insert(row).onConflict(['name', 'versions']).merge(),
    );
  }

  async get(name: string, versions: readonly string[]): Promise<ModelComparison | null> {
    const row = await this.database.read((knex) =>
      knex<Row>('comparisons')
        .where({ name, versions: versions.join(',') })
        .first(),
    );
    return row ? (JSON.parse(row.document) as ModelComparison) : null;
  }
}
