import { readFile } from 'node:fs/promises';
import { type Dataset, type DatasetPicture, type SkippedPicture, SPLITS, type Split } from './dataset';
import { type Likeness, likenessOf, samePictures } from './likeness';

export type DatasetProblemCode =
  | 'broken-picture'
  | 'broken-label'
  | 'unknown-class'
  | 'box-outside'
  | 'box-empty'
  | 'box-tiny'
  | 'box-repeated'
  | 'class-without-examples'
  | 'class-missing-in-split'
  | 'no-labels'
  | 'no-class'
  | 'empty-split'
  | 'duplicate'
  | 'leak';

export interface DatasetProblem {
  readonly code: DatasetProblemCode;
  /** Errors make a training or its figures wrong; warnings are worth a look. */
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** Ids of the pictures; of those that cannot be used, their paths or those of their label files. */
  readonly pictures: readonly string[];
}

export interface DatasetReport extends Pick<Dataset, 'kind' | 'format' | 'sha256'> {
  /** Pictures that can be used, and those left out. */
  readonly pictures: Readonly<Record<Split | 'skipped', number>>;
  /** Boxes of each class, or pictures in a classification dataset. */
  readonly classes: readonly ({ readonly label: string } & Readonly<Record<Split, number>>)[];
  readonly problems: readonly DatasetProblem[];
  readonly errors: number;
  readonly warnings: number;
}

export interface CheckOptions {
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Pixels that the shorter side of a box needs, so that a detector can learn from it. */
const LEAST_SIDE = 3;
/** Pictures that a message names. */
const LISTED = 5;

/**
 * Looks for what spoils a training or its figures: pictures that cannot be decoded, labels that cannot be used, boxes outside
 * the picture or too small, classes without examples, pictures that are there twice (also saved anew, scaled or brightened)
 * and such that stand in more than one split. Decodes every picture.
 */
export async function checkDataset(
  dataset: Dataset,
  { onProgress, signal }: CheckOptions = {},
): Promise<DatasetReport> {
  const { kind, format, sha256, skipped } = dataset;
  const broken: SkippedPicture[] = [];
  const likenesses: (Likeness | null)[] = [];
  for (const [index, picture] of dataset.pictures.entries()) {
    signal?.throwIfAborted();
    try {
      likenesses.push(await likenessOf(await readFile(picture.path), picture));
    } catch (error) {
      likenesses.push(null);
      broken.push({ name: picture.path, reason: (error as Error).message, fault: 'picture' });
    }
    onProgress?.(index + 1, dataset.pictures.length);
  }
  const counts = countsOf(dataset);
  const problems = [
    ...unusable([...broken, ...skipped]),
    ...boxProblems(dataset),
    ...countProblems(dataset, counts),
    ...copyProblems(dataset, samePictures(likenesses)),
  ];
  const inSplit = (split: Split) => dataset.pictures.filter((picture) => picture.split === split).length;
  return {
    kind,
    format,
    sha256,
    pictures: { train: inSplit('train'), val: inSplit('val'), test: inSplit('test'), skipped: skipped.length },
    classes: counts,
    problems,
    errors: problems.filter(({ severity }) => severity === 'error').length,
    warnings: problems.filter(({ severity }) => severity === 'warning').length,
  };
}

const FAULT_CODES = { picture: 'broken-picture', label: 'broken-label', 'unknown-class': 'unknown-class' } as const;

function unusable(pictures: readonly SkippedPicture[]): DatasetProblem[] {
  return pictures.map(({ name, reason, fault }) =>
    fault === 'no-class'
      ? warning('no-class', `${name}: ${reason}`, [name])
      : error(FAULT_CODES[fault], `${name}: ${reason}`, [name]),
  );
}

function boxProblems({ pictures, remarks }: Dataset): DatasetProblem[] {
  const problems: DatasetProblem[] = [];
  const remarked = (kind: (typeof remarks)[number]['kind']) => idsOf(remarks.filter((remark) => remark.kind === kind));
  const outside = remarked('outside');
  const empty = remarked('empty');
  const repeated = remarked('repeated');
  const tiny = pictures
    .filter(({ boxes }) => boxes?.some(({ box }) => Math.min(box.width, box.height) < LEAST_SIDE))
    .map(({ id }) => id);
  if (outside.length > 0) {
    const message = `${some(outside, 'picture has', 'pictures have')} boxes over the edge: ${listed(outside)}.`;
    problems.push(error('box-outside', message, outside));
  }
  if (empty.length > 0) {
    const message = `${some(empty, 'picture has', 'pictures have')} boxes without area, or wholly outside: ${listed(empty)}.`;
    problems.push(error('box-empty', message, empty));
  }
  if (tiny.length > 0) {
    const message = `${some(tiny, 'picture has', 'pictures have')} boxes less than ${LEAST_SIDE} pixels wide or high: ${listed(tiny)}.`;
    problems.push(warning('box-tiny', message, tiny));
  }
  if (repeated.length > 0) {
    const message = `${some(repeated, 'picture has', 'pictures have')} a box twice: ${listed(repeated)}.`;
    problems.push(warning('box-repeated', message, repeated));
  }
  return problems;
}

function countProblems({ kind, pictures }: Dataset, counts: DatasetReport['classes']): DatasetProblem[] {
  const problems: DatasetProblem[] = [];
  for (const { label, train, val, test } of counts) {
    if (train + val + test === 0) {
      problems.push(warning('class-without-examples', `The class ${label} has no examples.`, []));
      continue;
    }
    if (train === 0) {
      problems.push(warning('class-missing-in-split', `The class ${label} has no examples for training.`, []));
    }
    if (val === 0) {
      problems.push(warning('class-missing-in-split', `The class ${label} has no examples for validation.`, []));
    }
  }
  const has = (split: Split) => pictures.some((picture) => picture.split === split);
  if (!has('train')) problems.push(error('empty-split', 'There are no pictures for training.', []));
  if (!has('val')) problems.push(warning('empty-split', 'There are no pictures for validation.', []));
  const unlabelled = pictures.filter(({ boxes }) => boxes?.length === 0).map(({ id }) => id);
  if (kind === 'detection' && pictures.length > 0 && unlabelled.length === pictures.length) {
    problems.push(error('no-labels', 'No picture has a box. Do the labels stand where they are expected?', []));
  } else if (unlabelled.length > 0) {
    const message = `${some(unlabelled, 'picture has', 'pictures have')} no boxes: ${listed(unlabelled)}. They are learnt as pictures with nothing to find.`;
    problems.push(warning('no-labels', message, unlabelled));
  }
  return problems;
}

function copyProblems({ pictures, shared }: Dataset, groups: readonly number[][]): DatasetProblem[] {
  const problems = shared.map(({ picture, splits }) =>
    error('leak', `${picture} is named in ${splits.join(' and ')}.`, [picture]),
  );
  for (const members of withExactCopies(pictures, groups)) {
    const ids = members.map((place) => pictures[place].id);
    const splits = SPLITS.filter((split) => members.some((place) => pictures[place].split === split));
    problems.push(
      splits.length > 1
        ? error('leak', `The same picture stands in ${splits.join(' and ')}: ${listed(ids)}.`, ids)
        : warning('duplicate', `The same picture is there ${members.length} times: ${listed(ids)}.`, ids),
    );
  }
  return problems;
}

/** Pictures of one colour look like any other: of them only equal files are copies. */
function withExactCopies(pictures: readonly DatasetPicture[], groups: readonly number[][]): number[][] {
  const grouped = new Set(groups.flat());
  const files = new Map<string, number[]>();
  for (const [place, { sha256 }] of pictures.entries()) {
    if (!grouped.has(place)) files.set(sha256, [...(files.get(sha256) ?? []), place]);
  }
  return [...groups, ...[...files.values()].filter((members) => members.length > 1)];
}

function countsOf({ classes, pictures }: Dataset): DatasetReport['classes'] {
  const places = new Map(classes.map((label, place) => [label, place]));
  const counts = classes.map((label) => ({ label, train: 0, val: 0, test: 0 }));
  for (const { split, boxes, class: own } of pictures) {
    for (const label of boxes?.map(({ label }) => label) ?? [own ?? '']) counts[places.get(label)!][split] += 1;
  }
  return counts;
}

function idsOf(remarks: Dataset['remarks']): string[] {
  return [...new Set(remarks.map(({ picture }) => picture))];
}

/** The first of them; the report has all. */
function listed(ids: readonly string[]): string {
  return `${ids.slice(0, LISTED).join(', ')}${ids.length > LISTED ? `, and ${ids.length - LISTED} more` : ''}`;
}

function some(items: readonly unknown[], one: string, many: string): string {
  return `${items.length} ${items.length === 1 ? one : many}`;
}

function error(code: DatasetProblemCode, message: string, pictures: readonly string[]): DatasetProblem {
  return { code, severity: 'error', message, pictures };
}

function warning(code: DatasetProblemCode, message: string, pictures: readonly string[]): DatasetProblem {
  return { code, severity: 'warning', message, pictures };
}
