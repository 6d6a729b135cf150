import {
  type Clock,
  type Inspection,
  InspectionError,
  InvalidInput,
  type Label,
  type LabelledBox,
  NotFound,
  type ReasonCode,
  type ReviewItem,
  systemClock,
  TypedEmitter,
  timestamp,
} from '../domain';
import type { Page, ReviewFilter, ReviewStats, Store, UndoTarget } from '../store';
import { checkBoxes } from './check-boxes';

export interface ReviewEvents {
  /** An item was added, decided, skipped or made pending again. */
  readonly changed: ReviewItem;
  /** A person labelled an item. */
  readonly decided: ReviewItem;
}

export interface LabelDecision {
  readonly label: Label;
  /** What the person drew or confirmed, none of them included; absent or null: nobody looked for boxes. */
  readonly boxes?: readonly LabelledBox[] | null;
  /** The name shown with the decision. */
  readonly reviewer?: string | null;
  readonly note?: string | null;
}

/** A node that tells the flow what people decided. */
export interface DecisionOutlet {
  /** The node's id. */
  readonly node: string;
  /** Whether it tells of this part type. */
  accepts(partType: string): boolean;
  decided(item: ReviewItem): void;
  /** @param label the one taken back */
  undone(item: ReviewItem, label: Label): void;
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
  private readonly outlets = new Set<DecisionOutlet>();

  constructor(
    private readonly store: Pick<Store, 'reviews' | 'inspections'>,
    private readonly clock: Clock = systemClock,
  ) {}

  /**
   * From now on the outlet is told of decisions on items that came through its node, and of those whose node is gone
   * when it is the first to accept their part type. Each decision is told to one outlet at most.
   *
   * @returns a function that removes it
   */
  registerOutlet(outlet: DecisionOutlet): () => void {
    this.outlets.add(outlet);
    return () => this.outlets.delete(outlet);
  }

  /**
   * Puts a settled inspection before a person. Adding it again changes nothing.
   *
   * @param reasons why, most telling first; the decision's reasons unless told
   * @param node    the node it comes through, which is told of the decision
   * @throws {InvalidInput} when the inspection has no verdict
   */
  async add(inspection: Inspection, reasons?: readonly ReasonCode[], node?: string): Promise<ReviewItem> {
    const { id, partType, serial, decision, findings } = inspection;
    if (!decision) {
      throw new InvalidInput(`Inspection ${id} has no verdict yet. Wire the review queue behind a confidence-router.`, {
        id,
      });
    }
    const { item, added } = await this.store.reviews.add({
      id,
      state: 'pending',
      ...(node === undefined ? {} : { node }),
      partType,
      ...(serial === undefined ? {} : { serial }),
      reasons: reasons ?? decision.reasons,
      lineVerdict: decision.verdict,
      findings,
      label: null,
      boxes: null,
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
   * @throws {InvalidInput} when a box leaves the picture or has no usable class
   */
  async label(id: string, decision: LabelDecision, actor: string): Promise<ReviewItem> {
    const { label, reviewer, note } = decision;
    const boxes = decision.boxes && checkBoxes(decision.boxes, await this.pictureOf(id));
    const item = await this.store.reviews.decide(
      id,
      { label, ...(boxes && { boxes }), reviewer: textOrNull(reviewer), note: textOrNull(note) },
      actor,
      this.now(),
    );
    this.events.emit('changed', item);
    this.events.emit('decided', item);
    this.outletOf(item)?.decided(item);
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
    const result = await this.store.reviews.undo(which, actor, this.now());
    if (!result) {
      if (which.id !== undefined) await this.get(which.id);
      throw new NothingToUndo();
    }
    const { undone, ...item } = result;
    this.events.emit('changed', item);
    if (undone !== null) this.outletOf(item)?.undone(item, undone);
    return item;
  }

  stats(partType?: string): Promise<ReviewStats> {
    return this.store.reviews.stats(partType);
  }

  private async pictureOf(id: string): Promise<Inspection['image']> {
    return (await this.store.inspections.get(id))?.image;
  }

  private outletOf({ node, partType }: ReviewItem): DecisionOutlet | undefined {
    const outlets = [...this.outlets];
    const own = outlets.find((outlet) => outlet.node === node);
    if (own) return own.accepts(partType) ? own : undefined;
    return outlets.find((outlet) => outlet.accepts(partType));
  }

  private now(): string {
    return timestamp(this.clock.now());
  }
}

function textOrNull(text: string | null | undefined): string | null {
  return text?.trim() || null;
}
