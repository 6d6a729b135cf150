import { type ModelKind, NotFound, type RetrainingRun } from '../domain';
import type { Database } from './database';
import { pageSize } from './paging';
import type { RetrainedModel, RetrainingFilter, RetrainingState, RetrainingTable } from './retraining-types';

interface RunRow {
  id: string;
  part_type: string;
  kind: ModelKind;
  outcome: RetrainingRun['outcome'];
  document: string;
}

interface StateRow {
  part_type: string;
  kind: ModelKind;
  document: string;
}

const NOTHING_KEPT: RetrainingState = {
  labelsSince: null,
  labelsTried: 0,
  scheduleSince: null,
  scheduleOf: null,
  waiting: [],
};

export class SqlRetrainingTable implements RetrainingTable {
  /** @param approvedOnly only labels that a second person approved count */
  constructor(
    private readonly database: Database,
    private readonly approvedOnly: boolean,
  ) {}

  async insert(run: RetrainingRun): Promise<void> {
    await this.database.write((transaction) => transaction<RunRow>('retraining_runs').insert(toRow(run)));
  }

  async update(run: RetrainingRun): Promise<void> {
    const { id, ...changes } = toRow(run);
    const updated = await this.database.write((transaction) =>
      transaction<RunRow>('retraining_runs').where({ id }).update(changes),
    );
    if (updated === 0) throw new NotFound('retraining run', id);
  }

  async get(id: string): Promise<RetrainingRun | null> {
    const row = await this.database.read((knex) => knex<RunRow>('retraining_runs').where({ id }).first());
    return row ? toRun(row) : null;
  }

  async list({
    partType,
    kind,
    outcome,
    trained,
    limit = 50,
  }: RetrainingFilter = {}): Promise<readonly RetrainingRun[]> {
    const rows = await this.database.read((knex) => {
      const query = knex<RunRow>('retraining_runs').orderBy('id', 'desc').limit(pageSize(limit));
      if (partType !== undefined) query.where({ part_type: partType });
      if (kind !== undefined) query.where({ kind });
      if (outcome !== undefined) query.where({ outcome });
      if (trained) query.whereNotIn('outcome', ['declined', 'interrupted']);
      return query;
    });
    return rows.map(toRun);
  }

  async state({ partType, kind }: RetrainedModel): Promise<RetrainingState> {
    const row = await this.database.read((knex) =>
      knex<StateRow>('retraining_states').where({ part_type: partType, kind }).first(),
    );
    return row ? (JSON.parse(row.document) as RetrainingState) : NOTHING_KEPT;
  }

  async keepState({ partType, kind }: RetrainedModel, state: RetrainingState): Promise<void> {
    const row: StateRow = { part_type: partType, kind, document: JSON.stringify(state) };
    await this.database.write((transaction) =>
      transaction<StateRow>('retraining_states').insert(row).onConflict(['part_type', 'kind']).merge(),
    );
  }

  async newLabels(partType: string, since: string | null): Promise<number> {
    const after = since ?? '';
    const reviewed = this.approvedOnly
      ? `select count(*) from review_items where part_type = :partType and state = 'approved' and approved_at >= :after`
      : `select count(*) from review_items
           where part_type = :partType and state in ('labelled', 'approved') and decided_at >= :after`;
    const imported = `select count(*) from imported_pictures
      where part_type = :partType and deleted_at is null and at >= :after`;
    const [row]: { count: number }[] = await this.database.read((knex) =>
      knex.raw(`select (${reviewed}) + (${imported}) as count`, { partType, after }),
    );
    return row.count;
  }

  async newlyWithdrawn(partType: string, since: string | null): Promise<number> {
    const states = ['pending', 'skipped', 'rejected', ...(this.approvedOnly ? ['labelled'] : [])];
    return this.database.read(async (knex) => {
      const rejected = knex('audit')
        .whereRaw('audit.subject = review_items.id')
        .where('audit.action', 'review.reject')
        .where('audit.at', '>=', since ?? '');
      const reviewed = await knex('review_items')
        .where('part_type', partType)
        .whereIn('state', states)
        .whereNotNull('used_for_training')
        .whereExists(rejected)
        .count({ count: '*' })
        .first();
      const imported = await knex('imported_pictures')
        .where('part_type', partType)
        .whereNotNull('used_for_training')
        .where('deleted_at', '>=', since ?? '')
        .count({ count: '*' })
        .first();
      return Number(reviewed?.count ?? 0) + Number(imported?.count ?? 0);
    });
  }
}

function toRow(run: RetrainingRun): RunRow {
  const { id, partType, kind, outcome } = run;
  return { id, part_type: partType, kind, outcome, document: JSON.stringify(run) };
}

function toRun(row: RunRow): RetrainingRun {
  return JSON.parse(row.document) as RetrainingRun;
}
