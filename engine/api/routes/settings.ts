import { z } from 'zod';
import { json, route } from '../route';
import { auditList, name, routingChange, routingList, routingSettings } from '../schemas';
import { limit } from './paging';

export const settingsRoutes = [
  route({
    method: 'GET',
    path: '/settings/routing',
    operation: 'listRouting',
    summary: 'Thresholds and audit shares in force, of the part types that have settings of their own',
    tag: 'settings',
    success: { status: 200, schema: routingList, description: 'The settings' },
    handle: async ({ station }) => json({ items: await station.allRouting() }),
  }),
  route({
    method: 'PUT',
    path: '/settings/routing/{partType}',
    operation: 'changeRouting',
    summary: 'Change thresholds or audit share of a part type; what is not named stays',
    tag: 'settings',
    params: z.object({ partType: name }),
    body: { kind: 'json', schema: routingChange },
    success: { status: 200, schema: routingSettings, description: 'The settings in force from now on' },
    handle: async ({ station, params, body, actor }) => json(await station.setRouting(params.partType, body, actor)),
  }),
  route({
    method: 'GET',
    path: '/audit',
    operation: 'listAudit',
    summary: 'Who changed what, newest first',
    tag: 'settings',
    query: z.object({
      subject: z.string().min(1).max(128).optional().meta({ description: 'Part type, or id of a job or item' }),
      limit,
    }),
    success: { status: 200, schema: auditList, description: 'The entries' },
    handle: async ({ station, query }) => json({ items: await station.store.audit.list(query) }),
  }),
];
