import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import type { Box } from '../domain';
import type { DatasetEntries, PictureEntry, PictureLabels } from './collect';
import { type SkippedPicture, SPLITS, type Split } from './dataset';
import { DatasetUnreadable, LabelFault } from './errors';
import { firstThatIs, idOf, namesIn, resolved, textOf } from './files';

const Annotation = z.object({
  image_id: z.unknown().optional(),
  category_id: z.unknown().optional(),
  bbox: z.unknown().optional(),
  segmentation: z.unknown().optional(),
  iscrowd: z.union([z.number(), z.boolean()]).nullish(),
  ignore: z.union([z.number(), z.boolean()]).nullish(),
});

const CocoFile = z.object({
  images: z.array(
    z.object({
      id: z.union([z.number(), z.string()]),
      file_name: z.string().min(1),
      width: z.number().nullish(),
      height: z.number().nullish(),
    }),
  ),
  annotations: z.array(Annotation).default([]),
  categories: z.array(z.object({ id: z.number(), name: z.string() })).default([]),
});

type CocoFile = z.infer<typeof CocoFile>;

/**
 * The pictures of COCO annotation files; the name of a file or of its folder says the split (`instances_val2017.json`,
 * `valid/_annotations.coco.json`). Classes stand in the order of their ids. Crowds and ignored boxes are kept apart;
 * polygons are reduced to boxes.
 *
 * @throws {DatasetUnreadable}
 */
export async function readCoco(files: readonly string[]): Promise<DatasetEntries> {
  const read = await Promise.all(files.map(async (file) => ({ file, content: await readCocoFile(file) })));
  const categories = new Map<number, string>();
  for (const { file, content } of read) {
    for (const { id, name } of content.categories) {
      if ((categories.get(id) ?? name) !== name) {
        throw new DatasetUnreadable(
          file,
          `category ${id} is called ${JSON.stringify(name)} here and otherwise elsewhere.`,
        );
      }
      categories.set(id, name);
    }
  }
  const names = [...categories].sort(([a], [b]) => a - b);
  const classes = names.map(([, name]) => name);
  const twice = classes.find((name, place) => classes.indexOf(name) !== place);
  if (twice !== undefined) throw new DatasetUnreadable(files[0], `two categories are called ${JSON.stringify(twice)}.`);
  const entries: PictureEntry[] = [];
  const skipped: SkippedPicture[] = [];
  for (const { file, content } of read) {
    const split = splitOfFile(file);
    const annotations = byPicture(content.annotations);
    const known = new Set(content.images.map(({ id }) => String(id)));
    for (const id of annotations.keys()) {
      if (!known.has(id))
        skipped.push({ name: file, reason: `Boxes of picture ${id}, which is not among the images.`, fault: 'label' });
    }
    for (const { id, file_name, width, height } of content.images) {
      const own = annotations.get(String(id)) ?? [];
      entries.push({
        path: await pictureAt(file, file_name),
        id: idOf(file_name),
        split,
        labels: (size) => {
          if ((width ?? size.width) !== size.width || (height ?? size.height) !== size.height) {
            throw new LabelFault(
              file,
              `${file_name} has ${size.width} x ${size.height} pixels, its annotations are for ${width} x ${height}.`,
            );
          }
          return labelsOf(file, file_name, own, categories);
        },
      });
    }
  }
  const hasHoldOut = files.some((file) => ['val', 'test'].includes(splitOfFile(file) ?? ''));
  return { kind: 'detection', format: 'coco', classes, entries, hasHoldOut, skipped };
}

/** The annotation files of a folder: in it, in its `annotations`, or in the folders of its splits. */
export async function cocoFilesIn(folder: string): Promise<string[]> {
  const places = ['', 'annotations', ...SPLITS, 'valid'];
  const files = await Promise.all(
    places.map(async (place) =>
      (await namesIn(join(folder, place)))
        .filter((name) => name.endsWith('.json'))
        .map((name) => join(folder, place, name)),
    ),
  );
  const isCoco = async (file: string) => /"(images|annotations)"\s*:\s*\[/.test((await textOf(file)) ?? '');
  const found: string[] = [];
  for (const file of files.flat()) if (await isCoco(file)) found.push(file);
  return found;
}

/** The file itself, and where its name says a split, those of the other splits beside it. */
export async function cocoFilesLike(file: string): Promise<string[]> {
  const word = SPLIT_WORD.exec(basename(file));
  if (word === null) return [file];
  const pattern = (name: string) => name.replace(SPLIT_WORD, '*');
  const beside = (await namesIn(dirname(file))).filter((name) => pattern(name) === pattern(basename(file)));
  return beside.map((name) => join(dirname(file), name));
}

const SPLIT_WORD = /train|validation|valid|val|test/i;

function splitOfFile(file: string): Split | null {
  const word = SPLIT_WORD.exec(basename(file)) ?? SPLIT_WORD.exec(basename(dirname(file)));
  if (word === null) return null;
  return SPLITS.find((split) => word[0].toLowerCase().startsWith(split)) ?? null;
}

async function readCocoFile(file: string): Promise<CocoFile> {
  const text = await textOf(file);
  if (text === null) throw new DatasetUnreadable(file, 'the file does not exist.');
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new DatasetUnreadable(file, `it is not JSON: ${(error as Error).message}.`, error);
  }
  const result = CocoFile.safeParse(content);
  if (result.success) return result.data;
  const [{ path, message }] = result.error.issues;
  throw new DatasetUnreadable(file, `${path.join('.') || 'the file'}: ${message}.`);
}

function byPicture(annotations: CocoFile['annotations']): Map<string, CocoFile['annotations']> {
  const groups = new Map<string, CocoFile['annotations']>();
  for (const annotation of annotations) {
    const id = String(annotation.image_id);
    const group = groups.get(id);
    if (group) group.push(annotation);
    else groups.set(id, [annotation]);
  }
  return groups;
}

/** File names are relative to a folder that the format does not name. */
function pictureAt(file: string, name: string): Promise<string> {
  const here = dirname(file);
  const split = basename(file, '.json').replace(/^.*_/, '');
  const places = ['', 'images', '..', '../images', `../${split}`, `../images/${split}`, split, `images/${split}`];
  return firstThatIs(places.map((place) => resolved(join(here, place), name)));
}

function labelsOf(
  file: string,
  picture: string,
  annotations: readonly z.infer<typeof Annotation>[],
  categories: ReadonlyMap<number, string>,
): PictureLabels {
  const boxes = annotations.map(({ category_id, bbox, segmentation, iscrowd, ignore }) => {
    const label = categories.get(Number(category_id));
    if (label === undefined) {
      throw new LabelFault(
        file,
        `${picture} has a box of category ${category_id}, which is not among the categories.`,
        'unknown-class',
      );
    }
    const box = boxOf(bbox) ?? polygonsBox(segmentation);
    if (box === null) {
      throw new LabelFault(file, `${picture} has a box that is not four numbers: ${JSON.stringify(bbox) ?? 'none'}.`);
    }
    return { label, box, isIgnored: Boolean(iscrowd) || Boolean(ignore) };
  });
  const plain = (isIgnored: boolean) =>
    boxes.filter((other) => other.isIgnored === isIgnored).map(({ label, box }) => ({ label, box }));
  return { boxes: plain(false), ignored: plain(true) };
}

function boxOf(bbox: unknown): Box | null {
  const isBox = Array.isArray(bbox) && bbox.length === 4 && bbox.every(Number.isFinite);
  return isBox ? { x: bbox[0], y: bbox[1], width: bbox[2], height: bbox[3] } : null;
}

function polygonsBox(segmentation: unknown): Box | null {
  if (!Array.isArray(segmentation)) return null;
  const points = segmentation.flat();
  if (points.length < 6 || points.length % 2 === 1 || !points.every(Number.isFinite)) return null;
  const across = points.filter((_, place) => place % 2 === 0);
  const down = points.filter((_, place) => place % 2 === 1);
  const [x, y] = [Math.min(...across), Math.min(...down)];
  return { x, y, width: Math.max(...across) - x, height: Math.max(...down) - y };
}
