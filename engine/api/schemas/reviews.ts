import { z } from 'zod';
import type { ReviewItem } from '../../domain';
import { BOXES_LIMIT, isClassName } from '../../review';
import { id, label, labelledBox, named, reasonCode, reviewState, time, verdict } from './common';
import { finding, pictureLinks } from './inspections';

const reviewFields = z.object({
  id,
  state: reviewState,
  partType: z.string(),
  serial: z.string().optional(),
  reasons: z.array(reasonCode),
  lineVerdict: verdict,
  findings: z.array(finding),
  label: label.nullable(),
  boxes: z.array(labelledBox).nullable().meta({ description: 'What a person drew or confirmed; null: nobody did' }),
  reviewer: z.string().nullable(),
  note: z.string().nullable(),
  createdAt: time,
  decidedAt: time.nullable(),
}) satisfies z.ZodType<ReviewItem>;

export const reviewItem = named('ReviewItem', z.object({ ...reviewFields.shape, ...pictureLinks }));

export const reviewPage = named(
  'ReviewPage',
  z.object({ items: z.array(reviewItem), nextCursor: z.string().nullable() }),
);

export const reviewStats = named('ReviewStats', z.object({ pending: z.int(), labelled: z.int(), skipped: z.int() }));

const reviewer = z.string().trim().min(1).max(64);

const note = z.string().max(2000);

const drawnBox = z.strictObject({
  label: z.string().refine(isClassName, 'must have 1 to 64 characters, none of control, and no spaces around it'),
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
