import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { isPictureName } from '../imaging';
import type { DatasetEntries, PictureEntry } from './collect';
import { type SkippedPicture, SPLITS } from './dataset';
import { DatasetUnreadable } from './errors';
import { firstThatIs, idOf, isFileAt, isFolderAt, picturesBelow, resolved, textOf } from './files';
import { labelPathOf, parseYoloLabels } from './yolo-labels';

const Places = z.union([z.string(), z.array(z.string())]).nullish();
const Name = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const DataFile = z.object({
  path: z.string().nullish(),
  train: Places,
  val: Places,
  validation: Places,
  test: Places,
  nc: z.number().int().positive().max(100_000).nullish(),
  names: z
    .union([z.array(Name), z.record(z.string().regex(/^\d+$/, 'the numbers of the names are 0, 1, ...'), Name)])
    .nullish(),
  kpt_shape: z.unknown().optional(),
});

/**
 * The pictures of a YOLO dataset. `path` is taken from the folder of the data file (or is absolute), as are the folders and
 * lists of files in `train`, `val` and `test`; labels stand in the folder `labels` beside `images`. A picture without a
 * label file has nothing to find.
 *
 * @throws {DatasetUnreadable}
 */
export async function readYolo(dataFile: string): Promise<DatasetEntries> {
  const data = await readDataFile(dataFile);
  const names = namesOf(dataFile, data);
  const here = dirname(dataFile);
  const root = await firstThatIs(data.path ? [resolved(here, data.path), here] : [here]);
  const base = (await isFolderAt(root)) ? root : here;
  const format = { names, hasKeyPoints: data.kpt_shape !== undefined && data.kpt_shape !== null };
  const entries: PictureEntry[] = [];
  const skipped: SkippedPicture[] = [];
  for (const split of SPLITS) {
    const places = (split === 'val' ? (data.val ?? data.validation) : data[split]) ?? [];
    for (const place of [places].flat()) {
      const pictures = await picturesAt(base, here, place);
      if (pictures === null) {
        if (split !== 'test')
          skipped.push({ name: place, reason: `There is no such ${split} folder or list.`, fault: 'picture' });
        continue;
      }
      entries.push(...pictures.map(({ path, id }) => ({ path, id, split, labels: labelsOf(path, format) })));
    }
  }
  if (entries.length === 0) {
    const missing = skipped.map(({ name, reason }) => `${name}: ${reason}`);
    throw new DatasetUnreadable(
      dataFile,
      ['it names no pictures.', ...missing, 'Check path, train and val.'].join(' '),
    );
  }
  return {
    kind: 'detection',
    format: 'yolo',
    classes: [...names.values()],
    entries,
    hasHoldOut: !!(data.val ?? data.validation ?? data.test),
    skipped,
  };
}

/** True for a file that reads like the data file of a YOLO dataset. */
export async function isDataFile(file: string): Promise<boolean> {
  const text = (await textOf(file)) ?? '';
  return /^(names|nc)\s*:/m.test(text) && /^(train|val)\s*:/m.test(text);
}

async function readDataFile(file: string): Promise<z.infer<typeof DataFile>> {
  const text = await textOf(file);
  if (text === null) throw new DatasetUnreadable(file, 'the file does not exist.');
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    throw new DatasetUnreadable(file, `it is not YAML: ${(error as Error).message.split('\n')[0]}`, error);
  }
  const result = DataFile.safeParse(content);
  if (result.success) return result.data;
  const [{ path, message }] = result.error.issues;
  throw new DatasetUnreadable(file, `${path.join('.') || 'the file'}: ${message}.`);
}

function namesOf(file: string, { names, nc }: z.infer<typeof DataFile>): Map<number, string> {
  const listed = names ?? Array.from({ length: nc ?? 0 }, (_, place) => `class ${place}`);
  const entries = Object.entries(listed).map(([number, name]): [number, string] => [Number(number), name.trim()]);
  if (entries.length === 0) throw new DatasetUnreadable(file, 'it has no names of classes.');
  const twice = entries.find(([, name], place) => entries.findIndex(([, other]) => other === name) !== place);
  if (twice) throw new DatasetUnreadable(file, `two classes are called ${JSON.stringify(twice[1])}.`);
  return new Map(entries.sort(([a], [b]) => a - b));
}

/** Null when there is neither a folder nor a list. */
async function picturesAt(
  base: string,
  here: string,
  place: string,
): Promise<{ readonly path: string; readonly id: string }[] | null> {
  // Some tools write `../train/images` and mean the folder beside the data file.
  const inside = place.replace(/^(\.\.[\\/])+/, '');
  const at = await firstThatIs([base, here].flatMap((folder) => [resolved(folder, place), resolved(folder, inside)]));
  if (await isFolderAt(at)) return (await picturesBelow(at)).map((id) => ({ path: join(at, id), id }));
  if (!(await isFileAt(at))) return null;
  if (isPictureName(at)) return [{ path: at, id: idOf(place).split('/').at(-1)! }];
  const lines = ((await textOf(at)) ?? '').split(/\r?\n/).map((line) => line.trim());
  return Promise.all(
    lines
      .filter((line) => line !== '')
      .map(async (line) => ({
        path: await firstThatIs([resolved(dirname(at), line), resolved(base, line)]),
        id: idOf(line).replace(/^(?:.*\/)?images\/(?:(?:train|val|test)\/)?/, ''),
      })),
  );
}

function labelsOf(picture: string, format: Parameters<typeof parseYoloLabels>[3]): PictureEntry['labels'] {
  const file = labelPathOf(picture);
  return async (size) => ({ boxes: parseYoloLabels(file, (await textOf(file)) ?? '', size, format) });
}
