import { z } from 'zod';
import { isId, modelOfName, NotFound } from '../../domain';
import { THUMBNAIL_WIDTH } from '../inspection-view';
import { modelDetails } from '../model-details';
import { json, route } from '../route';
import {
  deployment,
  deploymentList,
  deployRequest,
  modelDetails as modelDetailsSchema,
  modelKind,
  modelList,
  modelOverview,
  modelVersion,
  name,
  notesRequest,
  removedVersion,
  rollbackRequest,
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
    path: '/models/{name}',
    operation: 'getModel',
    summary: 'A model with its versions, what was in production when, and what can be restored',
    tag: 'models',
    params,
    success: { status: 200, schema: modelOverview, description: 'The model' },
    handle: async ({ station, params }) => {
      const { partType, kind } = modelOfName(params.name);
      const [all, history, removed, target] = await Promise.all([
        station.models.list(partType),
        station.models.history(partType, kind),
        station.models.removed(params.name),
        station.models.rollbackTarget(partType, kind),
      ]);
      const versions = all.filter((version) => version.name === params.name);
      if (versions.length + history.length + removed.length === 0) throw new NotFound('model', params.name);
      const deployed = versions.find((version) => version.deployed)?.version ?? null;
      const rollback = target?.version ?? null;
      return json({ name: params.name, partType, kind, deployed, rollback, versions, history, removed });
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
      const described = await station.models.describe(params.name, params.version);
      const gateReport = await station.store.gateReports.get(params);
      const pictureOf = async (picture: string): Promise<string | null> => {
        const record = isId(picture) ? await station.store.inspections.get(picture) : null;
        return record?.picturePath ? link(`/inspections/${record.id}/picture?width=${THUMBNAIL_WIDTH}`) : null;
      };
      return json(await modelDetails(described, gateReport, pictureOf));
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
      json(await station.models.deploy(params.name, body.version, actor, body.reason)),
  }),
  route({
    method: 'POST',
    path: '/models/{name}/rollback',
    operation: 'rollBackModel',
    summary: 'Put the version that was in production before back',
    tag: 'models',
    params,
    body: { kind: 'json', schema: rollbackRequest, optional: true },
    success: { status: 200, schema: deployment, description: 'The earlier version is in production' },
    problems: [409],
    handle: async ({ station, params, body, actor }) => {
      const { partType, kind } = modelOfName(params.name);
      return json(await station.models.rollback(partType, actor, kind, body.reason));
    },
  }),
  route({
    method: 'POST',
    path: '/models/{name}/metadata',
    operation: 'annotateModelVersion',
    summary: 'Note something about a version, in place of what was noted',
    tag: 'models',
    params,
    body: { kind: 'json', schema: notesRequest },
    success: { status: 200, schema: modelVersion, description: 'The version with its notes' },
    problems: [409],
    handle: async ({ station, params, body, actor }) =>
      json(await station.models.setNotes(params.name, body.version, body.notes, actor)),
  }),
  route({
    method: 'DELETE',
    path: '/models/{name}/{version}',
    operation: 'removeModelVersion',
    summary: 'Take a version away; it can be restored for 30 days',
    tag: 'models',
    params: z.object({ name, version: name }),
    success: { status: 200, schema: removedVersion, description: 'The version is away; its number is not given again' },
    problems: [403, 409],
    handle: async ({ station, params, actor }) => json(await station.models.remove(params.name, params.version, actor)),
  }),
  route({
    method: 'POST',
    path: '/models/{name}/{version}/restore',
    operation: 'restoreModelVersion',
    summary: 'Put a version back that was taken away',
    tag: 'models',
    params: z.object({ name, version: name }),
    body: { kind: 'json', schema: z.strictObject({}), optional: true },
    success: { status: 200, schema: modelVersion, description: 'The version is there again' },
    problems: [409],
    handle: async ({ station, params, actor }) =>
      json(await station.models.restore(params.name, params.version, actor)),
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
];
