import {
  type Clock,
  type Inspection,
  InspectionError,
  InvalidInput,
  type Label,
  NotFound,
  type ReasonCode,
  type ReviewItem,
  systemClock,
  TypedEmitter,
  timestamp,
} from '../domain';
import type { Page, ReviewFilter, ReviewStats, Store, UndoTarget } from '../store';

export interface ReviewEvents {
  /** An item was added, decided, skipped or made pending again. */
  readonly changed: ReviewItem;
  /** A person labelled an item. */
  readonly decided: ReviewItem;
}

export interface LabelDecision {
  readonly label: Label;
  /** The name shown with the decision. */
  readonly reviewer?: string | null;
  readonly note?: string | null;
}

/** No decision is left to take back. */
export class NothingToUndo extends InspectionError {
  constructor() {
    super({
      code: 'nothing-to-undo',
      status: 'nothing to undo',
      message: 'There is no decision that could be undone.',
      httpStatus: 409,
    });
  }
}

/** Pictures that wait for a person. All its state is in the store, so that nothing is lost by a restart. */
export class ReviewQueue {
  readonly events = new TypedEmitter<ReviewEvents>();

  constructor(
    private readonly store: Pick<Store, 'reviews'>,
    private readonly clock: Clock = systemClock,
  ) {}

  /**
   * Puts a settled inspection before a person. Adding it again changes nothing.
   *
   * @param reasons why, most telling first; the decision's reasons unless told
   * @throws {InvalidInput} when the inspection has no verdict
   */
  async add(inspection: Inspection, reasons?: readonly ReasonCode[]): Promise<ReviewItem> {
    const { id, partType, serial, decision, findings } = inspection;
    if (!decision) {
      throw new InvalidInput(`Inspection ${id} has no verdict yet. Wire the review queue behind a confidence-router.`, {
        id,
      });
    }
    const { item, added } = await this.store.reviews.add({
      id,
      state: 'pending',
      partType,
      ...(serial === undefined ? {} : { serial }),
      reasons: reasons ?? decision.reasons,
      lineVerdict: decision.verdict,
      findings,
      label: null,
      reviewer: null,
      note: null,
      createdAt: this.now(),
      decidedAt: null,
    });
    if (added) this.events.emit('changed', item);
    return item;
  }

  /** @throws {NotFound} */
  async get(id: string): Promise<ReviewItem> {
    const item = await this.store.reviews.get(id);
    if (!item) throw new NotFound('review item', id);
    return item;
  }

  /** See `ReviewTable.list` for the order. */
  list(filter?: ReviewFilter): Promise<Page<ReviewItem>> {
    return this.store.reviews.list(filter);
  }

  /**
   * Records what a person says about a pending or skipped item.
   *
   * @param actor who did it, for the audit list
   * @throws {NotFound} @throws {AlreadyDecided}
   */
  async label(id: string, decision: LabelDecision, actor: string): Promise<ReviewItem> {
    const { label, reviewer, note } = decision;
    const item = await this.store.reviews.decide(
      id,
      { label, reviewer: textOrNull(reviewer), note: textOrNull(note) },
      actor,
      this.now(),
    );
    this.events.emit('changed', item);
    this.events.emit('decided', item);
    return item;
  }

  /** Puts an item aside; it can still be labelled. @throws {NotFound} @throws {AlreadyDecided} */
  async skip(id: string, reviewer: string | null, actor: string): Promise<ReviewItem> {
    const item = await this.store.reviews.skip(id, textOrNull(reviewer), actor, this.now());
    this.events.emit('changed', item);
    return item;
  }

  /**
   * Makes an item pending again and removes its label.
   *
   * @param actor who did it, for the audit list
   * @throws {NotFound} when there is no such item @throws {NothingToUndo}
   */
  async undo(which: UndoTarget, actor: string): Promise<ReviewItem> {
    const item = await this.store.reviews.undo(which, actor, this.now());
    if (!item) {
      if (which.id !== undefined) await this.get(which.id);
      throw new NothingToUndo();
    }
    this.events.emit('changed', item);
    return item;
  }

  stats(partType?: string): Promise<ReviewStats> {
    return this.store.reviews.stats(partType);
  }

  private now(): string {
    return timestamp(this.clock.now());
  }
}

function textOrNull(text: string | null | undefined): string | null {
  return text?.trim() || null;
}
