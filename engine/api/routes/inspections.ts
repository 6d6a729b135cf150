import { z } from 'zod';
import { type InspectionRecord, NotFound } from '../../domain';
import type { ApiStation } from '../api-station';
import { detailOf, summaryOf } from '../inspection-view';
import { json, route } from '../route';
import { id, inspectionDetail, inspectionPage, moment, name, serial, verdict } from '../schemas';
import { cursor, limit } from './paging';

const params = z.object({ id });

export const inspectionRoutes = [
  route({
    method: 'GET',
    path: '/inspections',
    operation: 'listInspections',
    summary: 'Inspections, newest first',
    tag: 'inspections',
    query: z.object({
      limit,
      cursor,
      partType: name.optional(),
      serial: serial.optional(),
      verdict: verdict.optional(),
      from: moment.optional().meta({ description: 'Captured at this time or later' }),
      to: moment.optional().meta({ description: 'Captured before this time' }),
    }),
    success: { status: 200, schema: inspectionPage, description: 'One page' },
    handle: async ({ station, query, link }) => {
      const { items, nextCursor } = await station.store.inspections.list(query);
      return json({ items: items.map((record) => summaryOf(record, link)), nextCursor });
    },
  }),
  route({
    method: 'GET',
    path: '/inspections/{id}',
    operation: 'getInspection',
    summary: 'One inspection with its findings',
    tag: 'inspections',
    params,
    success: { status: 200, schema: inspectionDetail, description: 'The inspection' },
    handle: async ({ station, params, link }) => json(detailOf(await recordOf(station, params.id), link)),
  }),
  route({
    method: 'GET',
    path: '/inspections/{id}/picture',
    operation: 'getPicture',
    summary: 'The picture as it was taken, or as JPEG of a smaller width',
    tag: 'inspections',
    params,
    query: z.object({ width: z.coerce.number().int().min(16).max(2048).optional() }),
    success: { status: 200, mediaTypes: ['image/jpeg', 'image/png'], description: 'The picture; it never changes' },
    handle: async ({ station, params, query }) => {
      const { picturePath, image } = await recordOf(station, params.id);
      if (picturePath === null || !image) throw new NotFound('picture of inspection', params.id);
      const { width } = query;
      if (width !== undefined) {
        return {
          kind: 'picture',
          type: 'image/jpeg',
          etag: `"${image.sha256}-${width}"`,
          load: () => station.thumbnail(params.id, width),
        };
      }
      return {
        kind: 'picture',
        type: image.format === 'png' ? 'image/png' : 'image/jpeg',
        etag: `"${image.sha256}"`,
        load: () => readWhereverItIs(station, params.id, picturePath),
      };
    },
  }),
  route({
    method: 'GET',
    path: '/inspections/{id}/map',
    operation: 'getMap',
    summary: 'The heat map: 8-bit grey PNG, aligned to the whole picture',
    tag: 'inspections',
    params,
    query: z.object({
      index: z.coerce.number().int().min(0).max(99).default(0).meta({
        description: 'Which of several anomaly analyses, in the order of their findings',
      }),
    }),
    success: { status: 200, mediaTypes: ['image/png'], description: 'The heat map; it never changes' },
    handle: async ({ station, params, query }) => {
      await recordOf(station, params.id);
      const map = await station.store.pictures.readMap(params.id, query.index);
      if (map === null) throw new NotFound('heat map of inspection', params.id);
      return { kind: 'picture', type: 'image/png', etag: `"${params.id}-map-${query.index}"`, load: async () => map };
    },
  }),
];

async function recordOf(station: ApiStation, id: string): Promise<InspectionRecord> {
  const record = await station.store.inspections.get(id);
  if (record === null) throw new NotFound('inspection', id);
  return record;
}

/** Reads a picture, also when it is just being moved into the folder of its verdict. */
async function readWhereverItIs(station: ApiStation, id: string, path: string): Promise<Buffer> {
  try {
    return await station.store.pictures.read(path);
  } catch (error) {
    const moved = await station.store.inspections.get(id);
    if (!moved?.picturePath || moved.picturePath === path) throw error;
    return station.store.pictures.read(moved.picturePath);
  }
}
