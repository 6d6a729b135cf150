import {
  type Clock,
  type Inspection,
  InspectionError,
  InvalidInput,
  type Label,
  type LabelledBox,
  NotFound,
  type QueueReason,
  type ReasonCode,
  type ReviewItem,
  type ReviewStats,
  systemClock,
  TypedEmitter,
  timestamp,
} from '../domain';
import type { NextReview, Page, ReviewFilter, Span, Store, UndoTarget } from '../store';
import { checkBoxes } from './check-boxes';

/** How long a person may look at an item before others may take it, unless told. */
const LOCK_SECONDS = 120;
export const LONGEST_LOCK_SECONDS = 3600;

export interface ReviewEvents {
  /** An item was added, locked or let go, decided, skipped or made pending again. */
  readonly changed: ReviewItem;
  /** A person labelled an item. */
  readonly decided: ReviewItem;
  /** A second person approved or rejected a label. */
  readonly judged: ReviewItem;
}

/** How an inspection comes into the queue. */
export interface QueueEntry {
  /** The decision's reasons unless told; most telling first. */
  readonly reasons?: readonly ReasonCode[];
  /** Why it comes, most telling first; `audit-sample` or `sent` unless told. */
  readonly queueReasons?: readonly QueueReason[];
  /** How much its label would teach, 0..1; 0 unless told. */
  readonly information?: number;
  /** Id of the item in the queue that it looks like. */
  readonly similarTo?: string | null;
  /** The node it comes through, which is told of the decision. */
  readonly node?: string;
  /** Of who sent it, shown until somebody decides. */
  readonly note?: string | null;
}

export interface LabelDecision {
  readonly label: Label;
  /** What the person drew or confirmed, none of them included; absent or null: nobody looked for boxes. */
  readonly boxes?: readonly LabelledBox[] | null;
  /** The name shown with the decision. */
  readonly reviewer?: string | null;
  readonly note?: string | null;
  /** The model was wrong about the part; false unless told. */
  readonly modelMistake?: boolean;
}

/** The name of the second person, and what that person has to say. */
export interface ApprovalWords {
  readonly reviewer: string;
  readonly note?: string | null;
}

/** A node that tells the flow what people decided. */
export interface DecisionOutlet {
  /** The node's id. */
  readonly node: string;
  /** Whether it tells of this part type. */
  accepts(partType: string): boolean;
  decided(item: ReviewItem): void;
  /** A second person approved or rejected its label. */
  judged?(item: ReviewItem): void;
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
   * @throws {InvalidInput} when the inspection has no verdict, or a value is none
   */
  async add(inspection: Inspection, entry: QueueEntry = {}): Promise<ReviewItem> {
    const { id, partType, serial, decision, findings } = inspection;
    const { node, information = 0 } = entry;
    if (!decision) {
      throw new InvalidInput(`Inspection ${id} has no verdict yet. Wire the review queue behind a confidence-router.`, {
        id,
      });
    }
    if (!(information >= 0 && information <= 1)) {
      throw new InvalidInput(`The information of an item must be a number from 0 to 1, not ${information}.`, { id });
    }
    const reasons = entry.reasons ?? decision.reasons;
    const { item, added } = await this.store.reviews.add({
      id,
      ...(node === undefined ? {} : { node }),
      partType,
      ...(serial === undefined ? {} : { serial }),
      reasons,
      queueReasons: entry.queueReasons ?? [reasons.includes('audit-sample') ? 'audit-sample' : 'sent'],
      information,
      similarTo: entry.similarTo ?? null,
      lineVerdict: decision.verdict,
      findings,
      note: textOrNull(entry.note),
      createdAt: this.now(),
    });
    if (added) this.events.emit('changed', item);
    return item;
  }

  /**
   * Puts further reasons before those of an item that waits; one that was skipped waits again.
   *
   * @param entry its note is shown until somebody decides, instead of the one before
   * @throws {NotFound} @throws {AlreadyDecided}
   */
  async addReasons(
    id: string,
    reasons: readonly QueueReason[],
    { note, information }: Pick<QueueEntry, 'note'> & Required<Pick<QueueEntry, 'information'>>,
  ): Promise<ReviewItem> {
    const item = await this.store.reviews.addReasons(id, reasons, { note: textOrNull(note), information });
    this.events.emit('changed', item);
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
   * Gives a person the first pending item that nobody else has locked, and locks it. Of several who ask at the same time,
   * each gets another one. Asked again, the person gets the same one, unless it is excepted.
   *
   * @returns null when there is none
   * @throws {InvalidInput} without a name
   */
  async next(reviewer: string, which: NextReview = {}): Promise<ReviewItem | null> {
    const item = await this.store.reviews.next(which, nameOf(reviewer), this.lockEnd());
    if (item) this.events.emit('changed', item);
    return item;
  }

  /**
   * Keeps others from deciding an item for a while, or for a further while when this person has locked it already. Who
   * labelled an item gets no lock on it: it waits for a second person.
   *
   * @param seconds 1..3600
   * @throws {NotFound} @throws {Locked} by another person @throws {InvalidInput} without a name
   */
  async lock(id: string, reviewer: string, seconds = LOCK_SECONDS): Promise<ReviewItem> {
    if (!(seconds >= 1 && seconds <= LONGEST_LOCK_SECONDS)) {
      throw new InvalidInput(`An item can be locked for 1 to ${LONGEST_LOCK_SECONDS} seconds, not ${seconds}.`, { id });
    }
    const { item, taken } = await this.store.reviews.lock(id, nameOf(reviewer), this.lockEnd(seconds));
    if (taken) this.events.emit('changed', item);
    return item;
  }

  /** Lets others at an item again; fine when this person has not locked it. @throws {NotFound} */
  async unlock(id: string, reviewer: string): Promise<ReviewItem> {
    const { item, released } = await this.store.reviews.unlock(id, nameOf(reviewer));
    if (released) this.events.emit('changed', item);
    return item;
  }

  /**
   * Records what a person says about an item that is pending or skipped, or whose label was rejected.
   *
   * @param actor who did it, for the audit list
   * @throws {NotFound} @throws {AlreadyDecided} @throws {Locked} by another person
   * @throws {InvalidInput} when a box leaves the picture or has no usable class
   */
  async label(id: string, decision: LabelDecision, actor: string): Promise<ReviewItem> {
    const { label, reviewer, note, modelMistake } = decision;
    const boxes = decision.boxes && checkBoxes(decision.boxes, await this.pictureOf(id));
    const item = await this.store.reviews.decide(
      id,
      { label, ...(boxes && { boxes }), reviewer: textOrNull(reviewer), note: textOrNull(note), modelMistake },
      actor,
      this.now(),
    );
    this.events.emit('changed', item);
    this.events.emit('decided', item);
    this.outletOf(item)?.decided(item);
    return item;
  }

  /**
   * Says as a second person that a label is right: from now on it stays.
   *
   * @param actor who did it, for the audit list
   * @throws {NotFound} @throws {NotLabelled} @throws {SamePerson} @throws {NameNeeded} @throws {Locked} by another person
   * @throws {InvalidInput} without a name
   */
  approve(id: string, approval: ApprovalWords, actor: string): Promise<ReviewItem> {
    return this.judge(id, approval, true, actor);
  }

  /** Says as a second person that a label is wrong: it no longer counts, and the item can be labelled anew. See `approve`. */
  reject(id: string, approval: ApprovalWords, actor: string): Promise<ReviewItem> {
    return this.judge(id, approval, false, actor);
  }

  /**
   * Puts an item aside; it can still be labelled.
   * @throws {NotFound} @throws {AlreadyDecided} @throws {Locked} by another person
   */
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
   * @throws {ApprovedAlready} when a second person has looked at it @throws {UsedAlready} when a data set has its label
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

  /** Counts, of decisions those within the span; see `ReviewTable.stats`. */
  stats(partType?: string, span?: Span): Promise<ReviewStats> {
    return this.store.reviews.stats(partType, span);
  }

  private async judge(id: string, words: ApprovalWords, approved: boolean, actor: string): Promise<ReviewItem> {
    const approval = { approved, reviewer: nameOf(words.reviewer), note: textOrNull(words.note) };
    const item = await this.store.reviews.judge(id, approval, actor, this.now());
    this.events.emit('changed', item);
    this.events.emit('judged', item);
    this.outletOf(item)?.judged?.(item);
    return item;
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

  private lockEnd(seconds = LOCK_SECONDS): string {
    return timestamp(this.clock.now() + seconds * 1000);
  }
}

function textOrNull(text: string | null | undefined): string | null {
  return text?.trim() || null;
}

function nameOf(reviewer: string): string {
  const name = textOrNull(reviewer);
  if (name === null) throw new InvalidInput('Say who you are: the name of the reviewer is missing.');
  return name;
}
