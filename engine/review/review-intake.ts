import {
  type AdmissionSettings,
  type Clock,
  DEFAULT_ADMISSION,
  type DeclineCause,
  type DeclinedReview,
  type Inspection,
  InvalidInput,
  NotFound,
  type QueueReason,
  type ReviewItem,
  systemClock,
  TypedEmitter,
  timestamp,
} from '../domain';
import type { Store } from '../store';
import { informationOf } from './information';
import { type EmbeddingSource, Likeness, type PictureLikeness } from './likeness';
import { inOrder, queueReasonsOf } from './queue-reasons';
import type { ReviewQueue } from './review-queue';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** These come in however many look alike: a person asked, or leaving some out would distort the escape estimate. */
const NEVER_TOO_ALIKE: readonly QueueReason[] = ['flagged', 'audit-sample'];

export interface ReviewOffer {
  /** The node it comes through. */
  readonly node: string;
  /** What is absent is as `DEFAULT_ADMISSION` says. */
  readonly settings?: Partial<AdmissionSettings>;
  /** Reasons besides those that the findings give. */
  readonly queueReasons?: readonly QueueReason[];
}

export type Admission =
  | { readonly admitted: true; readonly item: ReviewItem }
  | { readonly admitted: false; readonly cause: DeclineCause };

export interface ReviewIntakeEvents {
  readonly declined: DeclinedReview;
}

/**
 * The door of the review queue: says why a picture comes, what its label would teach, and whether there is room for it.
 * Verdicts are never touched by what happens here.
 */
export class ReviewIntake {
  readonly events = new TypedEmitter<ReviewIntakeEvents>();
  private readonly likeness: Likeness;
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly queue: Pick<ReviewQueue, 'add' | 'addReasons'>,
    private readonly store: Pick<Store, 'reviews' | 'inspections' | 'admissions' | 'embeddings' | 'audit'>,
    private readonly source: EmbeddingSource,
    private readonly clock: Clock = systemClock,
  ) {
    this.likeness = new Likeness(store.embeddings, source);
  }

  /**
   * Puts a settled inspection before a person, if there is room. One that is in the queue already only gets the reasons that
   * are new. Offers are looked at one after the other, so that quotas hold.
   *
   * @throws {InvalidInput} when the inspection has no verdict
   */
  offer(inspection: Inspection, offer: ReviewOffer): Promise<Admission> {
    return this.inTurn(() => this.admit(inspection, offer));
  }

  /**
   * Puts any inspection that has a picture before a person, whatever the quotas. One that is in the queue already is told to
   * have been flagged; when it was skipped, it waits again. Words with it stay until others are given.
   *
   * @param words who asks, and why; shown with the item
   * @param actor who did it, for the audit list
   * @throws {NotFound} @throws {AlreadyDecided} when it has a label
   * @throws {InvalidInput} when it has no verdict or no picture
   */
  flag(
    id: string,
    words: { readonly reviewer?: string | null; readonly note?: string | null },
    actor: string,
  ): Promise<ReviewItem> {
    return this.inTurn(async () => {
      const record = await this.store.inspections.get(id);
      if (record === null) throw new NotFound('inspection', id);
      if (record.picturePath === null) {
        throw new InvalidInput(`Inspection ${id} has no picture (any more) that a person could look at.`, { id });
      }
      const note = [words.reviewer, words.note].filter((text) => text?.trim()).join(': ') || null;
      const present = await this.store.reviews.get(id);
      // who asks without saying why does not take the place of words
      const isMore = words.note?.trim() || present?.note == null;
      const item = present
        ? await this.withReasons(present, record, ['flagged'], isMore ? note : null)
        : await this.enter(record, inOrder(['flagged', ...queueReasonsOf(record, DEFAULT_ADMISSION)]), { note });
      await this.store.audit.add({
        at: timestamp(this.clock.now()),
        actor,
        action: 'review.flag',
        subject: id,
        before: null,
        after: { reviewer: words.reviewer ?? null, note: words.note ?? null },
      });
      return item;
    });
  }

  /** How many pictures were not taken on this day (UTC), by cause. */
  declined(partType?: string): Promise<Readonly<Record<DeclineCause, number>>> {
    return this.store.admissions.declined(this.today(), partType);
  }

  private async admit(
    inspection: Inspection,
    { node, settings: wished, queueReasons = [] }: ReviewOffer,
  ): Promise<Admission> {
    const settings = { ...DEFAULT_ADMISSION, ...wished };
    const present = await this.store.reviews.get(inspection.id);
    if (present) return { admitted: true, item: await this.withNewReasons(present, inspection, queueReasons) };

    const likeness = await this.likeness.of(inspection.id);
    const computed = queueReasonsOf(inspection, settings);
    const reasons = inOrder([...queueReasons, ...computed, ...(likeness?.novel ? (['novel'] as const) : []), 'sent']);
    const isTooAlike =
      settings.similarLimit > 0 &&
      (likeness?.waiting ?? 0) >= settings.similarLimit &&
      !reasons.some((reason) => NEVER_TOO_ALIKE.includes(reason));
    const place = isTooAlike ? { cause: 'similar' as const } : await this.placeFor(node, reasons, settings);
    if (place.cause !== undefined) return this.decline(inspection, node, reasons, place.cause);

    const item = await this.enter(inspection, reasons, { node, likeness });
    await this.store.admissions.add({ id: item.id, node, reason: place.reason, at: this.clock.now() });
    return { admitted: true, item };
  }

  /** Reasons told for an item that waits; what has its label keeps those it came with. */
  private async withNewReasons(
    item: ReviewItem,
    inspection: Inspection,
    reasons: readonly QueueReason[],
  ): Promise<ReviewItem> {
    const added = reasons.filter((reason) => !item.queueReasons.includes(reason));
    const waits = item.state === 'pending' || item.state === 'skipped';
    return added.length > 0 && waits ? this.withReasons(item, inspection, added, null) : item;
  }

  /** What its label would teach is told anew, and never as less: what came since tells of the others, too. */
  private async withReasons(
    { id, queueReasons, information: before }: ReviewItem,
    inspection: Inspection,
    added: readonly QueueReason[],
    note: string | null,
  ): Promise<ReviewItem> {
    const information = informationOf(inspection, [...added, ...queueReasons], await this.likeness.of(id));
    return this.queue.addReasons(id, added, { note, information: Math.max(information, before) });
  }

  private async enter(
    inspection: Inspection,
    queueReasons: readonly QueueReason[],
    entry: { readonly node?: string; readonly note?: string | null; readonly likeness?: PictureLikeness | null },
  ): Promise<ReviewItem> {
    const { node, note, likeness = await this.likeness.of(inspection.id) } = entry;
    const item = await this.queue.add(inspection, {
      ...(node !== undefined && { node }),
      note,
      queueReasons,
      information: informationOf(inspection, queueReasons, likeness),
      similarTo: likeness?.similarTo ?? null,
    });
    const embedding = this.source.of(inspection.id);
    if (embedding) await this.likeness.add({ ...embedding, id: inspection.id });
    return item;
  }

  /** The reason whose quota is used: the most telling one that has room. An audit sample uses that of the audit alone. */
  private async placeFor(
    node: string,
    reasons: readonly QueueReason[],
    { quotaHour, quotaDay, quotaPerReason }: AdmissionSettings,
  ): Promise<{ readonly reason: QueueReason; readonly cause?: undefined } | { readonly cause: DeclineCause }> {
    const { admissions } = this.store;
    const now = this.clock.now();
    const isFull = async (limit: number | null | undefined, span: number, reason?: QueueReason) =>
      limit !== null && limit !== undefined && (await admissions.count(node, now - span + 1, reason)) >= limit;
    if (await isFull(quotaHour, HOUR_MS)) return { cause: 'quota-hour' };
    if (await isFull(quotaDay, DAY_MS)) return { cause: 'quota-day' };
    const candidates = reasons.includes('audit-sample') ? (['audit-sample'] as const) : reasons;
    for (const reason of candidates) {
      if (!(await isFull(quotaPerReason[reason], DAY_MS, reason))) return { reason };
    }
    return { cause: 'quota-reason' };
  }

  private async decline(
    { id, partType }: Inspection,
    node: string,
    queueReasons: readonly QueueReason[],
    cause: DeclineCause,
  ): Promise<Admission> {
    await this.store.admissions.decline({ node, partType, cause }, this.today());
    this.events.emit('declined', { id, partType, node, cause, queueReasons, at: timestamp(this.clock.now()) });
    return { admitted: false, cause };
  }

  private today(): string {
    return timestamp(this.clock.now()).slice(0, 10);
  }

  private inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.last.then(work);
    this.last = result.catch(() => {});
    return result;
  }
}
