import { stringify } from 'yaml';
import type { LabelledBox } from '../domain';
import { type Dataset, type DatasetPicture, SPLITS } from './dataset';
import { DatasetNotWritable } from './errors';
import { idOf } from './files';
import { labelPathOf, yoloLabelText } from './yolo-labels';

/** What is needed of a dataset to write it. */
export interface WritableDataset extends Pick<Dataset, 'kind' | 'classes'> {
  readonly pictures: readonly Omit<DatasetPicture, 'sha256'>[];
}

export type WritableFormat = 'yolo' | 'coco' | 'classes';

/** A file of a written dataset: a text, a copy of a picture, or an empty folder; places are relative, with forward slashes. */
export type DatasetFile =
  | { readonly place: string; readonly text: string }
  | { readonly place: string; readonly picture: string }
  | { readonly place: string; readonly folder: true };

/**
 * What a dataset is in a format:
 * - YOLO: `data.yaml`, `images/<split>/<id>`, `labels/<split>/<id>.txt`. Boxes keep twelve decimals. The format has no
 *   ignored boxes: they are left out. Of pictures that differ in their extension alone the later one gets another name, for
 *   they would share a label file.
 * - COCO: `images/<id>`, `annotations/instances_<split>.json`. Ignored boxes become crowds.
 * - folders of classes: `<split>/<class>/<file>`.
 *
 * @throws {DatasetNotWritable} for boxes as folders of classes and the other way round, for classes that are not in the list,
 *   and for ids and classes that cannot be names of files; `target` is for the message
 */
export function datasetFiles(dataset: WritableDataset, format: WritableFormat, target = 'files'): DatasetFile[] {
  refuseUnwritable(dataset, format, target);
  if (format === 'yolo') return yoloFiles(dataset);
  return format === 'coco' ? cocoFiles(dataset) : classFolders(dataset);
}

function yoloFiles({ classes, pictures }: WritableDataset): DatasetFile[] {
  const places = Object.fromEntries(SPLITS.map((split) => [split, `images/${split}`]));
  // Without `path` the folders are those beside the data file, for other readers too.
  const data = { ...places, names: new Map(classes.entries()) };
  const taken = new Set<string>();
  return [
    // Quoted, for other readers take `no` and `off` for something else.
    { place: 'data.yaml', text: stringify(data, { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' }) },
    ...SPLITS.map((split) => ({ place: `images/${split}`, folder: true as const })),
    ...pictures.flatMap(({ id, path, split, boxes, width, height }) => {
      let place = `images/${split}/${id}`;
      for (let copy = 2; taken.has(labelPathOf(place)); copy += 1) {
        place = `images/${split}/${id.replace(/(\.[^.]*)?$/, `-${copy}$1`)}`;
      }
      taken.add(labelPathOf(place));
      const text = yoloLabelText(boxes ?? [], classes, { width, height });
      return [
        { place, picture: path },
        { place: labelPathOf(place), text },
      ];
    }),
  ];
}

function cocoFiles({ classes, pictures }: WritableDataset): DatasetFile[] {
  const categories = classes.map((name, place) => ({ id: place + 1, name, supercategory: '' }));
  const annotationsOf = (split: string) => {
    const own = pictures.filter((picture) => picture.split === split);
    const images = own.map(({ id, width, height }, place) => ({ id: place + 1, file_name: id, width, height }));
    const annotations = own
      .flatMap(({ boxes, ignored = [] }, place) => [
        ...(boxes ?? []).map((labelled) => annotationOf(labelled, place + 1, classes, 0)),
        ...ignored.map((labelled) => annotationOf(labelled, place + 1, classes, 1)),
      ])
      .map((annotation, place) => ({ id: place + 1, ...annotation }));
    return `${JSON.stringify({ images, annotations, categories })}\n`;
  };
  return [
    ...pictures.map(({ id, path }) => ({ place: `images/${id}`, picture: path })),
    ...SPLITS.map((split) => ({ place: `annotations/instances_${split}.json`, text: annotationsOf(split) })),
  ];
}

function annotationOf({ label, box }: LabelledBox, picture: number, classes: readonly string[], iscrowd: 0 | 1) {
  return {
    image_id: picture,
    category_id: classes.indexOf(label) + 1,
    bbox: [box.x, box.y, box.width, box.height],
    area: box.width * box.height,
    iscrowd,
  };
}

function classFolders({ classes, pictures }: WritableDataset): DatasetFile[] {
  return [
    ...SPLITS.flatMap((split) => classes.map((label) => ({ place: `${split}/${label}`, folder: true as const }))),
    ...pictures.map(({ id, path, split, class: label }) => ({
      place: `${split}/${id.startsWith(`${label}/`) ? id : `${label}/${id}`}`,
      picture: path,
    })),
  ];
}

function refuseUnwritable({ kind, classes, pictures }: WritableDataset, format: WritableFormat, target: string): void {
  if (format === 'classes' && kind === 'detection') {
    throw new DatasetNotWritable(
      target,
      'its pictures have boxes; folders of classes hold pictures with one class each.',
    );
  }
  if (format !== 'classes' && kind === 'classification') {
    throw new DatasetNotWritable(target, 'its pictures have a class and no boxes; this format is for boxes.');
  }
  const unusable = classes.find((label) => idOf(label) !== label || label.includes('/') || label.startsWith('.'));
  if (format === 'classes' && unusable !== undefined) {
    throw new DatasetNotWritable(target, `the class ${JSON.stringify(unusable)} cannot be a folder's name.`);
  }
  for (const { id, boxes, ignored = [], class: label } of pictures) {
    if (id === '' || idOf(id) !== id) throw new DatasetNotWritable(target, `${JSON.stringify(id)} is no file name.`);
    const labels = kind === 'classification' ? [label ?? ''] : [...(boxes ?? []), ...ignored].map(({ label }) => label);
    const unknown = labels.find((name) => !classes.includes(name));
    if (unknown === undefined) continue;
    throw new DatasetNotWritable(
      target,
      `${id} has the class ${JSON.stringify(unknown)}, which is not among the classes.`,
    );
  }
}
