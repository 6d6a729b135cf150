import { type ClassOutcome, type JudgedPicture, overlapOf } from './detection-matching';

/** Which class is taken for which. */
export interface DetectionConfusion {
  /** The classes, and `background` at the end. */
  readonly labels: readonly string[];
  /**
   * [what is there][what was detected]: in the last column the boxes that were missed, in the last row the detections
   * where nothing is.
   */
  readonly matrix: readonly (readonly number[])[];
}

const LEAST_OVERLAP = 0.5;

/**
 * The confusion of the detections at or above a confidence. What is a hit for the metrics stands on the diagonal; then
 * the boxes and detections left over are paired across classes, those that overlap most first, from 0.5 on. Boxes of a
 * crowd and ignored ones do not count, nor do detections of their class in them.
 *
 * @param outcomes per class, over all areas
 */
export function confusionOf(
  pictures: readonly JudgedPicture[],
  classes: readonly string[],
  outcomes: readonly ClassOutcome[],
  confidence: number,
): DetectionConfusion {
  const background = classes.length;
  const matrix = Array.from({ length: background + 1 }, () => new Array<number>(background + 1).fill(0));
  const places = new Map(classes.map((label, place) => [label, place]));
  const free = pictures.map(({ truth }) => ({
    truth: new Set(
      truth.flatMap(({ label, crowd, ignore }, place) => (crowd || ignore || !places.has(label) ? [] : [place])),
    ),
    detections: [] as { readonly place: number; readonly detection: number }[],
  }));
  for (const [place, { outcomes: ofClass }] of outcomes.entries()) {
    for (const outcome of ofClass) {
      if (outcome.confidence < confidence || (outcome.ignored & 1) === 1) continue;
      const left = free[outcome.picture];
      if ((outcome.hits & 1) === 0) {
        left.detections.push({ place, detection: outcome.detection });
        continue;
      }
      matrix[place][place] += 1;
      left.truth.delete(outcome.truth);
    }
  }
  for (const [index, { truth, detections }] of pictures.entries()) {
    const left = free[index];
    const pairs = left.detections
      .flatMap((found) =>
        [...left.truth].map((place) => ({
          found,
          place,
          overlap: overlapOf(detections[found.detection].box, truth[place].box),
        })),
      )
      .filter(({ overlap }) => overlap >= LEAST_OVERLAP)
      .sort((a, b) => b.overlap - a.overlap);
    const paired = new Set<object>();
    for (const { found, place } of pairs) {
      if (paired.has(found) || !left.truth.has(place)) continue;
      paired.add(found);
      left.truth.delete(place);
      matrix[places.get(truth[place].label)!][found.place] += 1;
    }
    for (const found of left.detections) if (!paired.has(found)) matrix[background][found.place] += 1;
    for (const place of left.truth) matrix[places.get(truth[place].label)!][background] += 1;
  }
  return { labels: [...classes, 'background'], matrix };
}
