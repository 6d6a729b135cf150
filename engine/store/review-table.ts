import type { Knex } from 'knex';
import { type Clock, NotFound, type QueueReason, type ReviewItem, type ReviewStats, timestamp } from '../domain';
import { addAuditEntry } from './audit-table';
import type { Database } from './database';
import { AlreadyDecided, ApprovedAlready, Locked, NameNeeded, NotLabelled, SamePerson, UsedAlready } from './errors';
import { type Page, pageOf, pageSize } from './paging';
import { selectReviews } from './review-list';
import { isSamePerson, livingLock, type ReviewRow, toReviewItem, toReviewRow, UNDECIDED } from './review-row';
import { readReviewStats } from './review-stats';
import type {
  Approval,
  NewReviewItem,
  NextReview,
  Readdition,
  ReviewDecision,
  ReviewFilter,
  ReviewTable,
  Span,
  UndoneReview,
  UndoTarget,
} from './review-types';
import { newestSnapshot } from './snapshot-table';

/** Everybody whom no session check knows has this name: it tells no two persons apart. */
const ANYBODY = 'anonymous';
const UNLOCKED = { lock_reviewer: null, lock_until: null } as const;

export class SqlReviewTable implements ReviewTable {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  add(item: NewReviewItem): Promise<{ readonly item: ReviewItem; readonly added: boolean }> {
    return this.database.write(async (transaction) => {
      const present = await rowOf(transaction, item.id);
      if (present) return { item: this.toItem(present), added: false };
      const row = toReviewRow(item);
      await transaction<ReviewRow>('review_items').insert(row);
      return { item: this.toItem(row), added: true };
    });
  }

  addReasons(id: string, reasons: readonly QueueReason[], { note, information }: Readdition): Promise<ReviewItem> {
    return this.database.write(async (transaction) => {
      const row = await undecidedRow(transaction, id);
      const known: QueueReason[] = JSON.parse(row.queue_reasons);
      const said = note ?? row.entry_note;
      const changes: Partial<ReviewRow> = {
        ...(row.state !== 'pending' && UNDECIDED),
        queue_reasons: JSON.stringify([...new Set([...reasons, ...known])]),
        information,
        note: said,
        entry_note: said,
      };
      await update(transaction, id, changes);
      return this.toItem({ ...row, ...changes });
    });
  }

  async get(id: string): Promise<ReviewItem | null> {
    const row = await this.database.read((knex) => rowOf(knex, id));
    return row ? this.toItem(row) : null;
  }

  async list(filter: ReviewFilter = {}): Promise<Page<ReviewItem>> {
    const limit = pageSize(filter.limit);
    const { rows, cursorOf } = await this.database.read(async (knex) => {
      const { query, cursorOf } = selectReviews(knex, filter);
      return { rows: await query.limit(limit + 1), cursorOf };
    });
    return pageOf(rows, limit, (row) => this.toItem(row), cursorOf);
  }

  next(which: NextReview, reviewer: string, until: string): Promise<ReviewItem | null> {
    return this.database.write(async (transaction) => {
      const { except = [], ...filter } = which;
      const { query } = selectReviews(transaction, { ...filter, state: 'pending' });
      query.whereNotIn('review_items.id', except).where((free) => {
        free
          .whereNull('lock_until')
          .orWhere('lock_until', '<=', this.now())
          .orWhereRaw('lock_reviewer = ? collate nocase', reviewer);
      });
      const [row] = await query.limit(1);
      if (!row) return null;
      return this.toItem(await takeLock(transaction, row, reviewer, until));
    });
  }

  lock(id: string, reviewer: string, until: string): Promise<{ readonly item: ReviewItem; readonly taken: boolean }> {
    return this.database.write(async (transaction) => {
      const row = await existingRow(transaction, id);
      this.requireUnlocked(row, reviewer);
      // asked for before the label was given, and come after it: the second person must not find the item locked
      if (row.state === 'labelled' && isSamePerson(row.reviewer, reviewer))
        return { item: this.toItem(row), taken: false };
      const taken = livingLock(row, this.now()) === null;
      return { item: this.toItem(await takeLock(transaction, row, reviewer, until)), taken };
    });
  }

  unlock(id: string, reviewer: string): Promise<{ readonly item: ReviewItem; readonly released: boolean }> {
    return this.database.write(async (transaction) => {
      const row = await existingRow(transaction, id);
      const lock = livingLock(row, this.now());
      if (lock === null || !isSamePerson(lock.reviewer, reviewer)) return { item: this.toItem(row), released: false };
      await update(transaction, id, UNLOCKED);
      return { item: this.toItem({ ...row, ...UNLOCKED }), released: true };
    });
  }

  decide(id: string, decision: ReviewDecision, actor: string, at: string): Promise<ReviewItem> {
    const { label, reviewer, note, modelMistake = false } = decision;
    return this.decideOrSkip(id, reviewer, { action: 'review.label', actor, at }, async (transaction, row) => {
      const boxes = decision.boxes === undefined ? null : JSON.stringify(decision.boxes);
      await transaction('labels').insert({ id, part_type: row.part_type, label, boxes, reviewer, note, at });
      return { state: 'labelled', label, boxes, note, model_mistake: modelMistake, labelled_by: actor };
    });
  }

  skip(id: string, reviewer: string | null, actor: string, at: string): Promise<ReviewItem> {
    return this.decideOrSkip(id, reviewer, { action: 'review.skip', actor, at }, async (_transaction, row) => ({
      state: 'skipped',
      // why it was flagged still counts; what was said with a label that was rejected does not
      note: row.entry_note,
    }));
  }

  judge(id: string, approval: Approval, actor: string, at: string): Promise<ReviewItem> {
    const { approved, reviewer, note } = approval;
    return this.database.write(async (transaction) => {
      const row = await existingRow(transaction, id);
      if (row.state !== 'labelled') throw new NotLabelled(id, row.state);
      if (isSamePerson(row.reviewer, reviewer) || (actor !== ANYBODY && actor === row.labelled_by)) {
        throw new SamePerson(id, row.reviewer ?? actor);
      }
      if (approved && (isNobody(row.reviewer, row.labelled_by) || isNobody(reviewer, actor))) throw new NameNeeded(id);
      this.requireUnlocked(row, reviewer);
      if (!approved) await transaction('labels').where({ id }).delete();
      const changed: ReviewRow = {
        ...row,
        ...UNLOCKED,
        state: approved ? 'approved' : 'rejected',
        approver: reviewer,
        approval_note: note,
        approved_at: at,
      };
      const action = approved ? 'review.approve' : 'review.reject';
      return this.commit(transaction, { action, actor, at }, row, changed);
    });
  }

  undo({ id, reviewer }: UndoTarget, actor: string, at: string): Promise<UndoneReview | null> {
    return this.database.write(async (transaction) => {
      const decided = transaction<ReviewRow>('review_items').whereNotNull('decision_order');
      if (id !== undefined) decided.where({ id });
      else if (reviewer !== undefined) decided.where({ reviewer });
      const row = await decided.orderBy('decision_order', 'desc').first();
      if (!row) return null;
      if (row.approver !== null) throw new ApprovedAlready(row.id, row.approver);
      const holder = await holderOf(transaction, row);
      if (holder !== null) throw new UsedAlready(row.id, holder);
      await transaction('labels').where({ id: row.id }).delete();
      const pending: ReviewRow = { ...row, ...UNDECIDED, note: row.entry_note };
      const item = await this.commit(transaction, { action: 'review.undo', actor, at }, row, pending);
      return { ...item, undone: row.label };
    });
  }

  stats(partType?: string, span: Span = {}): Promise<ReviewStats> {
    return this.database.read((knex) => readReviewStats(knex, partType, span));
  }

  /** What both have in common: nobody else may hold the item, and the decision before it is gone. */
  private decideOrSkip(
    id: string,
    reviewer: string | null,
    act: Act,
    decide: (transaction: Knex.Transaction, row: ReviewRow) => Promise<Partial<ReviewRow>>,
  ): Promise<ReviewItem> {
    return this.database.write(async (transaction) => {
      const row = await undecidedRow(transaction, id);
      this.requireUnlocked(row, reviewer);
      const last = await transaction<ReviewRow>('review_items').max({ order: 'decision_order' }).first();
      const changed: ReviewRow = {
        ...row,
        ...UNDECIDED,
        ...(await decide(transaction, row)),
        reviewer,
        decided_at: act.at,
        decision_order: Number(last?.order ?? 0) + 1,
      };
      return this.commit(transaction, act, row, changed);
    });
  }

  private async commit(
    transaction: Knex.Transaction,
    act: Act,
    before: ReviewRow,
    after: ReviewRow,
  ): Promise<ReviewItem> {
    await update(transaction, before.id, after);
    await addAuditEntry(transaction, { ...act, subject: before.id, before: told(before), after: told(after) });
    return this.toItem(after);
  }

  private requireUnlocked(row: ReviewRow, reviewer: string | null): void {
    const lock = livingLock(row, this.now());
    if (lock !== null && !isSamePerson(lock.reviewer, reviewer)) throw new Locked(row.id, lock);
  }

  private toItem(row: ReviewRow): ReviewItem {
    return toReviewItem(row, this.now());
  }

  private now(): string {
    return timestamp(this.clock.now());
  }
}

interface Act {
  readonly action: string;
  readonly actor: string;
  readonly at: string;
}

function rowOf(knex: Knex, id: string): Promise<ReviewRow | undefined> {
  return knex<ReviewRow>('review_items').where({ id }).first();
}

async function existingRow(transaction: Knex.Transaction, id: string): Promise<ReviewRow> {
  const row = await rowOf(transaction, id);
  if (!row) throw new NotFound('review item', id);
  return row;
}

/** The newest snapshot, when it holds the label of an item and not just one that it had before. */
async function holderOf(transaction: Knex.Transaction, row: ReviewRow): Promise<string | null> {
  if (row.used_for_training === null) return null;
  const newest = await newestSnapshot(transaction, row.part_type);
  // what was deleted for good may have held it
  if (!newest) return row.used_for_training;
  return newest.items.some(({ id, label }) => id === row.id && label === row.label) ? newest.id : null;
}

/** Neither a name was given nor does a session check know one. */
function isNobody(reviewer: string | null, actor: string | null): boolean {
  return (reviewer === null || reviewer === ANYBODY) && (actor === null || actor === ANYBODY);
}

/** One that has no label that counts. */
async function undecidedRow(transaction: Knex.Transaction, id: string): Promise<ReviewRow> {
  const row = await existingRow(transaction, id);
  const counts = row.state === 'labelled' || row.state === 'approved';
  if (counts) throw new AlreadyDecided(id, row.label ?? '');
  return row;
}

async function takeLock(
  transaction: Knex.Transaction,
  row: ReviewRow,
  reviewer: string,
  until: string,
): Promise<ReviewRow> {
  const lock = { lock_reviewer: reviewer, lock_until: until };
  await update(transaction, row.id, lock);
  return { ...row, ...lock };
}

async function update(transaction: Knex.Transaction, id: string, changes: Partial<ReviewRow>): Promise<void> {
  await transaction<ReviewRow>('review_items').where({ id }).update(changes);
}

/** What the audit list says of an item. */
function told(row: ReviewRow): object {
  const { state, label, reviewer, note, approver } = row;
  return {
    state,
    label,
    ...(row.boxes === null ? {} : { boxes: JSON.parse(row.boxes) }),
    reviewer,
    note,
    ...(row.model_mistake ? { modelMistake: true } : {}),
    ...(approver === null ? {} : { approver, approvalNote: row.approval_note }),
  };
}
