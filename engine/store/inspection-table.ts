import type { Knex } from 'knex';
import { encodeTime } from 'ulid';
import type {
  Counters,
  Decision,
  Finding,
  Inspection,
  InspectionRecord,
  PictureInfo,
  QualityReport,
  Trigger,
  Verdict,
} from '../domain';
import type { Database } from './database';
import { type Page, pageOf, pageSize } from './paging';
import type { InspectionFilter, InspectionTable, RoutedRecord, SettleOptions } from './types';

interface Row {
  id: string;
  station: string;
  route: string;
  part_type: string;
  serial: string | null;
  captured_at: string;
  deadline_at: string;
  settled_at: string | null;
  state: InspectionRecord['state'];
  verdict: Verdict | null;
  fail_safe: boolean | number;
  delivered: boolean | number;
  picture_path: string | null;
  picture_bytes: number;
  trigger: string;
  image: string | null;
  quality: string | null;
  findings: string;
  decision: string | null;
}

const UNDELIVERED_LIMIT = 1000;
/** How far an id's time may be from the time of capture: a clock that was set back leaves the ids ahead of it. */
export const CLOCK_TOLERANCE_MS = 86_400_000;
const LATEST_ULID_MS = 2 ** 48 - 1;
// named, as SQLite would take the index of ids, or of verdicts, and read every row to compare its time
const BY_TIME = 'inspections indexed by inspections_by_time';
const FOR_COUNTERS = 'inspections indexed by inspections_counters';
/** Looks up one part type after the other in an index, instead of reading all of it. */
const PART_TYPES = `
  with recursive found (part_type) as (
    select min(part_type) from inspections
    union all
    select (select min(part_type) from inspections where part_type > found.part_type) from found where part_type is not null
  )
  select part_type from found where part_type is not null`;

export class SqlInspectionTable implements InspectionTable {
  constructor(private readonly database: Database) {}

  async insertOpen(inspection: Inspection, picturePath: string | null, route = ''): Promise<void> {
    const row = toRow(inspection, { picturePath, route, settledAt: null, delivered: false });
    await this.database.write((transaction) => transaction<Row>('inspections').insert(row).onConflict('id').ignore());
  }

  settle(inspection: Inspection, options: SettleOptions): Promise<boolean> {
    const { signal, overwrite = false } = options;
    return this.database.write(async (transaction) => {
      signal?.throwIfAborted();
      const changed = await settleRow(transaction, toRow(inspection, options), overwrite);
      // the last moment at which the verdict can still be withdrawn
      signal?.throwIfAborted();
      return changed;
    });
  }

  async get(id: string): Promise<InspectionRecord | null> {
    const row = await this.database.read((knex) => knex<Row>('inspections').where({ id }).first());
    return row ? toRecord(row) : null;
  }

  async list(filter: InspectionFilter = {}): Promise<Page<InspectionRecord>> {
    const limit = pageSize(filter.limit);
    const rows = await this.database.read((knex) => {
      const { partType, serial, verdict, from, to } = filter;
      const byTimeAlone =
        [partType, serial, verdict].every((other) => other === undefined) && (from ?? to) !== undefined;
      const query = knex<Row>(byTimeAlone ? knex.raw(BY_TIME) : 'inspections')
        .orderBy('id', 'desc')
        .limit(limit + 1);
      if (filter.cursor !== undefined) query.where('id', '<', filter.cursor);
      if (from !== undefined) {
        query.where('captured_at', '>=', from).where('id', '>=', idBound(from, -CLOCK_TOLERANCE_MS));
      }
      if (to !== undefined) {
        query.where('captured_at', '<', to).where('id', '<', idBound(to, CLOCK_TOLERANCE_MS));
      }
      if (partType !== undefined) query.where('part_type', partType);
      if (serial !== undefined) query.where({ serial });
      if (verdict !== undefined) query.where({ verdict });
      if (filter.state !== undefined) query.where('state', filter.state);
      if (filter.failSafe !== undefined) query.where('fail_safe', filter.failSafe);
      return query;
    });
    return pageOf(rows, limit, toRecord, (row) => row.id);
  }

  async withPicture(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.database.read((knex) =>
      knex<Row>('inspections').whereIn('id', ids).whereNotNull('picture_path').select('id'),
    );
    return new Set(rows.map(({ id }) => id));
  }

  async open(): Promise<readonly RoutedRecord[]> {
    const rows = await this.database.read((knex) => knex<Row>('inspections').where('state', 'open').orderBy('id'));
    return rows.map(toRoutedRecord);
  }

  async undelivered(): Promise<readonly RoutedRecord[]> {
    const rows = await this.database.read((knex) =>
      knex<Row>('inspections').where({ delivered: false, state: 'settled' }).orderBy('id').limit(UNDELIVERED_LIMIT),
    );
    return rows.map(toRoutedRecord);
  }

  async setDelivered(id: string, delivered: boolean): Promise<boolean> {
    const changed = await this.database.write((transaction) =>
      transaction<Row>('inspections').where({ id, state: 'settled', delivered: !delivered }).update({ delivered }),
    );
    return changed === 1;
  }

  async counters(since: string, partType?: string): Promise<Counters> {
    const rows: { verdict: Verdict; fail_safe: boolean | number; parts: number | string }[] = await this.database.read(
      (knex) => {
        const query = knex<Row>(knex.raw(FOR_COUNTERS))
          .where('captured_at', '>=', since)
          .whereNotNull('verdict')
          .groupBy('verdict', 'fail_safe')
          .select('verdict', 'fail_safe')
          .count({ parts: '*' });
        return (partType === undefined ? query : query.where('part_type', partType)) as never;
      },
    );
    const sum = (wanted: (row: (typeof rows)[number]) => boolean) =>
      rows.filter(wanted).reduce((total, row) => total + Number(row.parts), 0);
    const ok = sum((row) => row.verdict === 'OK');
    const total = sum(() => true);
    return {
      since,
      ok,
      ng: sum((row) => row.verdict === 'NG'),
      review: sum((row) => row.verdict === 'REVIEW'),
      failSafe: sum((row) => Boolean(row.fail_safe)),
      total,
      yield: total === 0 ? null : ok / total,
    };
  }

  async partTypes(): Promise<readonly string[]> {
    const rows: { part_type: string }[] = await this.database.read((knex) => knex.raw(PART_TYPES));
    return rows.map((row) => row.part_type);
  }
}

/**
 * The id a moment begins with. A page of a span of time is read off the ids' order, so that it takes no longer the more
 * was inspected since.
 */
export function idBound(moment: string, toleranceMs: number): string {
  const time = Math.min(Math.max(Date.parse(moment) + toleranceMs, 0), LATEST_ULID_MS);
  return encodeTime(time).padEnd(26, '0');
}

async function settleRow(transaction: Knex.Transaction, row: Row, overwrite: boolean): Promise<boolean> {
  const { id, route, ...changes } = row;
  const keepingRoute = route === '' ? changes : { ...changes, route };
  const opened = await transaction<Row>('inspections')
    .where(overwrite ? { id } : { id, state: 'open' })
    .update(keepingRoute);
  if (opened === 1) return true;
  const inserted = await transaction<Row>('inspections').insert(row).onConflict('id').ignore().returning('id');
  return inserted.length === 1;
}

function toRow(
  inspection: Inspection,
  options: Omit<SettleOptions, 'settledAt'> & { readonly settledAt: string | null },
): Row {
  const { decision, image } = inspection;
  return {
    id: inspection.id,
    station: inspection.station,
    route: options.route ?? '',
    part_type: inspection.partType,
    serial: inspection.serial ?? null,
    captured_at: inspection.capturedAt,
    deadline_at: inspection.deadlineAt,
    settled_at: options.settledAt,
    state: options.settledAt === null ? 'open' : 'settled',
    verdict: decision?.verdict ?? null,
    fail_safe: decision?.by === 'failsafe',
    delivered: options.delivered,
    picture_path: options.picturePath,
    picture_bytes: options.picturePath === null ? 0 : (image?.bytes ?? 0),
    trigger: JSON.stringify(inspection.trigger),
    image: jsonOrNull(image),
    quality: jsonOrNull(inspection.quality),
    findings: JSON.stringify(inspection.findings),
    decision: jsonOrNull(decision),
  };
}

function toRoutedRecord(row: Row): RoutedRecord {
  return { ...toRecord(row), route: row.route };
}

function toRecord(row: Row): InspectionRecord {
  return {
    id: row.id,
    station: row.station,
    partType: row.part_type,
    ...(row.serial === null ? {} : { serial: row.serial }),
    trigger: JSON.parse(row.trigger) as Trigger,
    capturedAt: row.captured_at,
    deadlineAt: row.deadline_at,
    ...(row.image === null ? {} : { image: JSON.parse(row.image) as PictureInfo }),
    ...(row.quality === null ? {} : { quality: JSON.parse(row.quality) as QualityReport }),
    findings: JSON.parse(row.findings) as Finding[],
    ...(row.decision === null ? {} : { decision: JSON.parse(row.decision) as Decision }),
    state: row.state,
    picturePath: row.picture_path,
    settledAt: row.settled_at,
  };
}

function jsonOrNull(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
