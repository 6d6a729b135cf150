import type { Box, Detection } from '../domain';

/** What really is in a picture. */
export interface TrueBox {
  readonly label: string;
  readonly box: Box;
  /** Square pixels of the object; that of its box unless told. Decides about the area range alone. */
  readonly area?: number;
  /** The box holds many objects: any number of detections may lie in it, and none of them counts. */
  readonly crowd?: boolean;
  /** Neither missed when it is not found, nor a hit when it is. */
  readonly ignore?: boolean;
}

export interface JudgedPicture {
  readonly truth: readonly TrueBox[];
  readonly detections: readonly Detection[];
}

/** Square pixels; both ends belong to the range. */
export interface AreaRange {
  readonly low: number;
  readonly high: number;
}

export interface DetectionOutcome {
  /** Place of the picture, and of the detection in it. */
  readonly picture: number;
  readonly detection: number;
  readonly confidence: number;
  /** Place in the picture of the true box it was matched with at the first overlap; -1: none. */
  readonly truth: number;
  /** Bit t: it is a hit at the t-th overlap. */
  readonly hits: number;
  /** Bit t: it does not count at the t-th overlap. */
  readonly ignored: number;
}

/** What the detections of one class came to. */
export interface ClassOutcome {
  /** By falling confidence; equal ones in the order of their pictures. */
  readonly outcomes: readonly DetectionOutcome[];
  /** True boxes that count, per picture. */
  readonly counts: Int32Array;
}

/** The ten overlaps that COCO's mean is taken over. */
export const OVERLAPS: readonly number[] = Array.from({ length: 10 }, (_, step) => (50 + 5 * step) / 100);
/** Of each class in each picture the most confident detections count. */
const MOST_DETECTIONS = 100;
const NEARLY_ONE = 1 - 1e-10;

/**
 * Matches the detections of a class with its true boxes as COCO does, at each of the ten overlaps: the most confident
 * detection first, each with the free true box it overlaps most, one that counts before one that does not.
 *
 * @see https://cocodataset.org/#detection-eval
 */
export function matchClass(pictures: readonly JudgedPicture[], label: string, range: AreaRange): ClassOutcome {
  const counts = new Int32Array(pictures.length);
  const outcomes = pictures.flatMap(({ truth, detections }, picture) => {
    const boxes = placed(truth, label)
      .map((box) => ({ ...box, isIgnored: isIgnored(box.item, range) }))
      .sort((a, b) => Number(a.isIgnored) - Number(b.isIgnored));
    counts[picture] = boxes.filter((box) => !box.isIgnored).length;
    const found = placed(detections, label)
      .sort((a, b) => b.item.confidence - a.item.confidence)
      .slice(0, MOST_DETECTIONS);
    return matchPicture(boxes, found, range, picture);
  });
  return { outcomes: outcomes.sort((a, b) => b.confidence - a.confidence), counts };
}

interface Placed<T> {
  readonly item: T;
  /** In the picture's list. */
  readonly place: number;
}

/** Those of one class. */
function placed<T extends { readonly label: string }>(items: readonly T[], label: string): Placed<T>[] {
  const found: Placed<T>[] = [];
  for (const [place, item] of items.entries()) if (item.label === label) found.push({ item, place });
  return found;
}

type Truth = Placed<TrueBox> & { readonly isIgnored: boolean };

function matchPicture(
  truth: readonly Truth[],
  detections: readonly Placed<Detection>[],
  range: AreaRange,
  picture: number,
): DetectionOutcome[] {
  const overlaps = detections.map(({ item }) =>
    truth.map(({ item: other }) => overlapOf(item.box, other.box, other.crowd)),
  );
  const matched = detections.map(() => ({ truth: -1, hits: 0, ignored: 0 }));
  for (const [bit, least] of OVERLAPS.entries()) {
    const isTaken = new Uint8Array(truth.length);
    for (const [index, outcome] of matched.entries()) {
      const match = bestMatch(truth, overlaps[index], isTaken, Math.min(least, NEARLY_ONE));
      if (match === -1) {
        const { width, height } = detections[index].item.box;
        if (isOutside(width * height, range)) outcome.ignored |= 1 << bit;
        continue;
      }
      isTaken[match] = 1;
      if (truth[match].isIgnored) outcome.ignored |= 1 << bit;
      else outcome.hits |= 1 << bit;
      if (bit === 0) outcome.truth = truth[match].place;
    }
  }
  return detections.map(({ item, place }, index) => ({
    picture,
    detection: place,
    confidence: item.confidence,
    ...matched[index],
  }));
}

/** Of equal overlaps the later box, as in COCO's own evaluation. */
function bestMatch(truth: readonly Truth[], overlaps: readonly number[], isTaken: Uint8Array, least: number): number {
  let best = -1;
  let highest = least;
  for (const [place, { item, isIgnored }] of truth.entries()) {
    if (isTaken[place] === 1 && !item.crowd) continue;
    if (best !== -1 && isIgnored && !truth[best].isIgnored) break;
    if (overlaps[place] < highest) continue;
    best = place;
    highest = overlaps[place];
  }
  return best;
}

/** Intersection over union; over the area of `box` alone when the other one holds a crowd. */
export function overlapOf(box: Box, other: Box, crowd = false): number {
  const width = Math.min(box.x + box.width, other.x + other.width) - Math.max(box.x, other.x);
  const height = Math.min(box.y + box.height, other.y + other.height) - Math.max(box.y, other.y);
  if (!(width > 0 && height > 0)) return 0;
  const shared = width * height;
  const area = box.width * box.height;
  return shared / (crowd ? area : area + other.width * other.height - shared);
}

function isIgnored({ crowd, ignore, area, box }: TrueBox, range: AreaRange): boolean {
  return crowd === true || ignore === true || isOutside(area ?? box.width * box.height, range);
}

function isOutside(area: number, { low, high }: AreaRange): boolean {
  return area < low || area > high;
}
