import {
  type Box,
  type Detection,
  type DetectionThresholds,
  InvalidInput,
  type ModelReference,
  roundedMilliseconds,
} from '../domain';
import { readPixels, type Tiles, type ViewFrame, viewFrames } from '../imaging';
import { decodeOutput, type RawDetection } from './decode';
import type { DetectorDescription } from './layout';
import { layIn } from './letterbox';
import { nonMaximumSuppression } from './nms';
import type { DetectorSession } from './session';
import { mergeTiles } from './tiling';

export interface DetectOptions {
  /** From which a detection counts, 0..1. Given here, the package's thresholds of single classes do not count either. */
  readonly confidence?: number;
  /** Instead of `confidence`, for the classes named. */
  readonly perClass?: Readonly<Record<string, number>>;
  /** What becomes of classes in `perClass` that the detector does not know: refused (default), or left out. */
  readonly unknownClasses?: 'refuse' | 'leave-out';
  /** Boxes of one class that overlap more than this are one, 0..1. */
  readonly iou?: number;
  /** The most confident ones are kept, 1..10000. */
  readonly maxDetections?: number;
  /** Region of interest as fractions of the picture's sides, 0..1; null: the whole picture. */
  readonly roi?: Box | null;
  /** Look at parts of the region one by one, for things that are small in it; null: at all of it at once. */
  readonly tiles?: Tiles | null;
}

/** What holds where the options say nothing. */
export interface DetectDefaults {
  readonly thresholds: DetectionThresholds;
  readonly iou: number;
}

export interface DetectionResult {
  /** The most confident first; boxes in pixels of the picture, to a thousandth, cut at the edge of what was looked at. */
  readonly detections: readonly Detection[];
  /** Those in force. */
  readonly thresholds: DetectionThresholds;
  readonly model: ModelReference;
  /** Size of the original picture. */
  readonly picture: { readonly width: number; readonly height: number };
  readonly milliseconds: {
    readonly decode: number;
    readonly letterbox: number;
    readonly session: number;
    /** Reading boxes out of the output, suppressing and merging doubles. */
    readonly boxes: number;
    readonly total: number;
  };
}

export const PLAIN_DEFAULTS: DetectDefaults = { thresholds: { confidence: 0.25, perClass: {} }, iou: 0.7 };
const MAXIMUM_DETECTIONS = 300;

/**
 * Finds the things a detector knows in a picture.
 *
 * @param picture encoded JPEG or PNG
 * @throws {PictureUnreadable} as `inspectPicture`
 * @throws {InvalidInput} for options out of range, classes the detector does not know, and views of less than 16 pixels
 * @throws {DetectorUnsupported} when the network gives something else than its file tells
 */
export async function detectWith(
  session: Pick<DetectorSession, 'description' | 'run'>,
  picture: Buffer,
  options: DetectOptions,
  defaults: DetectDefaults,
): Promise<Omit<DetectionResult, 'model'>> {
  const { description } = session;
  const thresholds = thresholdsOf(options, defaults, description.classes);
  const { iou = defaults.iou, maxDetections = MAXIMUM_DETECTIONS, roi = null, tiles = null } = options;
  requireShare(iou, 'overlap (iou)');
  if (!(Number.isInteger(maxDetections) && maxDetections >= 1 && maxDetections <= 10_000)) {
    throw new InvalidInput(`At most ${maxDetections} detections cannot be given; the limit is 1 to 10000.`);
  }
  const perClass = description.classes.map((label) => levelOf(thresholds, label));
  const begun = performance.now();
  const pixels = await readPixels(picture);
  const decoded = performance.now();
  const size = inputSize(description);
  const preprocessing = { ...size, mode: 'letterbox', kernel: 'linear' } as const;
  const frames = viewFrames(pixels.width, pixels.height, { preprocessing, roi, tiles });
  const views: { readonly part: Box; readonly found: readonly RawDetection[] }[] = [];
  const spent = { letterbox: 0, session: 0, boxes: 0 };
  for (const frame of frames) {
    const start = performance.now();
    const data = layIn(pixels, frame.source, frame.placement);
    const laid = performance.now();
    const output = await session.run(data, size.width, size.height);
    const ran = performance.now();
    const raw = decodeOutput(output, description, perClass);
    // what such a detector gives has no doubles
    const kept = description.layout === 'end-to-end' ? raw : nonMaximumSuppression(raw, { iou, maxDetections });
    views.push({ part: frame.source, found: kept.flatMap((found) => inSource(found, frame)) });
    spent.letterbox += laid - start;
    spent.session += ran - laid;
    spent.boxes += performance.now() - ran;
  }
  const start = performance.now();
  const all = views.length === 1 ? views[0].found : mergeTiles(views, regionOf(views), { iou, maxDetections });
  const sorted = [...all].sort((a, b) => b.confidence - a.confidence).slice(0, maxDetections);
  const detections = sorted.map((found) => detectionOf(found, description.classes));
  const end = performance.now();
  return {
    detections,
    thresholds,
    picture: { width: pixels.width, height: pixels.height },
    milliseconds: {
      decode: roundedMilliseconds(decoded - begun),
      letterbox: roundedMilliseconds(spent.letterbox),
      session: roundedMilliseconds(spent.session),
      boxes: roundedMilliseconds(spent.boxes + end - start),
      total: roundedMilliseconds(end - begun),
    },
  };
}

/** The model's own sides where it has them, else those it was exported for, whole strides each. */
export function inputSize({ input, size, stride }: Pick<DetectorDescription, 'input' | 'size' | 'stride'>): {
  readonly width: number;
  readonly height: number;
} {
  const whole = (side: number) => Math.ceil(side / stride) * stride;
  return { width: input.width ?? whole(size.width), height: input.height ?? whole(size.height) };
}

/** The confidence from which a class counts. */
export function levelOf({ confidence, perClass }: DetectionThresholds, label: string): number {
  return Object.hasOwn(perClass, label) ? perClass[label] : confidence;
}

function thresholdsOf(
  { confidence, perClass, unknownClasses = 'refuse' }: DetectOptions,
  { thresholds }: DetectDefaults,
  classes: readonly string[],
): DetectionThresholds {
  const result = {
    confidence: confidence ?? thresholds.confidence,
    perClass: { ...(confidence === undefined && thresholds.perClass), ...perClass },
  };
  requireShare(result.confidence, 'confidence');
  for (const [label, level] of Object.entries(result.perClass)) {
    requireShare(level, `confidence of ${label}`);
    if (classes.includes(label)) continue;
    if (unknownClasses === 'leave-out') {
      delete result.perClass[label];
    } else {
      throw new InvalidInput(`There is a threshold for ${label}, and the detector knows only ${classes.join(', ')}.`, {
        label,
      });
    }
  }
  return result;
}

function requireShare(value: number, what: string): void {
  if (!(value >= 0 && value <= 1)) throw new InvalidInput(`The ${what} is ${value}; give a number from 0 to 1.`);
}

/** The box in pixels of the picture, cut at the edge of what the view shows; none when nothing of it is left. */
function inSource(found: RawDetection, { placement, source }: ViewFrame): RawDetection[] {
  const { scaleX, scaleY, offsetX, offsetY } = placement;
  const across = (x: number) => Math.min(Math.max((x - offsetX) / scaleX, source.x), source.x + source.width);
  const down = (y: number) => Math.min(Math.max((y - offsetY) / scaleY, source.y), source.y + source.height);
  const left = across(found.left);
  const right = across(found.right);
  const top = down(found.top);
  const bottom = down(found.bottom);
  return right > left && bottom > top ? [{ ...found, left, top, right, bottom }] : [];
}

function regionOf(views: readonly { readonly part: Box }[]): Box {
  const x = Math.min(...views.map(({ part }) => part.x));
  const y = Math.min(...views.map(({ part }) => part.y));
  const right = Math.max(...views.map(({ part }) => part.x + part.width));
  const bottom = Math.max(...views.map(({ part }) => part.y + part.height));
  return { x, y, width: right - x, height: bottom - y };
}

function detectionOf({ classNumber, confidence, left, top, right, bottom }: RawDetection, classes: readonly string[]) {
  const box = { x: pixels(left), y: pixels(top), width: pixels(right - left), height: pixels(bottom - top) };
  return { label: classes[classNumber], confidence: Math.round(confidence * 1e6) / 1e6, box };
}

function pixels(length: number): number {
  return Math.round(length * 1000) / 1000;
}
