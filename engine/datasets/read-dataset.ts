import { stat } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { collect, type DatasetEntries, type ReadOptions } from './collect';
import type { Dataset } from './dataset';
import { DatasetUnreadable } from './errors';
import { namesIn } from './files';
import { readClassFolders } from './read-class-folders';
import { cocoFilesIn, cocoFilesLike, readCoco } from './read-coco';
import { isVoc, readVoc } from './read-voc';
import { isDataFile, readYolo } from './read-yolo';

/**
 * Reads a dataset and recognises its format: YOLO (a data file .yaml), COCO (.json), Pascal VOC, a folder of classes; or a
 * folder that holds one of these, of which a `data.yaml` counts before all others. Each picture is read once; faulty pictures and labels are left out and named. Where the
 * dataset keeps nothing for validation and testing, the pictures are dealt by {@link fixedSplit}.
 *
 * @throws {DatasetUnreadable} when it is none of these, or its description cannot be understood
 * @throws the signal's reason when it aborts
 */
export async function readDataset(path: string, options: ReadOptions = {}): Promise<Dataset> {
  return collect(await (await recognise(path)).entries(), options);
}

/**
 * What a dataset holds, by its format alone: neither its pictures nor its labels are looked at.
 *
 * @throws {DatasetUnreadable} when it is of no format known here
 */
export async function datasetKindOf(path: string): Promise<Dataset['kind']> {
  return (await recognise(path)).kind;
}

interface Recognised {
  readonly kind: Dataset['kind'];
  entries(): Promise<DatasetEntries>;
}

async function recognise(path: string): Promise<Recognised> {
  const absolute = resolve(path);
  const found = await stat(absolute).catch((error: NodeJS.ErrnoException) => {
    throw new DatasetUnreadable(path, error.code === 'ENOENT' ? 'it does not exist.' : `${error.message}.`, error);
  });
  return found.isDirectory() ? recogniseFolder(absolute) : recogniseFile(absolute);
}

function withBoxes(entries: Recognised['entries']): Recognised {
  return { kind: 'detection', entries };
}

function recogniseFile(file: string): Recognised {
  const extension = extname(file).toLowerCase();
  if (extension === '.yaml' || extension === '.yml') return withBoxes(() => readYolo(file));
  if (extension === '.json') return withBoxes(async () => readCoco(await cocoFilesLike(file)));
  throw new DatasetUnreadable(file, 'a file is either the data.yaml of a YOLO dataset or the .json of a COCO dataset.');
}

async function recogniseFolder(folder: string): Promise<Recognised> {
  const yamls = (await namesIn(folder)).filter((name) => /\.ya?ml$/i.test(name)).map((name) => join(folder, name));
  // by its name alone: a faulty one is told of, and the folder not taken for something else
  const named = yamls.find((file) => /[\\/]data\.ya?ml$/i.test(file));
  if (named !== undefined) return withBoxes(() => readYolo(named));
  for (const file of yamls) if (await isDataFile(file)) return withBoxes(() => readYolo(file));
  const cocoFiles = await cocoFilesIn(folder);
  if (cocoFiles.length > 0) return withBoxes(() => readCoco(cocoFiles));
  if (await isVoc(folder)) return withBoxes(() => readVoc(folder));
  const classes = await readClassFolders(folder);
  if (classes !== null) return { kind: classes.kind, entries: async () => classes };
  throw new DatasetUnreadable(
    folder,
    'the folder holds neither a data.yaml (YOLO), nor a .json with images and annotations (COCO), nor Annotations/*.xml (Pascal VOC), nor a folder of pictures for each class.',
  );
}
