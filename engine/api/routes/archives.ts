import { z } from 'zod';
import { archiveName } from '../../packages';
import { json, route } from '../route';
import { modelVersion, name } from '../schemas';

const MEDIA_TYPE = 'application/octet-stream';

export const archiveRoutes = [
  route({
    method: 'GET',
    path: '/models/{name}/versions/{version}/export',
    operation: 'exportModel',
    summary: 'A version as one file (.opti), to be kept or taken to another station',
    tag: 'models',
    params: z.object({ name, version: name }),
    query: z.object({
      encrypted: z.enum(['true', 'false']).default('false').meta({
        description: "`true`: encrypted with the station's model key",
      }),
    }),
    success: { status: 200, mediaTypes: [MEDIA_TYPE], description: 'The archive' },
    problems: [409],
    handle: async ({ station, params, query }) => {
      const archive = await station.models.archive(params.name, params.version, query.encrypted === 'true');
      return { kind: 'file', type: MEDIA_TYPE, name: archiveName(params), content: () => archive.content() };
    },
  }),
  route({
    method: 'POST',
    path: '/models/import',
    operation: 'importModel',
    summary: 'Take in the archive of a version as the next version of its model; it is not in production yet',
    tag: 'models',
    body: { kind: 'file', mediaTypes: [MEDIA_TYPE] },
    success: { status: 201, schema: modelVersion, description: 'The version is there, with a number of this station' },
    problems: [409, 422],
    handle: async ({ station, body, actor }) => json(await station.models.import(body, actor), 201),
  }),
];
