import { z } from 'zod';
import { isId, modelOfName } from '../../domain';
import { THUMBNAIL_WIDTH } from '../inspection-view';
import { modelDetails } from '../model-details';
import { json, route } from '../route';
import {
  classList,
  deployment,
  deploymentList,
  deployRequest,
  modelDetails as modelDetailsSchema,
  modelKind,
  modelList,
  name,
  partTypeList,
} from '../schemas';

const params = z.object({ name });

export const modelRoutes = [
  route({
    method: 'GET',
    path: '/models/list',
    operation: 'listModels',
    summary: 'Model versions of every kind, newest first',
    tag: 'models',
    query: z.object({ partType: name.optional(), kind: modelKind.optional() }),
    success: { status: 200, schema: modelList, description: 'The versions' },
    handle: async ({ station, query }) => {
      const versions = await station.models.list(query.partType);
      return json({ items: versions.filter(({ kind }) => query.kind === undefined || kind === query.kind) });
    },
  }),
  route({
    method: 'GET',
    path: '/models/{name}/versions/{version}',
    operation: 'getModelVersion',
    summary: 'All a person needs to know of a version: how it was made, from what, and how well it does',
    tag: 'models',
    params: z.object({ name, version: name }),
    success: { status: 200, schema: modelDetailsSchema, description: 'The version' },
    problems: [409],
    handle: async ({ station, params, link }) => {
      const { summary, manifest } = await station.models.describe(params.name, params.version);
      const pictureOf = async (picture: string): Promise<string | null> => {
        const record = isId(picture) ? await station.store.inspections.get(picture) : null;
        return record?.picturePath ? link(`/inspections/${record.id}/picture?width=${THUMBNAIL_WIDTH}`) : null;
      };
      return json(await modelDetails(summary, manifest, pictureOf));
    },
  }),
  route({
    method: 'POST',
    path: '/models/{name}/deploy',
    operation: 'deployModel',
    summary: 'Put a version into production, after its files and golden pictures were checked',
    tag: 'models',
    params,
    body: { kind: 'json', schema: deployRequest },
    success: { status: 200, schema: deployment, description: 'The version is in production' },
    problems: [409],
    handle: async ({ station, params, body, actor }) =>
      json(await station.models.deploy(params.name, body.version, actor)),
  }),
  route({
    method: 'POST',
    path: '/models/{name}/rollback',
    operation: 'rollBackModel',
    summary: 'Put the version that was in production before back',
    tag: 'models',
    params,
    body: { kind: 'json', schema: z.strictObject({}), optional: true },
    success: { status: 200, schema: deployment, description: 'The earlier version is in production' },
    problems: [409],
    handle: async ({ station, params, actor }) => {
      const { partType, kind } = modelOfName(params.name);
      return json(await station.models.rollback(partType, actor, kind));
    },
  }),
  route({
    method: 'GET',
    path: '/models/{name}/history',
    operation: 'getModelHistory',
    summary: 'What was in production when, newest first',
    tag: 'models',
    params,
    success: { status: 200, schema: deploymentList, description: 'The switches' },
    handle: async ({ station, params }) => {
      const { partType, kind } = modelOfName(params.name);
      return json({ items: await station.models.history(partType, kind) });
    },
  }),
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
