import { z } from 'zod';
import { json, route } from '../route';
import { classList, name, partTypeList } from '../schemas';

export const partTypeRoutes = [
  route({
    method: 'GET',
    path: '/part-types',
    operation: 'listPartTypes',
    summary: 'Part types with their models, labelled pictures and routing settings',
    tag: 'models',
    success: { status: 200, schema: partTypeList, description: 'The part types, by name' },
    handle: async ({ station }) => {
      const { models, store } = station;
      const [versions, routings, labels, inspected] = await Promise.all([
        models.list(),
        station.allRouting(),
        store.labels.counts(),
        store.inspections.partTypes(),
      ]);
      const partTypes = new Set([
        ...versions.map((version) => version.partType),
        ...routings.map((routing) => routing.partType),
        ...labels.keys(),
        ...inspected,
      ]);
      const describe = async (partType: string) => {
        const inProduction = versions.filter((version) => version.partType === partType && version.deployed);
        const deployed = inProduction.find(({ kind }) => kind === 'patchcore');
        const counts = labels.get(partType);
        return {
          partType,
          deployedModel: deployed?.name ?? null,
          deployedVersion: deployed?.version ?? null,
          models: inProduction.map(({ kind, name, version, classes }) => ({ kind, name, version, classes })),
          okPictures: counts?.ok ?? 0,
          ngPictures: counts?.ng ?? 0,
          boxedPictures: counts?.boxed ?? 0,
          routing: await station.routing(partType),
          modelThresholds: deployed?.thresholds ?? null,
        };
      };
      return json({ items: await Promise.all([...partTypes].sort().map(describe)) });
    },
  }),
  route({
    method: 'GET',
    path: '/part-types/{partType}/classes',
    operation: 'listClasses',
    summary: 'Names for boxes: those the detector in production knows, in its order, then others that people used',
    tag: 'models',
    params: z.object({ partType: name }),
    success: { status: 200, schema: classList, description: 'The names' },
    problems: [409],
    handle: async ({ station, params }) => {
      const [detector, used] = await Promise.all([
        station.models.deployed(params.partType, 'detector'),
        station.store.labels.classes(params.partType),
      ]);
      return json({ items: [...new Set([...(detector?.classes ?? []), ...used])] });
    },
  }),
];
