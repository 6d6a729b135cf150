import type { Clock, Inspection, Label, ReasonCode, ReviewItem, TypedEmitter } from '../domain';
import type { Page, ReviewFilter, ReviewStats, Store } from '../store';

export interface ReviewEvents {
  /** An item was added, decided, skipped or made pending again. */
  readonly changed: ReviewItem;
  /** A person labelled an item. */
  readonly decided: ReviewItem;
}

export interface LabelDecision {
  readonly label: Label;
  readonly reviewer?: string | null;
  readonly note?: string | null;
}

/** Pictures that wait for a person. All its state is in the store. */
export declare class ReviewQueue {
  readonly events: TypedEmitter<ReviewEvents>;
  constructor(store: Store, clock?: Clock);
  /**
   * Puts a settled inspection before a person. Adding it again changes nothing.
   * @param reasons why, most telling first; the decision's reasons unless told
   * @throws {InvalidInput} when the inspection has no decision
   */
  add(inspection: Inspection, reasons?: readonly ReasonCode[]): Promise<ReviewItem>;
  /** @throws {NotFound} */
  get(id: string): Promise<ReviewItem>;
  list(filter?: ReviewFilter): Promise<Page<ReviewItem>>;
  /** @throws {NotFound} @throws {AlreadyDecided} */
  label(id: string, decision: LabelDecision): Promise<ReviewItem>;
  /** @throws {NotFound} @throws {AlreadyDecided} */
  skip(id: string, reviewer?: string | null): Promise<ReviewItem>;
  /** Makes the item decided or skipped last (or the named one) pending again. @throws {NothingToUndo} */
  undo(reviewer?: string | null, id?: string): Promise<ReviewItem>;
  stats(partType?: string): Promise<ReviewStats>;
}
