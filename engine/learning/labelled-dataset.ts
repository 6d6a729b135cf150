import { basename, join } from 'node:path';
import { collectDataset, type Dataset, type PictureEntry, readDataset } from '../datasets';
import type { LabelledBox } from '../domain';
import { GOOD_CLASS, writeSimulatedDataset } from '../simulator';
import { DatasetUnfit } from './errors';
import type { DatasetSource, LabelledFile, SimulatorSource } from './training-messages';
import { CHANGED, simulatedProduct } from './training-pictures';

/** The class of a picture labelled NG on which nobody named a defect. */
const UNNAMED_DEFECT = 'defect';

/**
 * The pictures of a source with their boxes, or each with its class. Which are held out depends on their ids alone, unless
 * a data set says it.
 *
 * @param workFolder where simulated pictures are drawn
 * @throws {DatasetUnreadable} @throws {DatasetUnfit}
 */
export async function openDataset(source: DatasetSource, kind: Dataset['kind'], workFolder: string): Promise<Dataset> {
  switch (source.kind) {
    case 'dataset': {
      const dataset = await readDataset(source.path, { within: source.within });
      if (dataset.kind !== kind) throw new DatasetUnfit(source.path, kind);
      return dataset;
    }
    case 'labels':
      return withoutChanged(
        await collect(kind, labelEntries(source.pictures, kind), source.pictures.some(isDealt)),
        source.pictures,
      );
    case 'simulator':
      return collect(kind, await simulate(source, kind, join(workFolder, 'pictures')));
  }
}

/**
 * What a person's label says to a detector; null: nothing, so the picture is left out. A good part may have boxes: not all
 * that a detector finds are defects.
 */
export function boxesToLearn({ label, boxes }: Pick<LabelledFile, 'label' | 'boxes'>): readonly LabelledBox[] | null {
  if (boxes !== null && boxes.length > 0) return boxes;
  // a part may be bad without a place to show: such a picture is no background
  return label === 'OK' ? [] : null;
}

/** What a person's label says to a classifier: good, the class of the picture, or the largest defect. */
export function classToLearn(picture: Pick<LabelledFile, 'label' | 'boxes' | 'class'>): string {
  const { label, boxes, class: own } = picture;
  if (label === 'OK') return GOOD_CLASS;
  if (own !== undefined) return own;
  const area = ({ box }: LabelledBox) => box.width * box.height;
  const [largest] = [...(boxes ?? [])].sort((a, b) => area(b) - area(a));
  return largest?.label ?? UNNAMED_DEFECT;
}

interface LabelledEntry {
  readonly entry: PictureEntry;
  readonly classes: readonly string[];
}

function labelEntries(pictures: readonly LabelledFile[], kind: Dataset['kind']): LabelledEntry[] {
  return pictures.flatMap((picture) => {
    const place = { path: picture.path, id: picture.id, split: picture.split ?? null };
    if (kind === 'classification') {
      const label = classToLearn(picture);
      return [{ entry: { ...place, class: label }, classes: [label] }];
    }
    const boxes = boxesToLearn(picture);
    return boxes === null ? [] : [detectionEntry(place, boxes)];
  });
}

/** Leaves out the pictures whose files are not what was labelled. */
function withoutChanged(dataset: Dataset, labelled: readonly LabelledFile[]): Dataset {
  const hashes = new Map(labelled.map(({ path, sha256 }) => [path, sha256]));
  const isChanged = ({ path, sha256 }: Dataset['pictures'][number]) => (hashes.get(path) ?? sha256) !== sha256;
  const changed = dataset.pictures.filter(isChanged);
  if (changed.length === 0) return dataset;
  const told = changed.map(({ path }) => ({ name: path, reason: CHANGED, fault: 'picture' as const }));
  return {
    ...dataset,
    pictures: dataset.pictures.filter((picture) => !isChanged(picture)),
    skipped: [...dataset.skipped, ...told],
  };
}

function isDealt({ split }: LabelledFile): boolean {
  return split !== undefined;
}

async function simulate(source: SimulatorSource, kind: Dataset['kind'], folder: string): Promise<LabelledEntry[]> {
  const { count, seed } = source;
  const drawn = await writeSimulatedDataset(folder, { count, seed, product: simulatedProduct(source.product) });
  return drawn.map(({ id, path, boxes, class: label }) => {
    const place = { path, id, split: null };
    return kind === 'detection'
      ? detectionEntry(place, boxes)
      : { entry: { ...place, class: label }, classes: [label] };
  });
}

function detectionEntry(
  place: Pick<PictureEntry, 'path' | 'id' | 'split'>,
  boxes: readonly LabelledBox[],
): LabelledEntry {
  return { entry: { ...place, labels: () => ({ boxes }) }, classes: boxes.map(({ label }) => label) };
}

function collect(kind: Dataset['kind'], found: readonly LabelledEntry[], hasHoldOut = false): Promise<Dataset> {
  const classes = [...new Set(found.flatMap((one) => one.classes))].sort();
  const format = kind === 'detection' ? 'yolo' : 'classes';
  const entries = found.map(({ entry }) => entry);
  return collectDataset({ kind, format, classes, entries, hasHoldOut }, {});
}

/** Where the pictures of a source come from, for people. */
export function datasetText(source: DatasetSource): string {
  switch (source.kind) {
    case 'dataset':
      return `data set ${basename(source.path)}`;
    case 'labels':
      return 'labelled pictures';
    case 'simulator':
      return `simulator, ${source.product}, seeds ${source.seed} to ${source.seed + source.count - 1}`;
  }
}
