import { basename, dirname, extname, join, relative } from 'node:path';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { z } from 'zod';
import type { Box } from '../domain';
import { isPictureName } from '../imaging';
import type { DatasetEntries, PictureEntry, PictureLabels } from './collect';
import { type SkippedPicture, SPLITS, type Split } from './dataset';
import { LabelFault } from './errors';
import { byName, idOf, isFolderAt, namesIn, picturesBelow, textOf } from './files';

const Side = z.coerce.number();

const VocFile = z.object({
  annotation: z.object({
    filename: z.string().optional(),
    object: z
      .array(
        z.object({
          name: z.string().min(1),
          difficult: z.string().optional(),
          bndbox: z.object({ xmin: Side, ymin: Side, xmax: Side, ymax: Side }),
        }),
      )
      .default([]),
  }),
});

// Entities could blow up or read files; the five of XML itself are replaced below.
const parser = new XMLParser({
  ignoreAttributes: true,
  processEntities: false,
  parseTagValue: false,
  isArray: (name) => name === 'object',
});

/**
 * The pictures of a Pascal VOC dataset: `Annotations/*.xml`, `JPEGImages` (or XML files beside the pictures) and, where they
 * are, `ImageSets/Main/{train,val,test}.txt`. Pixels count from 1 and both corners belong to the box. Objects marked as
 * difficult are kept apart. Classes are those that occur, by name, for the format does not list them.
 *
 * @see http://host.robots.ox.ac.uk/pascal/VOC/voc2012/devkit_doc.pdf
 */
export async function readVoc(folder: string): Promise<DatasetEntries> {
  const annotations = (await isFolderAt(join(folder, 'Annotations'))) ? join(folder, 'Annotations') : folder;
  const splits = await imageSets(folder);
  const places = ['JPEGImages', 'images', 'Images'].map((name) => join(folder, name));
  const pictures = new Map<string, string>();
  for (const place of [...places, ...(annotations === folder ? [folder] : [])]) {
    if (!(await isFolderAt(place))) continue;
    for (const name of await picturesBelow(place))
      if (!pictures.has(stemOf(name))) pictures.set(stemOf(name), join(place, name));
  }
  const names = (await namesIn(annotations)).filter((name) => extname(name).toLowerCase() === '.xml');
  const classes = new Set<string>();
  const skipped: SkippedPicture[] = [];
  const entries: PictureEntry[] = [];
  for (const name of names) {
    const file = join(annotations, name);
    try {
      const { picture, labels } = parseVoc(file, (await textOf(file)) ?? '');
      for (const { label } of [...labels.boxes, ...(labels.ignored ?? [])]) classes.add(label);
      const stem = basename(name, extname(name));
      const path = pictures.get(stem) ?? pictures.get(stemOf(picture));
      if (path === undefined) {
        skipped.push({ name: file, reason: `There is no picture ${picture || stem} for it.`, fault: 'picture' });
        continue;
      }
      entries.push({
        path,
        id: idOf(relative(rootOf(path, places), path)),
        split: splits?.get(stem) ?? null,
        labels: () => labels,
      });
    } catch (error) {
      if (!(error instanceof LabelFault)) throw error;
      skipped.push({ name: file, reason: error.message, fault: error.fault });
    }
  }
  return {
    kind: 'detection',
    format: 'voc',
    classes: [...classes].sort(byName),
    entries,
    hasHoldOut: splits !== null,
    skipped,
  };
}

export async function isVoc(folder: string): Promise<boolean> {
  const hasXml = async (place: string) => (await namesIn(place)).some((name) => name.toLowerCase().endsWith('.xml'));
  if (await hasXml(join(folder, 'Annotations'))) return true;
  return (await hasXml(folder)) && (await namesIn(folder)).some(isPictureName);
}

function parseVoc(file: string, text: string): { picture: string; labels: PictureLabels } {
  const valid = XMLValidator.validate(text);
  if (valid !== true) throw new LabelFault(file, `It is not XML: ${valid.err.msg}`);
  const result = VocFile.safeParse(parsed(file, text));
  if (!result.success) {
    const [{ path, message }] = result.error.issues;
    throw new LabelFault(file, `${path.join('.')}: ${message}.`);
  }
  const { filename = '', object } = result.data.annotation;
  const boxes = object.map(({ name, difficult, bndbox }) => ({
    label: plainText(name),
    box: boxOf(bndbox),
    isDifficult: difficult === '1',
  }));
  const plain = (isDifficult: boolean) =>
    boxes.filter((other) => other.isDifficult === isDifficult).map(({ label, box }) => ({ label, box }));
  return { picture: plainText(filename), labels: { boxes: plain(false), ignored: plain(true) } };
}

function parsed(file: string, text: string): unknown {
  try {
    return parser.parse(text);
  } catch (error) {
    throw new LabelFault(file, `It is not XML that can be read: ${(error as Error).message}.`);
  }
}

function boxOf({ xmin, ymin, xmax, ymax }: Record<'xmin' | 'ymin' | 'xmax' | 'ymax', number>): Box {
  return { x: xmin - 1, y: ymin - 1, width: xmax - xmin + 1, height: ymax - ymin + 1 };
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

function plainText(text: string): string {
  return text.trim().replaceAll(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => ENTITIES[name]);
}

/** Which picture belongs to which split; null when nothing is said about validation and testing. */
async function imageSets(folder: string): Promise<Map<string, Split> | null> {
  const splits = new Map<string, Split>();
  let hasHoldOut = false;
  for (const split of SPLITS) {
    const text = await textOf(join(folder, 'ImageSets', 'Main', `${split}.txt`));
    if (split !== 'train' && text !== null) hasHoldOut = true;
    for (const line of text?.split(/\r?\n/) ?? []) {
      const [stem] = line.trim().split(/\s+/);
      if (stem !== '' && !splits.has(stem)) splits.set(stem, split);
    }
  }
  return hasHoldOut ? splits : null;
}

function stemOf(path: string): string {
  return basename(path, extname(path));
}

function rootOf(path: string, places: readonly string[]): string {
  return places.find((place) => path.startsWith(`${place}/`) || path.startsWith(`${place}\\`)) ?? dirname(path);
}
