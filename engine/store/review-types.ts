import type { Label, LabelledBox, QueueReason, ReviewItem, ReviewState, ReviewStats } from '../domain';
import type { Page, PageRequest } from './paging';

/** By age: what waits is oldest first, what is decided is newest first. By information: what teaches most comes first. */
export type ReviewOrder = 'age' | 'information';

export interface ReviewFilter extends PageRequest {
  readonly state?: ReviewState;
  readonly partType?: string;
  readonly queueReason?: QueueReason;
  /** Who labelled or skipped it. */
  readonly reviewer?: string;
  /** By age unless told. */
  readonly order?: ReviewOrder;
}

/** Which pending item a person gets to see next. */
export interface NextReview extends Pick<ReviewFilter, 'partType' | 'queueReason' | 'order'> {
  /** Items that the person has in hand already, and does not want now. */
  readonly except?: readonly string[];
}

/** What is known of an item when it enters the queue. */
export type NewReviewItem = Pick<
  ReviewItem,
  | 'id'
  | 'node'
  | 'partType'
  | 'serial'
  | 'reasons'
  | 'queueReasons'
  | 'information'
  | 'similarTo'
  | 'lineVerdict'
  | 'findings'
  | 'note'
  | 'createdAt'
>;

/** What changes with the reasons of an item that comes once more. */
export interface Readdition {
  /** Takes the place of what was said when it came, unless null. */
  readonly note: string | null;
  /** How much its label would teach now, 0..1. */
  readonly information: number;
}

export interface ReviewDecision {
  readonly label: Label;
  /** The boxes the person drew or confirmed; none of them when absent. */
  readonly boxes?: readonly LabelledBox[];
  readonly reviewer: string | null;
  readonly note: string | null;
  /** False unless told. */
  readonly modelMistake?: boolean;
}

/** What the second person says about a label. */
export interface Approval {
  readonly approved: boolean;
  readonly reviewer: string;
  readonly note: string | null;
}

/** The item of this id; without it the one decided or skipped last, by this reviewer or by anyone. */
export interface UndoTarget {
  readonly id?: string;
  readonly reviewer?: string;
}

/** An item that is pending again. */
export interface UndoneReview extends ReviewItem {
  /** The label taken back; null when it was skipped. */
  readonly undone: Label | null;
}

/** A span of decisions: from this time or later, before that time; ISO 8601. */
export interface Span {
  readonly from?: string;
  readonly to?: string;
}

export interface ReviewTable {
  /** @returns the stored item and whether it is new; an item that is there already stays as it is */
  add(item: NewReviewItem): Promise<{ readonly item: ReviewItem; readonly added: boolean }>;
  /**
   * Puts further reasons before those of an item; one that was skipped, or whose label was rejected, is pending again.
   * @throws {NotFound} @throws {AlreadyDecided}
   */
  addReasons(id: string, reasons: readonly QueueReason[], readdition: Readdition): Promise<ReviewItem>;
  get(id: string): Promise<ReviewItem | null>;
  /**
   * By age: pending and skipped items oldest first; those of any other state, or of one reviewer, by the time of decision,
   * newest first; all: newest first. By information: the highest first, of equal ones the oldest.
   */
  list(filter?: ReviewFilter): Promise<Page<ReviewItem>>;
  /**
   * Locks the first pending item that no other person has locked.
   * @param until ISO 8601, UTC
   * @returns null when there is none
   */
  next(which: NextReview, reviewer: string, until: string): Promise<ReviewItem | null>;
  /**
   * Locks an item for a person, or renews that person's lock.
   * @returns the item and whether anything but the lock's end has changed
   * @throws {NotFound} @throws {Locked} by another person
   */
  lock(id: string, reviewer: string, until: string): Promise<{ readonly item: ReviewItem; readonly taken: boolean }>;
  /** Ends a person's lock. @returns the item and whether there was one @throws {NotFound} */
  unlock(id: string, reviewer: string): Promise<{ readonly item: ReviewItem; readonly released: boolean }>;
  /**
   * Labels an item that has no label, or one that was rejected; writes the label and the audit entry in one transaction.
   * @param actor who did it, for the audit list; the decision's reviewer is only the name shown
   * @throws {NotFound} @throws {Locked}
   * @throws {AlreadyDecided} when it is labelled (undo first)
   */
  decide(id: string, decision: ReviewDecision, actor: string, at: string): Promise<ReviewItem>;
  /**
   * Approves or rejects a label. A rejected one no longer counts.
   * @throws {NotFound} @throws {Locked}
   * @throws {NotLabelled} when there is no label that waits for approval
   * @throws {SamePerson} when it is the labeller
   */
  judge(id: string, approval: Approval, actor: string, at: string): Promise<ReviewItem>;
  /** Puts an item aside that has no label, or one that was rejected. @throws {NotFound} @throws {Locked} @throws {AlreadyDecided} */
  skip(id: string, reviewer: string | null, actor: string, at: string): Promise<ReviewItem>;
  /**
   * Makes an item pending again and removes its label.
   * @returns null when there is nothing to undo
   * @throws {ApprovedAlready} when a second person has looked at it @throws {UsedAlready} when a snapshot took its label
   */
  undo(which: UndoTarget, actor: string, at: string): Promise<UndoneReview | null>;
  /** @param span counts only what was decided in it; what is pending counts as it is now */
  stats(partType?: string, span?: Span): Promise<ReviewStats>;
}
