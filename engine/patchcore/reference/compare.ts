import { type Region, roundedMilliseconds } from '../../domain';
import { PictureUnreadable, readPictureHeader } from '../../imaging';
import { defaultThreads, Session } from '../../inference';
import type { ReferenceSettings } from '../../packages';
import { type AnomalyMap, encodeMap } from '../anomaly-map';
import { findRegions } from '../regions';
import { type Alignment, align } from './alignment';
import { comparisonGraph } from './comparison-graph';
import { ReferenceMismatch, ReferenceUnreadable } from './errors';
import { type Layers, readLayers } from './layers';
import { DEFAULT_REFERENCE_SETTINGS } from './settings';

/** Score of a picture that does not show the same part as its golden picture: above any difference and any threshold. */
export const WRONG_PART_SCORE = 2;
/** Shapes of picture and golden picture may differ by this share, for example by a pixel of rounding. */
const SHAPE_TOLERANCE = 0.02;
/** Of very long pictures the shorter side is not reduced further. */
const LEAST_SIDE = 8;
/** One may have this many times the pixels a side of the other. */
const SIZE_RATIO = 4;

export interface ReferenceResult {
  /**
   * Raw: the largest averaged difference, 0..1 of the full range of brightness; {@link WRONG_PART_SCORE} when the pictures
   * do not show the same part.
   */
  readonly score: number;
  /** Highest peak first, in pixels of the original picture. Just one, all of it, when it does not show the same part. */
  readonly regions: readonly Region[];
  /** Missing when it was not asked for. */
  readonly map?: AnomalyMap;
  /** Size of the original picture. */
  readonly image: { readonly width: number; readonly height: number };
  /** Correlation with the golden picture laid over it, -1..1. */
  readonly similarity: number;
  /** Wall-clock milliseconds; the golden picture is decoded in `decode`, too. */
  readonly milliseconds: {
    readonly decode: number;
    readonly register: number;
    readonly compare: number;
    readonly map: number;
    readonly total: number;
  };
}

/** Compares pictures with golden pictures, with the same settings each time. Ends with `close`. */
export class ReferenceComparer {
  /** Golden pictures as they were decoded last, as long as their caller keeps them. */
  private readonly decoded = new WeakMap<Buffer, Layers>();

  private constructor(
    readonly settings: ReferenceSettings,
    private readonly session: Session,
  ) {}

  /**
   * @param threads threads of ONNX Runtime
   * @throws {RuntimeMissing} without ONNX Runtime
   * @throws {RangeError} for settings out of range
   */
  static async open(
    settings: ReferenceSettings = DEFAULT_REFERENCE_SETTINGS,
    threads = defaultThreads(),
  ): Promise<ReferenceComparer> {
    return new ReferenceComparer(settings, await Session.open(comparisonGraph(settings), threads));
  }

  /**
   * @param picture   encoded JPEG or PNG
   * @param reference the golden picture of this very part, or of its type
   * @throws {PictureUnreadable} when one of them cannot be decoded
   * @throws {ReferenceMismatch} when their shapes or sizes differ too much
   */
  async compare(picture: Buffer, reference: Buffer, { map: wantsMap = true } = {}): Promise<ReferenceResult> {
    const start = performance.now();
    const [shown, golden] = await this.read(picture, reference);
    const decoded = performance.now();
    const alignment = align(shown, golden, this.settings);
    const registered = performance.now();
    const differences = await this.differences(alignment);
    const compared = performance.now();
    const { placement, similarity, isSamePart } = alignment;
    const { region } = this.settings;
    const { sourceWidth: width, sourceHeight: height } = placement;
    const score = scoreOf(alignment, differences);
    const whole = { box: { x: 0, y: 0, width, height }, area: width * height, peak: score };
    const regions = isSamePart ? findRegions(differences, region, placement) : [whole];
    const map = wantsMap ? await encodeMap(differences, placement, { zero: 0, full: 2 * region }) : undefined;
    const end = performance.now();
    return {
      score,
      regions,
      ...(map && { map }),
      image: { width, height },
      similarity,
      milliseconds: {
        decode: roundedMilliseconds(decoded - start),
        register: roundedMilliseconds(registered - decoded),
        compare: roundedMilliseconds(compared - registered),
        map: roundedMilliseconds(end - compared),
        total: roundedMilliseconds(end - start),
      },
    };
  }

  /** Both pictures at the size of the comparison. Throws as {@link compare}. */
  async read(picture: Buffer, reference: Buffer): Promise<[picture: Layers, reference: Layers]> {
    const { width, height } = comparedSize(picture, reference, this.settings.side);
    return Promise.all([readLayers(picture, width, height), this.decode(reference, width, height)]);
  }

  /** Averaged differences, row-major, one value a pixel of the comparison, >= 0. */
  async differences({ picture, reference, counts }: Alignment): Promise<Float32Array> {
    return (await this.session.run({ picture, reference, counts }, ['map'])).map.data;
  }

  async close(): Promise<void> {
    await this.session.close();
  }

  private async decode(reference: Buffer, width: number, height: number): Promise<Layers> {
    const known = this.decoded.get(reference);
    if (known?.grey.width === width && known.grey.height === height) return known;
    const layers = await readLayers(reference, width, height).catch((error: unknown) =>
      readGolden(() => {
        throw error;
      }),
    );
    this.decoded.set(reference, layers);
    return layers;
  }
}

/** One comparison on its own; for many, keep a {@link ReferenceComparer}. Throws as {@link ReferenceComparer.compare}. */
export async function compareWithReference(
  picture: Buffer,
  reference: Buffer,
  settings?: ReferenceSettings,
): Promise<ReferenceResult> {
  const comparer = await ReferenceComparer.open(settings);
  try {
    return await comparer.compare(picture, reference);
  } finally {
    await comparer.close();
  }
}

/** The score of a picture: its largest difference, or that of a wrong part. */
export function scoreOf({ isSamePart }: Alignment, differences: Float32Array): number {
  if (!isSamePart) return WRONG_PART_SCORE;
  let most = 0;
  for (const difference of differences) if (difference > most) most = difference;
  return most;
}

/** Width and height of the comparison: of the picture, reduced to the longest side allowed. */
function comparedSize(picture: Buffer, reference: Buffer, side: number): { width: number; height: number } {
  const shown = readPictureHeader(picture);
  const golden = readGolden(() => readPictureHeader(reference));
  const ratio = Math.max(shown.width, shown.height) / Math.max(golden.width, golden.height);
  const shape = (shown.width * golden.height) / (shown.height * golden.width);
  if (Math.abs(Math.log(shape)) > SHAPE_TOLERANCE || ratio > SIZE_RATIO || ratio < 1 / SIZE_RATIO) {
    throw new ReferenceMismatch(shown, golden);
  }
  const scale = Math.min(1, side / Math.max(shown.width, shown.height));
  return {
    width: Math.max(LEAST_SIDE, Math.round(shown.width * scale)),
    height: Math.max(LEAST_SIDE, Math.round(shown.height * scale)),
  };
}

/** @throws {ReferenceUnreadable} instead of what a picture of a part throws */
function readGolden<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof PictureUnreadable ? new ReferenceUnreadable(error) : error;
  }
}
