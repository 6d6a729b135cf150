/** The review of the station for browser tests: what people decided, who approves, who looks at what. */

import {
  QUEUE_REASONS,
  type QueueReason,
  type ReviewItem,
  type ReviewLock,
  type ReviewState,
} from '../../engine/domain';
import type { EscapeEstimate } from '../../engine/review/escape-estimate';
import type { NearestPicture } from '../../ui/shared/nearest';

/** What the station refuses; answered as problem details. */
export class MockProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly parameters: Readonly<Record<string, string>> = {},
  ) {
    super(code);
  }
}

const LOCK_MS = 120_000;

type Body = Readonly<Record<string, unknown>>;

export class MockReview {
  readonly items: ReviewItem[] = [];
  /** By the inspection's id; the model keeps no picture for others. */
  readonly nearest = new Map<string, NearestPicture>();
  escapes: EscapeEstimate = { bound: 0.01, confidence: 0.95, items: [], total: [] };
  readonly #undo: ReviewItem[] = [];

  /** @param changed told of each item that is not as it was */
  constructor(private readonly changed: (item: ReviewItem) => void) {}

  reset(): void {
    this.items.length = 0;
    this.#undo.length = 0;
    this.nearest.clear();
    this.escapes = { bound: 0.01, confidence: 0.95, items: [], total: [] };
  }

  /** As if someone else had done so; undefined when there is no such item to decide. */
  decide(id: string, decision: Partial<ReviewItem> & Pick<ReviewItem, 'label'>): ReviewItem | undefined {
    const item = this.#find(id);
    if (item === undefined || item.state === 'labelled' || item.state === 'approved') return undefined;
    this.#undo.push(item);
    return this.#set(item, { ...decision, state: 'labelled', decidedAt: new Date().toISOString(), lock: null });
  }

  /** As if someone else had begun to look at it. */
  lock(id: string, reviewer: string, forMs = LOCK_MS): ReviewItem | undefined {
    const item = this.#find(id);
    return item && this.#set(item, { lock: { reviewer, until: new Date(Date.now() + forMs).toISOString() } });
  }

  /** The station puts the part into the queue; here it is there already, or not at all. */
  flag(id: string): ReviewItem | undefined {
    const item = this.#find(id);
    return item && this.#set(item, { queueReasons: ['flagged', ...item.queueReasons] });
  }

  /** The answer to a request below `/labeling-queue` or for a nearest picture; undefined when nothing answers it. */
  answer(line: string, query: URLSearchParams, body: Body): unknown {
    const nearest = /^GET \/inspections\/(\w+)\/nearest$/.exec(line);
    if (nearest) return this.nearest.get(nearest[1]);
    if (line === 'GET /labeling-queue') return this.#page(query);
    if (line === 'GET /labeling-queue/stats') return this.#stats();
    if (line === 'GET /labeling-queue/escape-estimate') return { ...this.escapes, bound: Number(query.get('bound')) };
    if (line === 'POST /labeling-queue/undo') return this.#undoOne(body.id as string | undefined);
    if (line === 'POST /labeling-queue/flag') return this.flag(body.inspectionId as string);
    const [, id, action] = /^POST \/labeling-queue\/(\w+)\/(\w+)$/.exec(line) ?? [];
    const item = this.#find(id);
    return item && this.#act(item, action, body);
  }

  #act(item: ReviewItem, action: string, body: Body): unknown {
    const reviewer = (body.reviewer as string | undefined) ?? null;
    const note = (body.note as string | undefined) ?? null;
    if (action === 'unlock') {
      return item.lock?.reviewer === reviewer ? this.#set(item, { lock: null }) : item;
    }
    this.#refuseHeld(item.lock, reviewer);
    switch (action) {
      case 'lock':
        return this.#set(item, {
          lock: { reviewer: reviewer ?? 'anonymous', until: new Date(Date.now() + LOCK_MS).toISOString() },
        });
      case 'label': {
        const { label, boxes, modelMistake } = body as Partial<ReviewItem>;
        return this.decide(item.id, {
          label: label ?? null,
          boxes: boxes ?? null,
          modelMistake: modelMistake ?? false,
          reviewer,
          note,
        });
      }
      case 'approve':
      case 'reject': {
        if (reviewer === item.reviewer)
          throw new MockProblem(403, 'same-person', { id: item.id, reviewer: `${reviewer}` });
        const state = action === 'approve' ? 'approved' : 'rejected';
        const at = new Date().toISOString();
        return this.#set(item, { state, approver: reviewer, approvalNote: note, approvedAt: at });
      }
      case 'skip':
        if (item.state !== 'pending') return undefined;
        this.#undo.push(item);
        return this.#set(item, { state: 'skipped', reviewer, lock: null });
      default:
        return undefined;
    }
  }

  #refuseHeld(lock: ReviewLock | null, reviewer: string | null): void {
    if (lock === null || lock.reviewer === reviewer || Date.parse(lock.until) <= Date.now()) return;
    throw new MockProblem(409, 'locked', { reviewer: lock.reviewer, until: lock.until });
  }

  #page(query: URLSearchParams): object {
    const [state, partType, reason] = ['state', 'partType', 'queueReason'].map((name) => query.get(name));
    const items = this.items.filter(
      (item) =>
        (state === null || item.state === state) &&
        (partType === null || item.partType === partType) &&
        (reason === null || item.queueReasons.includes(reason as QueueReason)),
    );
    if (query.get('order') === 'information') items.sort((a, b) => b.information - a.information);
    const limit = Number(query.get('limit') ?? 50);
    return { items: items.slice(0, limit), nextCursor: items.length > limit ? 'more' : null };
  }

  #stats(): object {
    const count = (state: ReviewState): number => this.items.filter((item) => item.state === state).length;
    const pending = this.items.filter(({ state }) => state === 'pending');
    const reviewers = [...new Set(this.items.flatMap(({ reviewer }) => reviewer ?? []))];
    const [approved, rejected] = [count('approved'), count('rejected')];
    return {
      pending: pending.length,
      labelled: count('labelled'),
      approved,
      rejected,
      skipped: count('skipped'),
      perReason: Object.fromEntries(
        QUEUE_REASONS.map((reason) => [reason, pending.filter((item) => item.queueReasons.includes(reason)).length]),
      ),
      perReviewer: reviewers.map((reviewer) => ({
        reviewer,
        labelled: this.items.filter((item) => item.reviewer === reviewer && item.state === 'labelled').length,
        approved: this.items.filter((item) => item.reviewer === reviewer && item.state === 'approved').length,
        rejected: this.items.filter((item) => item.reviewer === reviewer && item.state === 'rejected').length,
      })),
      agreement: approved + rejected === 0 ? null : approved / (approved + rejected),
      overrideRate: null,
      waitingAudits: pending.filter((item) => item.queueReasons.includes('audit-sample')).length,
      declined: { 'quota-hour': 0, 'quota-day': 0, 'quota-reason': 0, similar: 3 },
    };
  }

  #undoOne(wanted: string | undefined): ReviewItem | undefined {
    const place = this.#undo.findLastIndex((item) => wanted === undefined || item.id === wanted);
    if (place < 0) return undefined;
    const [last] = this.#undo.splice(place, 1);
    if (this.#find(last.id)?.state === 'approved') throw new MockProblem(409, 'approved-already', { id: last.id });
    const at = this.items.findIndex(({ id }) => id === last.id);
    this.items[at] = { ...last, lock: null };
    return this.items[at];
  }

  #find(id: string | undefined): ReviewItem | undefined {
    return this.items.find((item) => item.id === id);
  }

  #set(item: ReviewItem, change: Partial<ReviewItem>): ReviewItem {
    const after = { ...item, ...change };
    this.items[this.items.findIndex(({ id }) => id === item.id)] = after;
    this.changed(after);
    return after;
  }
}
