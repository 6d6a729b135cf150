import { z } from 'zod';
import { json, route } from '../route';
import {
  modelKind,
  name,
  retrainAnswer,
  retrainConditionsList,
  retrainingHistory,
  retrainRequest,
  retrainStatusList,
} from '../schemas';
import { limit } from './paging';

const partType = name.optional();

export const retrainingRoutes = [
  route({
    method: 'GET',
    path: '/retraining/status',
    operation: 'retrainingStatus',
    summary: 'Whether models would be trained anew now, and why (not), in words',
    tag: 'training',
    query: z.object({ partType }),
    success: { status: 200, schema: retrainStatusList, description: 'One for each model that is retrained' },
    handle: async ({ station, query }) => json({ items: await station.retraining.status(query.partType) }),
  }),
  route({
    method: 'GET',
    path: '/retraining/history',
    operation: 'retrainingHistory',
    summary: 'What was retrained, why, and what came of it; newest first',
    tag: 'training',
    query: z.object({ partType, kind: modelKind.optional(), limit }),
    success: { status: 200, schema: retrainingHistory, description: 'The runs' },
    handle: async ({ station, query }) => json({ items: await station.retraining.history(query) }),
  }),
  route({
    method: 'GET',
    path: '/retraining/conditions',
    operation: 'retrainingConditions',
    summary: 'What starts retrainings, as the retrain-trigger nodes are set',
    tag: 'training',
    query: z.object({ partType }),
    success: { status: 200, schema: retrainConditionsList, description: 'The settings of each model' },
    handle: async ({ station, query }) => {
      const registered = station.retraining.conditions(query.partType);
      return json({ items: registered.map(({ settings, node }) => ({ node, ...settings })) });
    },
  }),
  route({
    method: 'POST',
    path: '/retraining/trigger',
    operation: 'triggerRetraining',
    summary: 'Train a model anew from its labelled pictures, as its retrain-trigger node says',
    tag: 'training',
    body: { kind: 'json', schema: retrainRequest },
    success: { status: 202, schema: retrainAnswer, description: 'The training is queued' },
    problems: [404, 409, 422],
    handle: async ({ station, body, actor }) =>
      json({ run: await station.retraining.trigger({ ...body, actor }) }, 202),
  }),
];
