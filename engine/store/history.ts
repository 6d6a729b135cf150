import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Knex, knex } from 'knex';
import { type Decision, type Finding, InvalidInput, type Label, NotFound } from '../domain';
import { SILENT } from './database';
import { storeError } from './errors';
import { CLOCK_TOLERANCE_MS, idBound } from './inspection-table';
import { FilePictureStore } from './picture-store';

export interface HistoryFilter {
  readonly partType?: string;
  /** ISO 8601: captured at this time or later. */
  readonly from?: string;
  /** Only the last so many. */
  readonly last?: number;
  /** Only those whose picture was kept. */
  readonly withPicture?: boolean;
}

/** A settled inspection with what people said about it. */
export interface PastInspection {
  readonly id: string;
  readonly partType: string;
  readonly serial: string | null;
  /** ISO 8601, UTC. */
  readonly capturedAt: string;
  readonly decision: Decision;
  readonly findings: readonly Finding[];
  /** Absolute path; null when the station keeps none (any more). */
  readonly picture: string | null;
  /** What a person said. */
  readonly label: Label | null;
}

interface Row {
  readonly id: string;
  readonly part_type: string;
  readonly serial: string | null;
  readonly captured_at: string;
  readonly picture_path: string | null;
  readonly findings: string;
  readonly decision: string;
  readonly label: Label | null;
}

const PAGE = 500;

/**
 * The settled inspections of a data folder, oldest first, whether or not a station works in it: the database is opened for
 * reading only, nothing is locked and nothing changed. It is let go of before this resolves.
 *
 * @param keep makes of each what is needed of it, so that a long history needs little memory
 * @throws {InvalidInput} when the folder holds no database
 * @throws {StoreUnavailable} when the database cannot be read
 */
export async function readHistory<Kept>(
  dataFolder: string,
  filter: HistoryFilter,
  keep: (inspection: PastInspection) => Kept,
  databaseFile = 'inspection.sqlite',
): Promise<readonly Kept[]> {
  const file = join(dataFolder, databaseFile);
  await access(file).catch((error) => {
    const message = `${dataFolder} is no data folder of a station: there is no ${databaseFile}.`;
    throw new InvalidInput(message, { folder: dataFolder, cause: String(error) });
  });
  const pictures = new FilePictureStore(dataFolder);
  const database = await openForReading(file);
  try {
    const kept: Kept[] = [];
    let before: string | undefined;
    for (;;) {
      const limit = Math.min(PAGE, (filter.last ?? Number.POSITIVE_INFINITY) - kept.length);
      const rows = limit > 0 ? await pageOf(database, filter, limit, before) : [];
      for (const row of rows) kept.push(keep(toInspection(row, pictures)));
      before = rows.at(-1)?.id;
      if (rows.length < limit || before === undefined) return kept.reverse();
    }
  } catch (error) {
    throw storeError(error, dataFolder);
  } finally {
    await database.destroy();
  }
}

/**
 * Where a station works or was killed there is a write-ahead log beside the database, which reading takes into account.
 * Without one nobody writes, and then reading need not make one either.
 */
async function openForReading(file: string): Promise<Knex> {
  const hasLog = await access(`${file}-wal`).then(
    () => true,
    () => false,
  );
  const filename = `${pathToFileURL(file).href}?mode=ro${hasLog ? '' : '&immutable=1'}`;
  return knex({
    client: 'sqlite3',
    connection: { filename, flags: ['OPEN_URI'] },
    useNullAsDefault: true,
    pool: { min: 0, max: 1 },
    log: SILENT,
  });
}

/** Newest first. */
function pageOf(database: Knex, filter: HistoryFilter, limit: number, before?: string): Promise<Row[]> {
  const query = database('inspections')
    .leftJoin('labels', 'labels.id', 'inspections.id')
    .where('inspections.state', 'settled')
    .orderBy('inspections.id', 'desc')
    .limit(limit)
    .select(
      'inspections.id',
      'inspections.part_type',
      'serial',
      'captured_at',
      'picture_path',
      'findings',
      'decision',
      {
        label: 'labels.label',
      },
    );
  if (before !== undefined) query.where('inspections.id', '<', before);
  if (filter.withPicture) query.whereNotNull('picture_path');
  if (filter.partType !== undefined) query.where('inspections.part_type', filter.partType);
  if (filter.from !== undefined) {
    query
      .where('captured_at', '>=', filter.from)
      .where('inspections.id', '>=', idBound(filter.from, -CLOCK_TOLERANCE_MS));
  }
  return query as unknown as Promise<Row[]>;
}

function toInspection(row: Row, pictures: FilePictureStore): PastInspection {
  return {
    id: row.id,
    partType: row.part_type,
    serial: row.serial,
    capturedAt: row.captured_at,
    decision: JSON.parse(row.decision) as Decision,
    findings: JSON.parse(row.findings) as Finding[],
    picture: row.picture_path === null ? null : placeOf(row.picture_path, pictures),
    label: row.label,
  };
}

/** Null for a path that no station writes. */
function placeOf(path: string, pictures: FilePictureStore): string | null {
  try {
    return pictures.absolute(path);
  } catch (error) {
    if (error instanceof NotFound) return null;
    throw error;
  }
}
