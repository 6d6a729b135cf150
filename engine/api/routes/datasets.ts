import { z } from 'zod';
import { datasetFiles } from '../../datasets';
import type { ImportedPicture, Snapshot, SnapshotSummary } from '../../domain';
import { defaultPictureLimits, PictureUnreadable } from '../../imaging';
import { checkImportedClass, datasetStats, type IncomingPicture, writableSnapshot } from '../../learning';
import type { FormFile } from '../form-files';
import { zipOfFiles } from '../label-archive';
import { json, route } from '../route';
import {
  datasetStats as datasetStatsSchema,
  folderImport,
  folderImportList,
  id,
  importedPage,
  importedPicture,
  importRequest,
  label,
  name,
  snapshot,
  snapshotDetail,
  snapshotList,
  snapshotRequest,
  uploadFields,
  uploadResult,
} from '../schemas';
import { cursor, limit } from './paging';
import { allowedFolders, insideAllowedFolders } from './training';

const params = z.object({ id });
const nothing = { kind: 'json', schema: z.strictObject({}), optional: true } as const;
const format = z.enum(['yolo', 'coco', 'classes']).default('yolo').meta({
  description:
    'yolo: images, labels and data.yaml; coco: images and a json for each split; classes: a folder for what each picture shows',
});

const snapshotRoutes = [
  route({
    method: 'GET',
    path: '/training/dataset-stats',
    operation: 'getDatasetStats',
    summary: 'What people have labelled of a part type, as a training would take it now',
    tag: 'training',
    query: z.object({ partType: name }),
    success: { status: 200, schema: datasetStatsSchema, description: 'The counts' },
    handle: async ({ station, query }) => json(await datasetStats(station.store, query.partType)),
  }),
  route({
    method: 'GET',
    path: '/training/snapshots',
    operation: 'listSnapshots',
    summary: 'Data sets of labelled pictures, newest first; those deleted in the last 30 days, too',
    tag: 'training',
    query: z.object({ partType: name.optional(), limit }),
    success: { status: 200, schema: snapshotList, description: 'The data sets' },
    handle: async ({ station, query }) => json({ items: await station.snapshots.list(query) }),
  }),
  route({
    method: 'POST',
    path: '/training/snapshots',
    operation: 'takeSnapshot',
    summary: 'Keep what is labelled now as a data set that never changes; trainings from labels do so by themselves',
    tag: 'training',
    body: { kind: 'json', schema: snapshotRequest },
    success: { status: 200, schema: snapshot, description: 'The data set; the last one when nothing has changed' },
    problems: [409],
    handle: async ({ station, body, actor }) =>
      json(summaryOf(await station.snapshots.take(body.partType, actor, body.note))),
  }),
  route({
    method: 'GET',
    path: '/training/snapshots/{id}',
    operation: 'getSnapshot',
    summary: 'A data set and a page of its pictures',
    tag: 'training',
    params,
    query: z.object({ limit, cursor }),
    success: { status: 200, schema: snapshotDetail, description: 'The data set' },
    handle: async ({ station, params, query }) => json(pageOf(await station.snapshots.get(params.id), query)),
  }),
  route({
    method: 'GET',
    path: '/training/snapshots/{id}/export',
    operation: 'exportSnapshot',
    summary: 'A data set with its pictures, to train elsewhere or to keep',
    tag: 'training',
    params,
    query: z.object({ format }),
    success: { status: 200, mediaTypes: ['application/zip'], description: 'A ZIP file' },
    problems: [409, 422],
    handle: async ({ station, params, query }) => {
      const taken = await station.snapshots.get(params.id);
      const detector = await station.models.deployed(taken.partType, 'detector').catch(() => null);
      const dataset = writableSnapshot(station.snapshots, taken, query.format, detector?.classes ?? []);
      const files = datasetFiles(dataset, query.format);
      const file = `${taken.partType}-${taken.id}-${query.format}.zip`;
      return { kind: 'file', type: 'application/zip', name: file, content: () => zipOfFiles(files) };
    },
  }),
  route({
    method: 'DELETE',
    path: '/training/snapshots/{id}',
    operation: 'deleteSnapshot',
    summary: 'Delete a data set; it can be restored for 30 days',
    tag: 'training',
    params,
    success: { status: 200, schema: snapshot, description: 'The data set is deleted' },
    handle: async ({ station, params, actor }) => json(await station.snapshots.remove(params.id, actor)),
  }),
  route({
    method: 'POST',
    path: '/training/snapshots/{id}/restore',
    operation: 'restoreSnapshot',
    summary: 'Take the deletion of a data set back',
    tag: 'training',
    params,
    body: nothing,
    success: { status: 200, schema: snapshot, description: 'The data set is there again' },
    handle: async ({ station, params, actor }) => json(await station.snapshots.restore(params.id, actor)),
  }),
];

const importRoutes = [
  route({
    method: 'POST',
    path: '/training/upload-frames',
    operation: 'uploadFrames',
    summary: 'Import pictures with their label; the text fields of the form stand before its files',
    tag: 'training',
    body: { kind: 'pictures', form: uploadFields },
    success: { status: 200, schema: uploadResult, description: 'What became of each file' },
    handle: async ({ station, body, actor }) => {
      const { boxes = {}, ...order } = body.fields;
      checkImportedClass(order.label, order.class);
      const items = await station.imported.add(incoming(body.files, boxes), { ...order, actor });
      return json({ items });
    },
  }),
  route({
    method: 'POST',
    path: '/training/import-folder',
    operation: 'importFolder',
    summary:
      'Begin to import the pictures of a folder on the station with a label, or a data set with its boxes or classes',
    tag: 'training',
    body: { kind: 'json', schema: importRequest },
    success: { status: 202, schema: folderImport, description: 'The import has begun' },
    problems: [403, 409, 422],
    handle: async ({ station, body, actor }) => {
      const { folder, ...order } = body;
      const path = await insideAllowedFolders(station, folder);
      const { dataFolder } = station.options;
      const within = allowedFolders(station);
      return json(await station.folderImports.start({ ...order, path, actor, within, dataFolder }), 202);
    },
  }),
  route({
    method: 'GET',
    path: '/training/imports',
    operation: 'listFolderImports',
    summary: 'Imports of folders since the station opened, newest first',
    tag: 'training',
    success: { status: 200, schema: folderImportList, description: 'The imports' },
    handle: async ({ station }) => json({ items: station.folderImports.list() }),
  }),
  route({
    method: 'GET',
    path: '/training/imports/{id}',
    operation: 'getFolderImport',
    summary: 'How far an import of a folder has come, or what came of it',
    tag: 'training',
    params,
    success: { status: 200, schema: folderImport, description: 'The import' },
    handle: async ({ station, params }) => json(station.folderImports.get(params.id)),
  }),
  route({
    method: 'POST',
    path: '/training/imports/{id}/cancel',
    operation: 'cancelFolderImport',
    summary: 'End an import of a folder; what was imported stays',
    tag: 'training',
    params,
    body: nothing,
    success: { status: 200, schema: folderImport, description: 'The import is over' },
    handle: async ({ station, params }) => json(await station.folderImports.cancel(params.id)),
  }),
  route({
    method: 'GET',
    path: '/training/imported',
    operation: 'listImportedPictures',
    summary: 'Imported pictures, newest first',
    tag: 'training',
    query: z.object({
      partType: name.optional(),
      label: label.optional(),
      deleted: z.enum(['true', 'false']).optional().meta({ description: 'Only deleted ones, or none of them' }),
      limit,
      cursor,
    }),
    success: { status: 200, schema: importedPage, description: 'One page' },
    handle: async ({ station, query: { deleted, ...filter }, link }) => {
      const wished = deleted === undefined ? {} : { deleted: deleted === 'true' };
      const { items, nextCursor } = await station.imported.list({ ...filter, ...wished });
      return json({ items: items.map((item) => viewOf(item, link)), nextCursor });
    },
  }),
  route({
    method: 'GET',
    path: '/training/imported/{id}/picture',
    operation: 'getImportedPicture',
    summary: 'An imported picture as it was imported, or as JPEG of a given width',
    tag: 'training',
    params,
    query: z.object({ width: z.coerce.number().int().min(16).max(2048).optional() }),
    success: { status: 200, mediaTypes: ['image/jpeg', 'image/png'], description: 'The picture; it never changes' },
    handle: async ({ station, params, query: { width } }) => {
      const { sha256, picturePath } = await station.imported.get(params.id);
      if (width === undefined) {
        const type = picturePath.endsWith('.png') ? 'image/png' : 'image/jpeg';
        return { kind: 'picture', type, etag: `"${sha256}"`, load: () => station.imported.read(params.id) };
      }
      const load = () => station.importedThumbnail(params.id, width);
      return { kind: 'picture', type: 'image/jpeg', etag: `"${sha256}-${width}"`, load };
    },
  }),
  route({
    method: 'DELETE',
    path: '/training/imported/{id}',
    operation: 'deleteImportedPicture',
    summary: 'Delete an imported picture; it can be restored for 30 days, and data sets that have it keep it',
    tag: 'training',
    params,
    success: { status: 200, schema: importedPicture, description: 'The picture is deleted' },
    handle: async ({ station, params, actor, link }) =>
      json(viewOf(await station.imported.remove(params.id, actor), link)),
  }),
  route({
    method: 'POST',
    path: '/training/imported/{id}/restore',
    operation: 'restoreImportedPicture',
    summary: 'Take the deletion of an imported picture back',
    tag: 'training',
    params,
    body: nothing,
    success: { status: 200, schema: importedPicture, description: 'The picture counts again' },
    problems: [409],
    handle: async ({ station, params, actor, link }) =>
      json(viewOf(await station.imported.restore(params.id, actor), link)),
  }),
];

export const datasetRoutes = [...snapshotRoutes, ...importRoutes];

function summaryOf({ items: _items, ...summary }: Snapshot): SnapshotSummary {
  return summary;
}

/** Items go on after the id that the cursor is. */
function pageOf({ items, ...summary }: Snapshot, { limit: most, cursor: after = '' }: Page) {
  const rest = items.filter((item) => item.id > after);
  const shown = rest.slice(0, most).map(({ picturePath: _path, ...item }) => item);
  return { ...summary, items: shown, nextCursor: rest.length > most ? (shown.at(-1)?.id ?? null) : null };
}

interface Page {
  readonly limit: number;
  readonly cursor?: string;
}

function viewOf({ picturePath: _path, ...picture }: ImportedPicture, link: (path: string) => string) {
  return { ...picture, picture: link(`/training/imported/${picture.id}/picture`) };
}

async function* incoming(
  files: AsyncIterable<FormFile>,
  boxes: Readonly<Record<string, IncomingPicture['boxes']>>,
): AsyncGenerator<IncomingPicture> {
  for await (const { name: file, content } of files) {
    const drawn = Object.hasOwn(boxes, file) ? boxes[file] : null;
    yield { name: file, boxes: drawn, picture: async () => content ?? tooLarge() };
  }
}

function tooLarge(): never {
  const { maxBytes } = defaultPictureLimits;
  throw new PictureUnreadable('too-large', { bytes: `more than ${maxBytes}`, limit: maxBytes });
}
