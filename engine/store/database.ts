import { setTimeout as sleep } from 'node:timers/promises';
import { type Knex, knex } from 'knex';
import { StoreUnavailable, storeError } from './errors';
import { migrationSource, migrations } from './migrations';

const MIGRATIONS_TABLE = 'migrations';
const DRAIN_MS = 700;
/** What fails reaches the caller as an error; knex need not write it to the console too. */
export const SILENT = { warn: () => {}, error: () => {}, debug: () => {}, deprecate: () => {} };

/**
 * The database. Changes go through `write`, one after another; `read` never waits for them (SQLite in WAL mode reads
 * beside a writer).
 */
export class Database {
  private lastWrite: Promise<unknown> = Promise.resolve();
  private closed = false;

  private constructor(
    private readonly dataFolder: string,
    private readonly writer: Knex,
    private readonly reader: Knex,
  ) {}

  /** Opens the database and brings its tables up to date. @throws {StoreUnavailable} */
  static async open(dataFolder: string, filename: string, busyTimeoutMs: number): Promise<Database> {
    const database = Database.connect(dataFolder, filename, busyTimeoutMs);
    try {
      await database.migrate();
      return database;
    } catch (error) {
      await database.close();
      throw storeError(error, dataFolder);
    }
  }

  private static connect(dataFolder: string, filename: string, busyTimeoutMs: number): Database {
    const connect = (pragmas: string, pool: { min: number; max: number }) =>
      knex({
        client: 'sqlite3',
        connection: { filename },
        useNullAsDefault: true,
        pool: {
          ...pool,
          afterCreate: (
            connection: { exec(sql: string, done: (error: Error | null) => void): void },
            done: (error: Error | null, connection: unknown) => void,
          ) => {
            const sql = `PRAGMA busy_timeout = ${busyTimeoutMs}; ${pragmas}`;
            connection.exec(sql, (error) => done(error, connection));
          },
        },
        acquireConnectionTimeout: 10_000,
        log: SILENT,
      });
    const writer = connect(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 1000;',
      { min: 1, max: 1 },
    );
    const reader = connect('PRAGMA query_only = ON;', { min: 0, max: 2 });
    return new Database(dataFolder, writer, reader);
  }

  /** Runs a query outside of any transaction. @throws {StoreUnavailable} */
  async read<Result>(query: (knex: Knex) => PromiseLike<Result>): Promise<Result> {
    this.requireOpen();
    try {
      return await query(this.reader);
    } catch (error) {
      throw storeError(error, this.dataFolder);
    }
  }

  /**
   * Runs statements as one transaction, after those asked for before. Nothing of it stays when it throws.
   * @throws {StoreUnavailable}
   */
  write<Result>(statements: (transaction: Knex.Transaction) => Promise<Result>): Promise<Result> {
    const result = this.lastWrite.then(() => this.runWrite(statements));
    this.lastWrite = result.catch(() => {});
    return result;
  }

  private async runWrite<Result>(statements: (transaction: Knex.Transaction) => Promise<Result>): Promise<Result> {
    this.requireOpen();
    try {
      return await this.writer.transaction(statements);
    } catch (error) {
      // a COMMIT that failed (full disk) leaves the connection inside its transaction
      await this.writer.raw('ROLLBACK').catch(() => {});
      throw storeError(error, this.dataFolder);
    }
  }

  private async migrate(): Promise<void> {
    if (await this.writer.schema.hasTable(MIGRATIONS_TABLE)) {
      const known = new Set(migrations.map((migration) => migration.name));
      const applied: { name: string }[] = await this.writer(MIGRATIONS_TABLE).select('name');
      const unknown = applied.find((row) => !known.has(row.name));
      if (unknown) {
        throw new StoreUnavailable(
          'newer-schema',
          `The database in ${this.dataFolder} was made by a newer version of this package (it has ${unknown.name}). Install that version again; nothing was changed.`,
          { folder: this.dataFolder, migration: unknown.name },
        );
      }
      if (applied.length === known.size) return;
    }
    // the folder belongs to this process: a lock found here was left by one that was killed while migrating
    if (await this.writer.schema.hasTable(`${MIGRATIONS_TABLE}_lock`)) {
      await this.writer.migrate.forceFreeMigrationsLock({ migrationSource, tableName: MIGRATIONS_TABLE });
    }
    await this.writer.migrate.latest({ migrationSource, tableName: MIGRATIONS_TABLE });
  }

  private requireOpen(): void {
    if (this.closed) {
      throw new StoreUnavailable('closed', `The store in ${this.dataFolder} is closed.`, { folder: this.dataFolder });
    }
  }

  async close(): Promise<void> {
    if (this.closed) return;
    await Promise.race([this.lastWrite, sleep(DRAIN_MS, undefined, { ref: false })]);
    // what still waits behind a locked database fails now, instead of one by one after its timeout
    this.closed = true;
    await this.lastWrite;
    // tidying up at the end must not wait for a lock either
    await this.writer.raw('PRAGMA busy_timeout = 0').catch(() => {});
    await this.reader.destroy();
    await this.writer.destroy();
  }
}
