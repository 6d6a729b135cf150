import { z } from 'zod';
import { isId, NotFound } from '../../domain';
import { readSourceCopy } from '../../patchcore';
import type { ApiStation } from '../api-station';
import { json, route } from '../route';
import { id, name, similarPicture } from '../schemas';

/** Pixels of the columns that a picture of the station is shown with where the version keeps no copy. */
const WIDTH = 512;

export const nearestRoutes = [
  route({
    method: 'GET',
    path: '/inspections/{id}/nearest',
    operation: 'getSimilarPicture',
    summary: 'The OK picture that the model finds most similar to the worst place of the part',
    tag: 'inspections',
    params: z.object({ id }),
    success: { status: 200, schema: similarPicture, description: 'The picture, with both places' },
    problems: [409],
    handle: async ({ station, params, link }) => {
      const { model, distance, place, source } = await station.similarPicture(params.id);
      const { shown, name: learntAs, ...facts } = source;
      const path = shown
        ? `/models/${encodeURIComponent(model.name)}/versions/${encodeURIComponent(model.version)}/pictures/${facts.index}`
        : await ownPicture(station, learntAs);
      return json({
        model,
        distance,
        place,
        source: { ...facts, name: learntAs.split(/[\\/]/).at(-1), pictureUrl: path === null ? null : link(path) },
      });
    },
  }),
  route({
    method: 'GET',
    path: '/models/{name}/versions/{version}/pictures/{index}',
    operation: 'getLearntPicture',
    summary: 'A picture that a version has learnt, as a small JPEG',
    tag: 'models',
    params: z.object({ name, version: name, index: z.coerce.number().int().min(0) }),
    success: { status: 200, mediaTypes: ['image/jpeg'], description: 'The picture; it never changes' },
    problems: [409],
    handle: async ({ station, params }) => {
      const { manifest } = await station.models.describe(params.name, params.version);
      const copy = await readSourceCopy(station.models.folderOf(params.name, params.version), params.index);
      if (copy === null) throw new NotFound('picture of the version', String(params.index));
      const etag = `"${manifest.createdAt}-${params.index}"`;
      return { kind: 'picture', type: 'image/jpeg', etag, load: async () => copy };
    },
  }),
];

/** The picture of the station that was learnt, where it still has it. */
async function ownPicture(station: ApiStation, learntAs: string): Promise<string | null> {
  const record = isId(learntAs) ? await station.store.inspections.get(learntAs) : null;
  return record?.picturePath ? `/inspections/${record.id}/picture?width=${WIDTH}` : null;
}
