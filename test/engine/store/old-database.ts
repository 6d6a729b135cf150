import { join } from 'node:path';
import { knex } from 'knex';
import { migrationSource } from '../../../engine/store/migrations';

/**
 * Makes the database that an older version of the package left in a data folder.
 *
 * @param last name of the last migration that version knew
 * @param statements SQL that fills it
 */
export async function makeOldDatabase(dataFolder: string, last: string, statements: readonly string[]): Promise<void> {
  const database = knex({
    client: 'sqlite3',
    connection: { filename: join(dataFolder, 'inspection.sqlite') },
    useNullAsDefault: true,
  });
  try {
    const getMigrations = async () => {
      const all = await migrationSource.getMigrations([]);
      return all.slice(0, all.findIndex(({ name }) => name === last) + 1);
    };
    await database.migrate.latest({ migrationSource: { ...migrationSource, getMigrations }, tableName: 'migrations' });
    for (const statement of statements) await database.raw(statement);
  } finally {
    await database.destroy();
  }
}
