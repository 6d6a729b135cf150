import type { ClassifierFigures } from '../../domain';
import { clopperPearson } from '../../statistics';

/** A picture's class, and the one it was given. */
export interface NamedPicture {
  readonly truth: string;
  readonly named: string;
}

/**
 * How well pictures are named, with the exact 95 % interval of the accuracy.
 *
 * @param classes in the order of the results; a picture named otherwise than these counts as wrong
 */
export function classifierFigures(pictures: readonly NamedPicture[], classes: readonly string[]): ClassifierFigures {
  const others = [...new Set(pictures.map(({ named }) => named))].filter((label) => !classes.includes(label)).sort();
  const labels = [...classes, ...others];
  const matrix = labels.map((truth) =>
    labels.map((named) => pictures.filter((picture) => picture.truth === truth && picture.named === named).length),
  );
  const perClass = classes.map((label, place) => {
    const hits = matrix[place][place];
    const count = sumOf(matrix[place]);
    const named = sumOf(matrix.map((row) => row[place]));
    const recall = count === 0 ? null : hits / count;
    const precision = named === 0 ? null : hits / named;
    return { label, recall, precision, f1: count + named === 0 ? null : (2 * hits) / (count + named), count };
  });
  const right = sumOf(matrix.map((row, place) => row[place]));
  const recalls = perClass.flatMap(({ recall }) => (recall === null ? [] : [recall]));
  return {
    accuracy: pictures.length === 0 ? 0 : right / pictures.length,
    balancedAccuracy: recalls.length === 0 ? 0 : sumOf(recalls) / recalls.length,
    ...(pictures.length > 0 && { interval: clopperPearson(right, pictures.length) }),
    pictures: pictures.length,
    perClass,
    confusion: { labels, matrix },
  };
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
