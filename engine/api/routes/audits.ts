import { z } from 'zod';
import { escapeEstimate, startOfWeek } from '../../review';
import { reviewView } from '../inspection-view';
import { json, route } from '../route';
import { escapes, flagRequest, name, reviewItem } from '../schemas';

export const auditRoutes = [
  route({
    method: 'POST',
    path: '/labeling-queue/flag',
    operation: 'flagInspection',
    summary: 'Put any inspection that has a picture before a person, whatever the quotas',
    tag: 'review',
    body: { kind: 'json', schema: flagRequest },
    success: { status: 200, schema: reviewItem, description: 'The item' },
    problems: [404, 409],
    handle: async ({ station, body: { inspectionId, reviewer, note }, actor, link }) => {
      const item = await station.reviewIntake.flag(inspectionId, { reviewer: reviewer ?? actor, note }, actor);
      return json(reviewView(item, true, link));
    },
  }),
  route({
    method: 'GET',
    path: '/labeling-queue/escape-estimate',
    operation: 'estimateEscapes',
    summary: 'Share of bad parts among those that passed, from the random audit alone, by part type and week',
    tag: 'review',
    query: z.object({
      partType: name.optional(),
      bound: z.coerce
        .number()
        .min(1e-6)
        .max(0.5)
        .default(0.01)
        .meta({ description: 'Wished upper end of the interval' }),
      weeks: z.coerce.number().int().min(1).max(520).default(12).meta({ description: 'This week and those before' }),
    }),
    success: { status: 200, schema: escapes, description: 'The estimate' },
    handle: async ({ station, query: { partType, bound, weeks } }) => {
      const days = await station.store.audited.days({ partType, from: startOfWeek(Date.now(), weeks - 1) });
      return json(escapeEstimate(days, bound));
    },
  }),
];
