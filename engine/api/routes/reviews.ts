import { z } from 'zod';
import type { ReviewItem } from '../../domain';
import type { ApiStation } from '../api-station';
import { reviewView } from '../inspection-view';
import { labelledDataset, zipOf } from '../label-archive';
import { json, route } from '../route';
import {
  approvalRequest,
  id,
  labelRequest,
  lockRequest,
  moment,
  name,
  nextReview,
  queueReason,
  reviewer,
  reviewerRequest,
  reviewItem,
  reviewPage,
  reviewState,
  reviewStats,
  undoRequest,
} from '../schemas';
import { cursor, limit } from './paging';

const params = z.object({ id });
const order = z.enum(['age', 'information']).default('age');
const success = { status: 200, schema: reviewItem, description: 'The item' };

export const reviewRoutes = [
  route({
    method: 'GET',
    path: '/labeling-queue',
    operation: 'listReviewItems',
    summary: 'Pictures that wait for a person, or were decided by one',
    tag: 'review',
    query: z.object({
      state: reviewState.optional(),
      partType: name.optional(),
      queueReason: queueReason.optional(),
      reviewer: reviewer.optional().meta({ description: 'Who labelled or skipped it' }),
      order: order.meta({
        description:
          'age: what waits is oldest first, what is decided newest first; information: what teaches most comes first',
      }),
      limit,
      cursor,
    }),
    success: { status: 200, schema: reviewPage, description: 'One page' },
    handle: async ({ station, query, link }) => {
      const { items, nextCursor } = await station.reviews.list(query);
      const shown = await station.store.inspections.withPicture(items.map((item) => item.id));
      return json({ items: items.map((item) => reviewView(item, shown.has(item.id), link)), nextCursor });
    },
  }),
  route({
    method: 'GET',
    path: '/labeling-queue/next',
    operation: 'nextReviewItem',
    summary: 'The next item for a reviewer, which nobody else gets as long as it is locked',
    tag: 'review',
    query: z.object({
      reviewer: reviewer.optional(),
      partType: name.optional(),
      queueReason: queueReason.optional(),
      order: order.meta({ description: 'age: the oldest first; information: what teaches most comes first' }),
      except: z
        .string()
        .transform((text) => text.split(','))
        .pipe(z.array(id).max(100))
        .optional()
        .meta({ description: 'Items that the reviewer has in hand already: ids with commas between them' }),
    }),
    success: { status: 200, schema: nextReview, description: 'The item, locked; null when nothing waits' },
    handle: async ({ station, query, actor, link }) => {
      const { reviewer = actor, ...which } = query;
      const item = await station.reviews.next(reviewer, which);
      return json({ item: item && (await viewOf(station, item, link)) });
    },
  }),
  route({
    method: 'GET',
    path: '/labeling-queue/stats',
    operation: 'getReviewStats',
    summary: 'How many items there are in each state, why they wait, and how far people agree',
    tag: 'review',
    query: z.object({
      partType: name.optional(),
      from: moment.optional().meta({ description: 'Of decisions, those at this time or later' }),
      to: moment.optional().meta({ description: 'Of decisions, those before this time' }),
    }),
    success: { status: 200, schema: reviewStats, description: 'The counts' },
    handle: async ({ station, query: { partType, from, to } }) =>
      json({
        ...(await station.reviews.stats(partType, { from, to })),
        declined: await station.reviewIntake.declined(partType),
      }),
  }),
  route({
    method: 'GET',
    path: '/labeling-queue/export',
    operation: 'exportLabels',
    summary: 'Labelled pictures with their boxes as a data set, to train elsewhere or to keep',
    tag: 'review',
    query: z.object({
      partType: name,
      format: z.enum(['yolo', 'coco']).default('yolo').meta({
        description: 'yolo: images, labels and data.yaml; coco: images and a json for each split',
      }),
    }),
    success: { status: 200, mediaTypes: ['application/zip'], description: 'A ZIP file' },
    problems: [409],
    handle: async ({ station, query: { partType, format } }) => {
      const detector = await station.models.deployed(partType, 'detector').catch(() => null);
      const dataset = await labelledDataset(station.store, partType, detector?.classes ?? []);
      const content = () => zipOf(dataset, format);
      return { kind: 'file', type: 'application/zip', name: `${partType}-${format}.zip`, content };
    },
  }),
  route({
    method: 'POST',
    path: '/labeling-queue/undo',
    operation: 'undoReview',
    summary: 'Make an item pending again: the named one, or the one decided or skipped last by a reviewer or by anyone',
    tag: 'review',
    body: { kind: 'json', schema: undoRequest, optional: true },
    success,
    problems: [409],
    handle: async ({ station, body, actor, link }) => {
      const which = { id: body.id ?? undefined, reviewer: body.reviewer ?? undefined };
      return json(await viewOf(station, await station.reviews.undo(which, actor), link));
    },
  }),
  route({
    method: 'GET',
    path: '/labeling-queue/{id}',
    operation: 'getReviewItem',
    summary: 'One item',
    tag: 'review',
    params,
    success,
    handle: async ({ station, params, link }) =>
      json(await viewOf(station, await station.reviews.get(params.id), link)),
  }),
  route({
    method: 'POST',
    path: '/labeling-queue/{id}/label',
    operation: 'labelReviewItem',
    summary: 'Decide an item',
    tag: 'review',
    params,
    body: { kind: 'json', schema: labelRequest },
    success,
    problems: [409],
    handle: async ({ station, params, body, actor, link }) => {
      const decision = { ...body, reviewer: body.reviewer ?? actor };
      const item = await station.reviews.label(params.id, decision, actor);
      return json(await viewOf(station, item, link));
    },
  }),
  route({
    method: 'POST',
    path: '/labeling-queue/{id}/skip',
    operation: 'skipReviewItem',
    summary: 'Put an item aside',
    tag: 'review',
    params,
    body: { kind: 'json', schema: reviewerRequest, optional: true },
    success,
    problems: [409],
    handle: async ({ station, params, body, actor, link }) =>
      json(await viewOf(station, await station.reviews.skip(params.id, body.reviewer ?? actor, actor), link)),
  }),
  ...(['approve', 'reject'] as const).map((verb) =>
    route({
      method: 'POST',
      path: `/labeling-queue/{id}/${verb}`,
      operation: `${verb}ReviewItem`,
      summary:
        verb === 'approve' ? 'Say as a second person that a label is right' : 'Say as a second person that it is wrong',
      tag: 'review',
      params,
      body: { kind: 'json', schema: approvalRequest, optional: true },
      success,
      problems: [403, 409],
      handle: async ({ station, params, body, actor, link }) => {
        const approval = { reviewer: body.reviewer ?? actor, note: body.note };
        return json(await viewOf(station, await station.reviews[verb](params.id, approval, actor), link));
      },
    }),
  ),
  route({
    method: 'POST',
    path: '/labeling-queue/{id}/undo',
    operation: 'undoReviewItem',
    summary: 'Make this item pending again, unless its label was approved, rejected or used for training',
    tag: 'review',
    params,
    success,
    problems: [409],
    handle: async ({ station, params, actor, link }) =>
      json(await viewOf(station, await station.reviews.undo({ id: params.id }, actor), link)),
  }),
  route({
    method: 'POST',
    path: '/labeling-queue/{id}/lock',
    operation: 'lockReviewItem',
    summary: 'Keep others from deciding an item for a while, or for a further while',
    tag: 'review',
    params,
    body: { kind: 'json', schema: lockRequest, optional: true },
    success,
    problems: [409],
    handle: async ({ station, params, body, actor, link }) =>
      json(await viewOf(station, await station.reviews.lock(params.id, body.reviewer ?? actor, body.seconds), link)),
  }),
  route({
    method: 'POST',
    path: '/labeling-queue/{id}/unlock',
    operation: 'unlockReviewItem',
    summary: 'Let others at an item again',
    tag: 'review',
    params,
    body: { kind: 'json', schema: reviewerRequest, optional: true },
    success,
    handle: async ({ station, params, body, actor, link }) =>
      json(await viewOf(station, await station.reviews.unlock(params.id, body.reviewer ?? actor), link)),
  }),
];

async function viewOf(station: ApiStation, item: ReviewItem, link: (path: string) => string) {
  const shown = await station.store.inspections.withPicture([item.id]);
  return reviewView(item, shown.has(item.id), link);
}
