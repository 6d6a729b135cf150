import { z } from 'zod';
import type { DatasetStats, FolderImportRun, ImportedPicture, SnapshotItem, SnapshotSummary } from '../../domain';
import type { ImportResult } from '../../learning';
import { fault, id, label, labelledBox, name, named, time, url } from './common';
import { className, drawnBox } from './reviews';

const counted = z.object({ ok: z.int(), ng: z.int() });

const split = z.enum(['train', 'val']).meta({ description: 'Learnt, or held out to measure with; by the id alone' });

const deletedAt = time.nullable().meta({ description: 'It can be restored for 30 days; null: it is there' });

export const snapshot = named(
  'Snapshot',
  z.object({
    id,
    partType: z.string(),
    createdAt: time,
    actor: z.string(),
    hash: z.string().meta({ description: 'SHA-256 over pictures, labels and splits' }),
    counts: z.object({
      ...counted.shape,
      boxes: z.int(),
      perClass: z.record(z.string(), z.int()).meta({ description: 'Boxes of each class' }),
      train: z.int(),
      val: z.int(),
    }),
    note: z.string().nullable(),
    deletedAt,
  }) satisfies z.ZodType<SnapshotSummary>,
);

export const snapshotList = named('SnapshotList', z.object({ items: z.array(snapshot) }));

export const snapshotDetail = named(
  'SnapshotDetail',
  z.object({
    ...snapshot.shape,
    items: z.array(
      z.object({
        id,
        source: z.enum(['inspection', 'imported']),
        label,
        boxes: z.array(labelledBox).nullable(),
        class: z.string().optional().meta({ description: 'What the whole picture shows, where no box says it' }),
        split,
        sha256: z.string(),
        size: z.object({ width: z.int(), height: z.int() }),
      }) satisfies z.ZodType<Omit<SnapshotItem, 'picturePath'>>,
    ),
    nextCursor: z.string().nullable(),
  }),
);

export const snapshotRequest = named(
  'SnapshotRequest',
  z.strictObject({ partType: name, note: z.string().max(2000).nullish() }),
);

export const datasetStats = named(
  'DatasetStats',
  z.object({
    partType: z.string(),
    labels: counted,
    perClass: z.array(z.object({ label: z.string(), boxes: z.int(), pictures: z.int() })),
    perMonth: z.array(z.object({ month: z.string().meta({ description: 'yyyy-mm, UTC' }), ...counted.shape })),
    perSource: z.object({ review: z.int(), imported: z.int() }),
    boxes: z.int(),
    split: z.object({ train: z.int(), val: z.int() }),
    unused: z.int().meta({ description: 'Labels that no data set has taken yet' }),
    snapshots: z.int(),
    lastSnapshot: snapshot.nullable(),
  }) satisfies z.ZodType<DatasetStats>,
);

export const importedPicture = named(
  'ImportedPicture',
  z.object({
    id,
    partType: z.string(),
    label,
    boxes: z.array(labelledBox).nullable(),
    class: z.string().nullable().meta({ description: 'What the whole picture shows, for a classifier' }),
    name: z.string().meta({ description: 'What its file was called' }),
    width: z.int(),
    height: z.int(),
    bytes: z.int(),
    sha256: z.string(),
    at: time,
    actor: z.string(),
    usedForTraining: id.nullable().meta({ description: 'The first data set that took it' }),
    deletedAt,
    picture: url,
  }) satisfies z.ZodType<Omit<ImportedPicture, 'picturePath'>>,
);

export const importedPage = named(
  'ImportedPage',
  z.object({ items: z.array(importedPicture), nextCursor: z.string().nullable() }),
);

/** A field of its own each time: the document names what is used twice. */
const ngClass = () =>
  className.optional().meta({
    description: 'What pictures labelled NG show as a whole, for a classifier; boxes say it better where there are any',
  });

const boxesByFile = z.record(z.string(), z.array(drawnBox).max(1000));

export const uploadFields = z.strictObject({
  partType: name,
  label,
  class: ngClass(),
  boxes: z
    .string()
    .transform((text, context): z.infer<typeof boxesByFile> => {
      const result = boxesByFile.safeParse(parsed(text));
      if (result.success) return result.data;
      context.addIssue('is no JSON object with the boxes of each file by its name');
      return z.NEVER;
    })
    .optional()
    .meta({ description: 'JSON: the boxes of each file by its name, as in the review, in pixels of the picture' }),
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const fileName = z.string();
const reason = z.string();

export const uploadResult = named(
  'UploadResult',
  z.object({
    items: z.array(
      z.discriminatedUnion('outcome', [
        z.object({ name: fileName, outcome: z.literal('accepted'), id }),
        z.object({
          name: fileName,
          outcome: z.literal('duplicate'),
          id,
          label,
          contradicts: z.boolean().meta({ description: 'The upload gives it the other label; the one it has stays' }),
          class: z.string().optional().meta({ description: 'The class that the picture there now has, and had not' }),
          reason,
        }),
        z.object({ name: fileName, outcome: z.literal('refused'), reason, error: fault }),
      ]) satisfies z.ZodType<ImportResult>,
    ),
  }),
);

export const importRequest = named(
  'ImportRequest',
  z.strictObject({
    partType: name,
    folder: z.string().min(1).max(1024).meta({
      description:
        "A folder of pictures or a data set (YOLO, COCO, VOC, folders of classes), inside the station's data folder (relative to it) or one of its training folders",
    }),
    label: label.optional().meta({
      description:
        'What the pictures show. A data set may do without: pictures with boxes, or of another class than good or ok, are NG',
    }),
    class: ngClass(),
  }),
);

export const folderImport = named(
  'FolderImport',
  z.object({
    id,
    partType: z.string(),
    folder: z.string(),
    label: label.nullable().meta({ description: 'What all its pictures show; null: the data set says it of each' }),
    actor: z.string(),
    state: z.enum(['running', 'completed', 'failed', 'cancelled']),
    done: z.int().meta({ description: 'Files looked at' }),
    total: z.int().nullable().meta({ description: 'Null until they are counted' }),
    accepted: z.int(),
    duplicates: z.int().meta({ description: 'Labelled already' }),
    contradicting: z
      .int()
      .meta({ description: 'Of the duplicates, those with another label than the import gives; theirs stays' }),
    refused: z.int(),
    refusals: z
      .array(z.object({ name: fileName, reason, error: fault }))
      .meta({ description: 'The first hundred of those refused' }),
    error: fault.nullable().meta({ description: 'Why it failed' }),
    startedAt: time,
    endedAt: time.nullable(),
  }) satisfies z.ZodType<FolderImportRun>,
);

export const folderImportList = named('FolderImportList', z.object({ items: z.array(folderImport) }));
