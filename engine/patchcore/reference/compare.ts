import type { Region } from '../../domain';
import { readPictureHeader } from '../../imaging';
import { defaultThreads } from '../../inference';
import { type AnomalyMap, encodeMap } from '../anomaly-map';
import { findRegions } from '../regions';
import { Session } from '../session';
import { comparisonGraph } from './comparison-graph';
import { ReferenceMismatch } from './errors';
import { type Layers, readLayers } from './layers';
import { lightBetween } from './light';
import type { Plane } from './plane';
import { register } from './registration';
import { DEFAULT_REFERENCE_SETTINGS, type ReferenceSettings } from './settings';
import { coverage, laidOver, type Warp } from './warp';

/** Shapes of picture and golden picture may differ by this share, for example by a pixel of rounding. */
const SHAPE_TOLERANCE = 0.02;
/** One may have this many times the pixels a side of the other. */
const SIZE_RATIO = 4;
/** Share of the picture that the golden picture must cover. */
const LEAST_COVERED = 0.5;
/** Every this many pixels the light is looked at. */
const LIGHT_STEP = 3;

export interface ReferenceResult {
  /**
   * Raw: the largest averaged difference, 0..1 of the full range of brightness. Above 1 when the pictures do not show the
   * same part: then 2 minus their similarity.
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

/** Averaged differences at the resolution of the comparison. */
export interface Comparison {
  /** Row-major, one value a pixel of the comparison, >= 0. */
  readonly differences: Float32Array;
  readonly placement: Layers['placement'];
  readonly similarity: number;
  /** False when the pictures do not show the same part in the same place. */
  readonly isSamePart: boolean;
  readonly milliseconds: { readonly decode: number; readonly register: number; readonly compare: number };
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
    const comparison = await this.measure(picture, reference);
    const mapStart = performance.now();
    const { differences, placement, similarity, isSamePart } = comparison;
    const { region } = this.settings;
    const { sourceWidth: width, sourceHeight: height } = placement;
    const score = isSamePart ? highest(differences) : 2 - similarity;
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
      milliseconds: { ...comparison.milliseconds, map: rounded(end - mapStart), total: rounded(end - start) },
    };
  }

  /** What {@link compare} makes its result of. */
  async measure(picture: Buffer, reference: Buffer): Promise<Comparison> {
    const { side, reach, leastSimilarity } = this.settings;
    const start = performance.now();
    const { width, height } = comparedSize(picture, reference, side);
    const [shown, golden] = await Promise.all([
      readLayers(picture, width, height),
      this.decode(reference, width, height),
    ]);
    const decoded = performance.now();
    const { warp, similarity } = register(shown.grey, golden.grey, reach);
    const { counts, share: covered } = coverage(warp, golden.grey, width, height);
    const registered = performance.now();
    const differences = await this.differencesOf(shown, golden, warp, counts);
    return {
      differences,
      placement: shown.placement,
      similarity,
      isSamePart: similarity >= leastSimilarity && covered >= LEAST_COVERED,
      milliseconds: {
        decode: rounded(decoded - start),
        register: rounded(registered - decoded),
        compare: rounded(performance.now() - registered),
      },
    };
  }

  async close(): Promise<void> {
    await this.session.close();
  }

  private async decode(reference: Buffer, width: number, height: number): Promise<Layers> {
    const known = this.decoded.get(reference);
    if (known?.grey.width === width && known.grey.height === height) return known;
    const layers = await readLayers(reference, width, height);
    this.decoded.set(reference, layers);
    return layers;
  }

  private async differencesOf(shown: Layers, golden: Layers, warp: Warp, counts: Float32Array): Promise<Float32Array> {
    const { width, height } = shown.grey;
    const channels = Math.max(shown.planes.length, golden.planes.length);
    const area = width * height;
    const picture = shown.planes.length === channels ? shown.data : repeated(shown.data, channels);
    const reference = new Float32Array(channels * area);
    for (let channel = 0; channel < channels; channel += 1) {
      const laid = reference.subarray(channel * area, (channel + 1) * area);
      laidOver(bandOf(golden, channel), warp, width, height, laid);
      const { gain, offset } = lightBetween(bandOf(shown, channel).data, laid, LIGHT_STEP);
      for (let place = 0; place < area; place += 1) laid[place] = gain * laid[place] + offset;
    }
    const dims = [1, channels, height, width];
    const feeds = {
      picture: { data: picture, dims },
      reference: { data: reference, dims },
      counts: { data: counts, dims: [1, 1, height, width] },
    };
    return (await this.session.run(feeds, ['map'])).map.data;
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

/** Width and height of the comparison: of the picture, reduced to the longest side allowed. */
function comparedSize(picture: Buffer, reference: Buffer, side: number): { width: number; height: number } {
  const shown = readPictureHeader(picture);
  const golden = readPictureHeader(reference);
  const ratio = Math.max(shown.width, shown.height) / Math.max(golden.width, golden.height);
  const shape = (shown.width * golden.height) / (shown.height * golden.width);
  if (Math.abs(Math.log(shape)) > SHAPE_TOLERANCE || ratio > SIZE_RATIO || ratio < 1 / SIZE_RATIO) {
    throw new ReferenceMismatch(shown, golden);
  }
  const scale = Math.min(1, side / Math.max(shown.width, shown.height));
  return {
    width: Math.max(1, Math.round(shown.width * scale)),
    height: Math.max(1, Math.round(shown.height * scale)),
  };
}

/** A grey picture has the same plane in every channel. */
function bandOf({ planes }: Layers, channel: number): Plane {
  return planes[Math.min(channel, planes.length - 1)];
}

function repeated(plane: Float32Array, times: number): Float32Array {
  const data = new Float32Array(times * plane.length);
  for (let index = 0; index < times; index += 1) data.set(plane, index * plane.length);
  return data;
}

function highest(values: Float32Array): number {
  let most = 0;
  for (const value of values) if (value > most) most = value;
  return most;
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}
