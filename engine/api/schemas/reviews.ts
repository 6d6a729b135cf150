import { z } from 'zod';
import {
  DECLINE_CAUSES,
  type DeclineCause,
  QUEUE_REASONS,
  type QueueReason,
  type ReviewItem,
  type ReviewStats,
} from '../../domain';
import { BOXES_LIMIT, isClassName, LONGEST_LOCK_SECONDS } from '../../review';
import { id, label, labelledBox, named, queueReason, reasonCode, reviewState, time, verdict } from './common';
import { finding, pictureLinks } from './inspections';

const reviewFields = z.object({
  id,
  state: reviewState,
  partType: z.string(),
  serial: z.string().optional(),
  reasons: z.array(reasonCode).meta({ description: "Those of the line's verdict, most telling first" }),
  queueReasons: z.array(queueReason).meta({ description: 'Why it is in the queue, most telling first' }),
  information: z.number().min(0).max(1).meta({ description: 'How much its label would teach' }),
  similarTo: id.nullable().meta({ description: 'The item in the queue that it looks like' }),
  lineVerdict: verdict,
  findings: z.array(finding),
  label: label.nullable(),
  boxes: z.array(labelledBox).nullable().meta({ description: 'What a person drew or confirmed; null: nobody did' }),
  modelMistake: z.boolean().meta({ description: 'A person says that the model was wrong' }),
  reviewer: z.string().nullable(),
  note: z.string().nullable(),
  createdAt: time,
  decidedAt: time.nullable(),
  approver: z.string().nullable().meta({ description: 'Who approved or rejected the label' }),
  approvalNote: z.string().nullable(),
  approvedAt: time.nullable(),
  usedForTraining: z.string().nullable().meta({ description: 'The first data set snapshot that took its label' }),
  lock: z
    .object({ reviewer: z.string(), until: time })
    .nullable()
    .meta({ description: 'Who looks at it: until then nobody else may decide it' }),
}) satisfies z.ZodType<ReviewItem>;

export const reviewItem = named('ReviewItem', z.object({ ...reviewFields.shape, ...pictureLinks }));

export const reviewPage = named(
  'ReviewPage',
  z.object({ items: z.array(reviewItem), nextCursor: z.string().nullable() }),
);

export const nextReview = named('NextReview', z.object({ item: reviewItem.nullable() }));

const share = z.number().min(0).max(1).nullable();

export const reviewStats = named(
  'ReviewStats',
  z.object({
    pending: z.int(),
    labelled: z.int(),
    approved: z.int(),
    rejected: z.int(),
    skipped: z.int(),
    perReason: z
      .object(Object.fromEntries(QUEUE_REASONS.map((reason) => [reason, z.int()])) as Record<QueueReason, z.ZodInt>)
      .meta({ description: 'Pending items of each reason; one item may have several' }),
    perReviewer: z
      .array(z.object({ reviewer: z.string(), labelled: z.int(), approved: z.int(), rejected: z.int() }))
      .meta({ description: 'Labels by who gave them, where they stand now' }),
    agreement: share.meta({ description: 'Share of the labels looked at by a second person that were approved' }),
    overrideRate: share.meta({
      description: 'Share of labels that contradict the line, among parts that it passed or rejected',
    }),
    waitingAudits: z.int().meta({ description: 'Passed parts of the random audit that wait for a person' }),
    declined: z
      .object(Object.fromEntries(DECLINE_CAUSES.map((cause) => [cause, z.int()])) as Record<DeclineCause, z.ZodInt>)
      .meta({ description: 'Pictures that the queue did not take today (UTC), by cause' }),
  }),
) satisfies z.ZodType<ReviewStats>;

export const reviewer = z.string().trim().min(1).max(64);

export const note = z.string().max(2000);

export const className = named(
  'ClassName',
  z.string().refine(isClassName, 'must have 1 to 64 characters, none of control, and no spaces around it'),
);

export const drawnBox = z.strictObject({
  label: className,
  box: z.strictObject({ x: z.number(), y: z.number(), width: z.number().gt(0), height: z.number().gt(0) }),
});

export const labelRequest = named(
  'LabelRequest',
  z.strictObject({
    label,
    boxes: z.array(drawnBox).max(BOXES_LIMIT).nullish().meta({
      description:
        'What a detector shall find, in pixels of the original picture, on good parts as well; empty: nothing is there; null: nobody looked',
    }),
    reviewer: reviewer.nullish(),
    note: note.nullish(),
    modelMistake: z.boolean().optional().meta({ description: 'The model was wrong about the part' }),
  }),
);

export const approvalRequest = named(
  'ApprovalRequest',
  z.strictObject({
    reviewer: reviewer.nullish().meta({ description: 'Another person than who labelled it' }),
    note: note.nullish(),
  }),
);

export const lockRequest = named(
  'LockRequest',
  z.strictObject({
    reviewer: reviewer.nullish(),
    seconds: z.number().min(1).max(LONGEST_LOCK_SECONDS).optional().meta({ description: '120 unless told' }),
  }),
);

export const reviewerRequest = named('ReviewerRequest', z.strictObject({ reviewer: reviewer.nullish() }));

export const undoRequest = named(
  'UndoRequest',
  z.strictObject({
    id: id.nullish(),
    reviewer: reviewer.nullish().meta({ description: "Without an id: this reviewer's last decision" }),
  }),
);
