import { stringify } from 'yaml';
import type { LabelledBox } from '../domain';
import { type DatasetPicture, SPLITS } from './dataset';
import { DatasetNotWritable } from './errors';
import { idOf } from './files';
import { makeDatasetFolder, type WritableDataset, type WriteOptions } from './write-folder';
import { labelPathOf, yoloLabelText } from './yolo-labels';

type Picture = Omit<DatasetPicture, 'sha256'>;

/**
 * Writes a detection dataset as YOLO: `data.yaml`, `images/<split>/<id>`, `labels/<split>/<id>.txt`. Boxes keep twelve
 * decimals. The format has no ignored boxes: they are left out. Of pictures that differ in their extension alone, the later
 * one gets another name, for they would share a label file.
 *
 * @param folder new or empty
 * @throws {DatasetNotWritable}
 */
export async function writeYolo(dataset: WritableDataset, folder: string, options: WriteOptions = {}): Promise<void> {
  const { classes, pictures } = checked(dataset, folder, 'detection');
  await makeDatasetFolder(folder, options, async (files) => {
    const places = Object.fromEntries(SPLITS.map((split) => [split, `images/${split}`]));
    const data = { path: '.', ...places, names: new Map(classes.entries()) };
    // Quoted, for other readers take `no` and `off` for something else.
    await files.writeText('data.yaml', stringify(data, { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' }));
    for (const split of SPLITS) await files.makeFolder(`images/${split}`);
    const taken = new Set<string>();
    for (const { id, path, split, boxes, width, height } of pictures) {
      let place = `images/${split}/${id}`;
      for (let copy = 2; taken.has(labelPathOf(place)); copy += 1) {
        place = `images/${split}/${id.replace(/(\.[^.]*)?$/, `-${copy}$1`)}`;
      }
      taken.add(labelPathOf(place));
      await files.addPicture(place, path);
      await files.writeText(labelPathOf(place), yoloLabelText(boxes ?? [], classes, { width, height }));
    }
  });
}

/**
 * Writes a detection dataset as COCO: `images/<id>` and `annotations/instances_<split>.json`. Ignored boxes become crowds.
 *
 * @param folder new or empty
 * @throws {DatasetNotWritable}
 */
export async function writeCoco(dataset: WritableDataset, folder: string, options: WriteOptions = {}): Promise<void> {
  const { classes, pictures } = checked(dataset, folder, 'detection');
  const categories = classes.map((name, place) => ({ id: place + 1, name, supercategory: '' }));
  await makeDatasetFolder(folder, options, async (files) => {
    for (const { id, path } of pictures) await files.addPicture(`images/${id}`, path);
    for (const split of SPLITS) {
      const own = pictures.filter((picture) => picture.split === split);
      const images = own.map(({ id, width, height }, place) => ({ id: place + 1, file_name: id, width, height }));
      const annotations = own
        .flatMap(({ boxes, ignored = [] }, place) => [
          ...(boxes ?? []).map((labelled) => annotationOf(labelled, place + 1, classes, 0)),
          ...ignored.map((labelled) => annotationOf(labelled, place + 1, classes, 1)),
        ])
        .map((annotation, place) => ({ id: place + 1, ...annotation }));
      const content = { images, annotations, categories };
      await files.writeText(`annotations/instances_${split}.json`, `${JSON.stringify(content)}\n`);
    }
  });
}

/**
 * Writes a classification dataset as folders: `<split>/<class>/<file>`.
 *
 * @param folder new or empty
 * @throws {DatasetNotWritable}
 */
export async function writeClassFolders(
  dataset: WritableDataset,
  folder: string,
  options: WriteOptions = {},
): Promise<void> {
  const { classes, pictures } = checked(dataset, folder, 'classification');
  const unusable = classes.find((label) => idOf(label) !== label || label.includes('/') || label.startsWith('.'));
  if (unusable !== undefined) {
    throw new DatasetNotWritable(folder, `the class ${JSON.stringify(unusable)} cannot be a folder's name.`);
  }
  await makeDatasetFolder(folder, options, async (files) => {
    for (const split of SPLITS) for (const label of classes) await files.makeFolder(`${split}/${label}`);
    for (const { id, path, split, class: label } of pictures) {
      await files.addPicture(`${split}/${id.startsWith(`${label}/`) ? id : `${label}/${id}`}`, path);
    }
  });
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

function checked(
  dataset: WritableDataset,
  folder: string,
  kind: WritableDataset['kind'],
): { readonly classes: readonly string[]; readonly pictures: readonly Picture[] } {
  const { classes, pictures } = dataset;
  if (dataset.kind !== kind) {
    throw new DatasetNotWritable(
      folder,
      kind === 'detection'
        ? 'its pictures have a class and no boxes; this format is for boxes.'
        : 'its pictures have boxes; folders of classes hold pictures with one class each.',
    );
  }
  for (const { id, boxes, ignored = [], class: label } of pictures) {
    if (id === '' || idOf(id) !== id) throw new DatasetNotWritable(folder, `${JSON.stringify(id)} is no file name.`);
    const labels = kind === 'classification' ? [label ?? ''] : [...(boxes ?? []), ...ignored].map(({ label }) => label);
    const unknown = labels.find((name) => !classes.includes(name));
    if (unknown !== undefined) {
      throw new DatasetNotWritable(
        folder,
        `${id} has the class ${JSON.stringify(unknown)}, which is not among the classes.`,
      );
    }
  }
  return { classes, pictures };
}
