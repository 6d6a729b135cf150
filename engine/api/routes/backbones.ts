import { z } from 'zod';
import { systemClock, timestamp } from '../../domain';
import type { ApiStation } from '../api-station';
import { json, route } from '../route';
import { backbone, backboneList, name } from '../schemas';

const params = z.object({ id: name });
const nothing = { kind: 'json', schema: z.strictObject({}), optional: true } as const;

export const backboneRoutes = [
  route({
    method: 'GET',
    path: '/backbones',
    operation: 'listBackbones',
    summary: 'The networks to train with: the embedded one, and those that can be pulled',
    tag: 'training',
    success: { status: 200, schema: backboneList, description: 'The backbones' },
    handle: async ({ station }) => json({ items: await station.backbones.list() }),
  }),
  route({
    method: 'GET',
    path: '/backbones/{id}',
    operation: 'getBackbone',
    summary: 'One backbone; while it is pulled, how far',
    tag: 'training',
    params,
    success: { status: 200, schema: backbone, description: 'The backbone' },
    handle: async ({ station, params }) => json(await station.backbones.get(params.id)),
  }),
  route({
    method: 'POST',
    path: '/backbones/{id}/pull',
    operation: 'pullBackbone',
    summary: 'Fetch a backbone in the background; goes on where an earlier attempt broke off',
    tag: 'training',
    params,
    body: nothing,
    success: { status: 202, schema: backbone, description: 'It is on its way, or here already' },
    handle: async ({ station, params, actor }) => {
      const state = await station.backbones.pull(params.id);
      await note(station, 'backbone.pull', params.id, actor);
      return json(state, 202);
    },
  }),
  route({
    method: 'POST',
    path: '/backbones/{id}/cancel',
    operation: 'cancelPull',
    summary: 'Stop fetching a backbone; what came is kept for the next time',
    tag: 'training',
    params,
    body: nothing,
    success: { status: 200, schema: backbone, description: 'Nothing of it is fetched any more' },
    problems: [409],
    handle: async ({ station, params, actor }) => {
      const state = await station.backbones.cancel(params.id);
      await note(station, 'backbone.cancel', params.id, actor);
      return json(state);
    },
  }),
];

function note({ store }: ApiStation, action: string, id: string, actor: string): Promise<unknown> {
  return store.audit.add({ at: timestamp(systemClock.now()), actor, action, subject: id, before: null, after: null });
}
