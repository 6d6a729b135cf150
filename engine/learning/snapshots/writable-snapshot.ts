import { extname } from 'node:path';
import type { WritableDataset, WritableFormat } from '../../datasets';
import { InspectionError, type Snapshot } from '../../domain';
import { boxesToLearn, classToLearn } from '../labelled-dataset';
import type { SnapshotFile, Snapshots } from './snapshots';

/** A snapshot has no picture that a format could take. */
export class NothingInSnapshot extends InspectionError {
  constructor(id: string, format: WritableFormat) {
    super({
      code: 'nothing-in-snapshot',
      status: 'nothing to export',
      message: `Data set ${id} has no picture with boxes and none labelled OK, so that there is nothing to write as ${format}. Export it as classes.`,
      parameters: { id, format },
      httpStatus: 409,
    });
  }
}

/**
 * A snapshot as it is written in a format: as `yolo` and `coco` its pictures with boxes, and those labelled OK as
 * background; as `classes` every picture below what it shows.
 *
 * @param known classes that come first, in their order, so that their numbers stay
 * @throws {NothingInSnapshot}
 */
export function writableSnapshot(
  snapshots: Pick<Snapshots, 'files'>,
  snapshot: Snapshot,
  format: WritableFormat,
  known: readonly string[] = [],
): WritableDataset {
  const files = snapshots.files(snapshot);
  const pictures = format === 'classes' ? files.map(withClass) : files.flatMap(withBoxes);
  if (pictures.length === 0) throw new NothingInSnapshot(snapshot.id, format);
  const used = new Set(
    pictures.flatMap(({ boxes, class: own }) => boxes?.map(({ label }) => label) ?? (own === undefined ? [] : [own])),
  );
  const first = format === 'classes' ? [] : known;
  const classes = [...new Set([...first, ...[...used].sort()])];
  return { kind: format === 'classes' ? 'classification' : 'detection', classes, pictures };
}

type WritablePicture = WritableDataset['pictures'][number];

function withClass(file: SnapshotFile): WritablePicture {
  return { ...placeOf(file), boxes: null, class: classToLearn(file) };
}

function withBoxes(file: SnapshotFile): WritablePicture[] {
  const boxes = boxesToLearn(file);
  return boxes === null ? [] : [{ ...placeOf(file), boxes }];
}

function placeOf({ id, path, split, size }: SnapshotFile) {
  return { id: `${id}${extname(path)}`, path, split, ...size };
}
