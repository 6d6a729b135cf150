import { z } from 'zod';
import { openApiDocument } from '../open-api';
import { json, route } from '../route';
import { counters, health, moment, name } from '../schemas';
import { dayStart, shiftStart } from '../shifts';

export const stationRoutes = [
  route({
    method: 'GET',
    path: '/health',
    operation: 'getHealth',
    summary: 'State of the station, its inference and its inspections',
    tag: 'station',
    success: { status: 200, schema: health, description: 'The state; the status is 200 also when it is degraded' },
    handle: async ({ station }) => json(station.health()),
  }),
  route({
    method: 'GET',
    path: '/openapi.json',
    operation: 'getOpenApi',
    summary: 'This description',
    tag: 'station',
    stationless: true,
    success: { status: 200, mediaTypes: ['application/json'], description: 'OpenAPI 3.1' },
    handle: async ({ routes, link }) => json(openApiDocument(routes, link(''))),
  }),
  route({
    method: 'GET',
    path: '/counters',
    operation: 'getCounters',
    summary: 'Verdicts since the start of the shift, of the day, or since a moment',
    tag: 'station',
    query: z.object({
      since: z
        .union([z.enum(['shift', 'day']), moment])
        .default('shift')
        .meta({ description: 'Shift and day begin in local time' }),
      partType: name.optional(),
    }),
    success: { status: 200, schema: counters, description: 'The counts' },
    handle: async ({ station, query }) => {
      const now = new Date();
      const since =
        query.since === 'shift'
          ? shiftStart(now, station.options.shiftStarts).toISOString()
          : query.since === 'day'
            ? dayStart(now).toISOString()
            : query.since;
      return json(await station.store.inspections.counters(since, query.partType));
    },
  }),
];
