import { join } from 'node:path';
import { isPictureName } from '../imaging';
import type { DatasetEntries, PictureEntry } from './collect';
import type { SkippedPicture, Split } from './dataset';
import { byName, namesIn, picturesBelow, subfolders } from './files';

const SPLIT_FOLDERS: Readonly<Record<string, Split>> = {
  train: 'train',
  val: 'val',
  valid: 'val',
  validation: 'val',
  test: 'test',
};

/**
 * The pictures of a folder of classes: `<class>/*.jpg`, or the same in `train`, `val` and `test`. An empty folder is a class
 * without examples. Pictures beside the folders of the classes are left out and named.
 *
 * @returns null when there is no folder with pictures
 */
export async function readClassFolders(folder: string): Promise<DatasetEntries | null> {
  const below = await subfolders(folder);
  const splits = below.filter((name) => Object.hasOwn(SPLIT_FOLDERS, name.toLowerCase()));
  const withClasses = await Promise.all(splits.map((name) => subfolders(join(folder, name))));
  const hasSplits = withClasses.some((names) => names.length > 0);
  const hasHoldOut = hasSplits && splits.some((name) => SPLIT_FOLDERS[name.toLowerCase()] !== 'train');
  const places = hasSplits
    ? splits.map((name) => ({ place: join(folder, name), split: SPLIT_FOLDERS[name.toLowerCase()] }))
    : [{ place: folder, split: null }];
  const classes = new Set<string>();
  const entries: PictureEntry[] = [];
  for (const { place, split } of places) {
    for (const label of await subfolders(place)) {
      classes.add(label);
      const pictures = await picturesBelow(join(place, label));
      entries.push(
        ...pictures.map((name) => ({ path: join(place, label, name), id: `${label}/${name}`, split, class: label })),
      );
    }
  }
  if (entries.length === 0) return null;
  const skipped = (
    await Promise.all([...new Set([folder, ...places.map(({ place }) => place)])].map(withoutClass))
  ).flat();
  return {
    kind: 'classification',
    format: 'classes',
    classes: [...classes].sort(byName),
    entries,
    hasHoldOut,
    skipped,
  };
}

async function withoutClass(folder: string): Promise<SkippedPicture[]> {
  const names = (await namesIn(folder)).filter((name) => !name.startsWith('.') && isPictureName(name));
  const reason = 'The picture lies beside the folders of the classes, in none of them.';
  return names.map((name) => ({ name: join(folder, name), reason, fault: 'no-class' }));
}
