import type { Knex } from 'knex';
import { type Label, NotFound, type ReviewItem, type ReviewState, type Verdict } from '../domain';
import { addAuditEntry } from './audit-table';
import type { Database } from './database';
import { AlreadyDecided } from './errors';
import { boxesOf } from './label-table';
import { pageOf, pageSize } from './paging';
import type { Page, ReviewDecision, ReviewFilter, ReviewStats, ReviewTable, UndoneReview, UndoTarget } from './types';

interface Row {
  id: string;
  state: ReviewState;
  node: string | null;
  part_type: string;
  serial: string | null;
  line_verdict: Verdict;
  reasons: string;
  findings: string;
  label: Label | null;
  boxes: string | null;
  reviewer: string | null;
  note: string | null;
  created_at: string;
  decided_at: string | null;
  decision_order: number | null;
}

const UNDECIDED = {
  state: 'pending',
  label: null,
  boxes: null,
  reviewer: null,
  note: null,
  decided_at: null,
  decision_order: null,
} as const;

export class SqlReviewTable implements ReviewTable {
  constructor(private readonly database: Database) {}

  add(item: ReviewItem): Promise<{ readonly item: ReviewItem; readonly added: boolean }> {
    return this.database.write(async (transaction) => {
      const present = await transaction<Row>('review_items').where({ id: item.id }).first();
      if (present) return { item: toItem(present), added: false };
      await transaction<Row>('review_items').insert(toRow(item));
      return { item, added: true };
    });
  }

  async get(id: string): Promise<ReviewItem | null> {
    const row = await this.database.read((knex) => knex<Row>('review_items').where({ id }).first());
    return row ? toItem(row) : null;
  }

  async list(filter: ReviewFilter = {}): Promise<Page<ReviewItem>> {
    const limit = pageSize(filter.limit);
    const order = orderOf(filter.state);
    const rows: Row[] = await this.database.read((knex) => {
      const query = knex<Row>('review_items')
        .orderBy(order.column, order.direction)
        .limit(limit + 1);
      if (filter.state !== undefined) query.where('state', filter.state);
      if (filter.partType !== undefined) query.where('part_type', filter.partType);
      if (filter.cursor !== undefined) {
        const after = order.column === 'id' ? filter.cursor : Number(filter.cursor) || 0;
        query.where(order.column, order.direction === 'asc' ? '>' : '<', after);
      }
      return query;
    });
    return pageOf(rows, limit, toItem, (row) => String(row[order.column]));
  }

  decide(id: string, decision: ReviewDecision, actor: string, at: string): Promise<ReviewItem> {
    return this.change(id, at, 'review.label', actor, async (transaction, row) => {
      const { label, reviewer, note } = decision;
      const boxes = decision.boxes === undefined ? null : JSON.stringify(decision.boxes);
      await transaction('labels').insert({ id, part_type: row.part_type, label, boxes, reviewer, note, at });
      return { ...row, state: 'labelled', label, boxes, reviewer, note };
    });
  }

  skip(id: string, reviewer: string | null, actor: string, at: string): Promise<ReviewItem> {
    return this.change(id, at, 'review.skip', actor, async (_transaction, row) => ({
      ...row,
      state: 'skipped',
      reviewer,
    }));
  }

  undo({ id, reviewer }: UndoTarget, actor: string, at: string): Promise<UndoneReview | null> {
    return this.database.write(async (transaction) => {
      const decided = transaction<Row>('review_items').whereNotNull('decision_order').orderBy('decision_order', 'desc');
      if (id !== undefined) decided.where({ id });
      else if (reviewer !== undefined) decided.where({ reviewer });
      const row = await decided.first();
      if (!row) return null;
      await transaction('labels').where({ id: row.id }).delete();
      const pending: Row = { ...row, ...UNDECIDED };
      await transaction<Row>('review_items').where({ id: row.id }).update(pending);
      await audit(transaction, 'review.undo', actor, at, row, pending);
      return { ...toItem(pending), undone: row.label };
    });
  }

  async stats(partType?: string): Promise<ReviewStats> {
    const rows: { state: ReviewState; items: number | string }[] = await this.database.read((knex) => {
      const query = knex<Row>('review_items').groupBy('state').select('state').count({ items: '*' });
      return (partType === undefined ? query : query.where('part_type', partType)) as never;
    });
    const count = (state: ReviewState) => Number(rows.find((row) => row.state === state)?.items ?? 0);
    return { pending: count('pending'), labelled: count('labelled'), skipped: count('skipped') };
  }

  private change(
    id: string,
    at: string,
    action: string,
    actor: string,
    decide: (transaction: Knex.Transaction, row: Row) => Promise<Row>,
  ): Promise<ReviewItem> {
    return this.database.write(async (transaction) => {
      const row = await transaction<Row>('review_items').where({ id }).first();
      if (!row) throw new NotFound('review item', id);
      if (row.label !== null) throw new AlreadyDecided(id, row.label);
      const last = await transaction<Row>('review_items').max({ order: 'decision_order' }).first();
      const changed: Row = {
        ...(await decide(transaction, row)),
        decided_at: at,
        decision_order: Number(last?.order ?? 0) + 1,
      };
      await transaction<Row>('review_items').where({ id }).update(changed);
      await audit(transaction, action, actor, at, row, changed);
      return toItem(changed);
    });
  }
}

function orderOf(state: ReviewState | undefined): {
  readonly column: 'id' | 'decision_order';
  readonly direction: 'asc' | 'desc';
} {
  if (state === 'labelled') return { column: 'decision_order', direction: 'desc' };
  return { column: 'id', direction: state === undefined ? 'desc' : 'asc' };
}

async function audit(
  transaction: Knex.Transaction,
  action: string,
  actor: string,
  at: string,
  before: Row,
  after: Row,
): Promise<void> {
  const told = ({ state, label, boxes, reviewer, note }: Row) => ({
    state,
    label,
    ...(boxes === null ? {} : { boxes: boxesOf(boxes) }),
    reviewer,
    note,
  });
  await addAuditEntry(transaction, { at, actor, action, subject: before.id, before: told(before), after: told(after) });
}

function toRow(item: ReviewItem): Row {
  return {
    id: item.id,
    state: item.state,
    node: item.node ?? null,
    part_type: item.partType,
    serial: item.serial ?? null,
    line_verdict: item.lineVerdict,
    reasons: JSON.stringify(item.reasons),
    findings: JSON.stringify(item.findings),
    label: item.label,
    boxes: item.boxes && JSON.stringify(item.boxes),
    reviewer: item.reviewer,
    note: item.note,
    created_at: item.createdAt,
    decided_at: item.decidedAt,
    decision_order: null,
  };
}

function toItem(row: Row): ReviewItem {
  return {
    id: row.id,
    state: row.state,
    ...(row.node === null ? {} : { node: row.node }),
    partType: row.part_type,
    ...(row.serial === null ? {} : { serial: row.serial }),
    reasons: JSON.parse(row.reasons),
    lineVerdict: row.line_verdict,
    findings: JSON.parse(row.findings),
    label: row.label,
    boxes: boxesOf(row.boxes),
    reviewer: row.reviewer,
    note: row.note,
    createdAt: row.created_at,
    decidedAt: row.decided_at,
  };
}
