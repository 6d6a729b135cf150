import { z } from 'zod';
import { isName } from '../../domain';
import { json, route } from '../route';
import { comparisonRequest, comparisonState, name, shadowAnswer, shadowRequest, shadowRun } from '../schemas';

const params = z.object({ name });

const versions = z
  .string()
  .transform((text) => text.split(','))
  .refine((list) => list.length >= 2 && list.length <= 6 && list.every(isName), 'must be 2 to 6 versions, with commas')
  .meta({
    description: 'With commas between them, for example 3,4; the changed decisions go from the first to the last',
  });

export const comparisonRoutes = [
  route({
    method: 'GET',
    path: '/models/compare',
    operation: 'getModelComparison',
    summary: 'Versions side by side on the labelled pictures: figures, scores, changed decisions',
    tag: 'models',
    query: z.object({ name, versions }),
    success: {
      status: 200,
      schema: comparisonState,
      description: 'What is known; state none: nobody asked for it yet',
    },
    handle: async ({ station, query }) => json(await station.comparisons.state(query.name, query.versions)),
  }),
  route({
    method: 'POST',
    path: '/models/compare',
    operation: 'compareModels',
    summary: 'Compare versions on the pictures that are labelled now; ask for the result with GET',
    tag: 'models',
    body: { kind: 'json', schema: comparisonRequest },
    success: { status: 202, schema: comparisonState, description: 'The comparison is being made' },
    problems: [409],
    handle: async ({ station, body }) => json(await station.comparisons.start(body.name, body.versions), 202),
  }),
  route({
    method: 'GET',
    path: '/models/{name}/shadow',
    operation: 'getShadow',
    summary: 'The candidate that runs beside the version in production, else the last one that did',
    tag: 'models',
    params,
    success: { status: 200, schema: shadowAnswer, description: 'The run; null when there was none' },
    handle: async ({ station, params }) => json({ shadow: await station.shadows.of(params.name) }),
  }),
  route({
    method: 'POST',
    path: '/models/{name}/shadow',
    operation: 'startShadow',
    summary: 'Let a candidate look at the next parts beside the version in production; its decisions count for nothing',
    tag: 'models',
    params,
    body: { kind: 'json', schema: shadowRequest },
    success: { status: 201, schema: shadowRun, description: 'The candidate looks at the next parts' },
    problems: [409],
    handle: async ({ station, params, body, actor }) =>
      json(await station.shadows.start({ name: params.name, ...body }, actor), 201),
  }),
  route({
    method: 'POST',
    path: '/models/{name}/shadow/stop',
    operation: 'stopShadow',
    summary: 'End the run of a candidate; its report stays',
    tag: 'models',
    params,
    body: { kind: 'json', schema: z.strictObject({}), optional: true },
    success: { status: 200, schema: shadowRun, description: 'The run is over' },
    problems: [409],
    handle: async ({ station, params }) => json(await station.shadows.stop(params.name)),
  }),
];
