import { extname } from 'node:path';
import type { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import { type DatasetFile, datasetFiles, fixedSplit, type WritableDataset } from '../datasets';
import { InspectionError } from '../domain';
import { boxesToLearn } from '../learning';
import type { Store } from '../store';

export type LabelFormat = 'yolo' | 'coco';

/** Nobody has labelled a picture so that a detector could learn from it. */
export class NothingToExport extends InspectionError {
  constructor(partType: string) {
    super({
      code: 'nothing-to-export',
      status: 'nothing to export',
      message: `Part type ${partType} has no labelled picture that a detector could learn from. Draw boxes in the review, or label pictures OK.`,
      parameters: { partType },
      httpStatus: 409,
    });
  }
}

/**
 * The labelled pictures of a part type as a data set for detectors: those with boxes, and those labelled OK as background.
 * Which are for validation depends on their ids alone, as in trainings here.
 *
 * @param known classes that come first, in their order, so that their numbers stay
 * @throws {NothingToExport}
 */
export async function labelledDataset(
  store: Pick<Store, 'labels' | 'pictures'>,
  partType: string,
  known: readonly string[],
): Promise<WritableDataset> {
  const [pictures, used] = await Promise.all([store.labels.labelled(partType), store.labels.classes(partType)]);
  const learnt = pictures.flatMap((picture) => {
    const boxes = boxesToLearn(picture);
    if (boxes === null || picture.size === null) return [];
    const { id, picturePath, size } = picture;
    const path = store.pictures.absolute(picturePath);
    return [{ id: `${id}${extname(picturePath)}`, path, split: fixedSplit(id), ...size, boxes }];
  });
  if (learnt.length === 0) throw new NothingToExport(partType);
  return { kind: 'detection', classes: [...new Set([...known, ...used])], pictures: learnt };
}

/** A data set as a ZIP file, made while it is read; pictures are stored as they are. */
export function zipOf(dataset: WritableDataset, format: LabelFormat): AsyncIterable<Uint8Array> {
  return zipOfFiles(datasetFiles(dataset, format));
}

/** The same of its files. */
export function zipOfFiles(files: readonly DatasetFile[]): AsyncIterable<Uint8Array> {
  const zip = new ZipFile();
  for (const file of files) {
    if ('text' in file) zip.addBuffer(Buffer.from(file.text), file.place);
    else if ('picture' in file) zip.addFile(file.picture, file.place, { compress: false });
    else zip.addEmptyDirectory(file.place);
  }
  zip.end();
  const content = zip.outputStream as Readable;
  zip.on('error', (error) => content.destroy(error as Error));
  return content;
}
