import { type Job, type JobState, NotFound } from '../domain';
import type { Database } from './database';
import { pageSize } from './paging';
import type { JobTable } from './types';

interface Row {
  id: string;
  state: JobState;
  document: string;
}

export class SqlJobTable implements JobTable {
  constructor(private readonly database: Database) {}

  async insert(job: Job): Promise<void> {
    await this.database.write((transaction) => transaction<Row>('jobs').insert(toRow(job)));
  }

  async update(job: Job): Promise<void> {
    const { id, ...changes } = toRow(job);
    const updated = await this.database.write((transaction) => transaction<Row>('jobs').where({ id }).update(changes));
    if (updated === 0) throw new NotFound('job', id);
  }

  async get(id: string): Promise<Job | null> {
    const row = await this.database.read((knex) => knex<Row>('jobs').where({ id }).first());
    return row ? toJob(row) : null;
  }

  async list(filter: { readonly state?: JobState; readonly limit?: number } = {}): Promise<readonly Job[]> {
    const rows = await this.database.read((knex) => {
      const query = knex<Row>('jobs')
        .orderBy('id', 'desc')
        .limit(pageSize(filter.limit ?? 500));
      return filter.state === undefined ? query : query.where({ state: filter.state });
    });
    return rows.map(toJob);
  }
}

function toRow(job: Job): Row {
  return { id: job.id, state: job.state, document: JSON.stringify(job) };
}

function toJob(row: Row): Job {
  return JSON.parse(row.document) as Job;
}
