import { type ModelReference, type Region, roundedMilliseconds, type Thresholds } from '../domain';
import { type Mask, type Placement, patchCounts, readMask, stitchMaps, toViews, type View } from '../imaging';
import { defaultThreads, Session, type Tensor } from '../inference';
import { type BankManifest, ModelInvalid, readManifest, readPackageFile, verifyFiles } from '../packages';
import { probabilityOf } from '../statistics';
import { type AnomalyMap, encodeMap } from './anomaly-map';
import { backboneOf } from './backbone';
import { type Embedding, embeddingSpace, patchEmbedding, worstPatch } from './embedding';
import { runBackbone } from './extractor';
import { findRegions } from './regions';
import { imageScore, type ViewDistances } from './scoring';

export interface AnomalyResult {
  /** Raw distance, >= 0, unbounded; what it is made of stands in the manifest's `recipe`. */
  readonly score: number;
  /** 0 at the calibration median, 1 at the model's reject level, not clamped. */
  readonly normalizedScore: number;
  /** That the part is defective, 0..1, where defects were known and both kinds are equally likely beforehand. */
  readonly probability?: number;
  readonly thresholds: Thresholds;
  /** Highest peak first. */
  readonly regions: readonly Region[];
  /** Missing when it was not asked for. */
  readonly map?: AnomalyMap;
  /** Size of the original picture. */
  readonly image: { readonly width: number; readonly height: number };
  readonly milliseconds: {
    readonly decode: number;
    readonly extract: number;
    readonly search: number;
    readonly map: number;
    readonly total: number;
  };
  readonly model: ModelReference;
  /** What the most unusual patch looks like; missing when nothing was looked at, or the model has no memory bank. */
  readonly embedding?: Embedding;
}

export interface PatchcoreLoadOptions {
  /** Threads of ONNX Runtime. */
  readonly threads?: number;
  /** Check hashes and golden scores first; true unless told. */
  readonly verify?: boolean;
}

/** What makes a part type, besides the shared feature extractor. */
export interface LoadedHeads {
  readonly manifest: BankManifest;
  /** One a bank, in the order of the manifest; null for a tile of which nothing counts. */
  readonly heads: readonly (Session | null)[];
  readonly mask: Mask | null;
}

/** What scoring needs. */
export interface LoadedParts extends LoadedHeads {
  readonly backbone: Session;
}

/** The patches of one picture, before anything is made of them. */
export interface PatchDistances {
  /** One a tile. */
  readonly views: readonly ViewDistances[];
  /** Row-major, upsampled and smoothed distances over what was looked at. */
  readonly map: Float32Array;
  /** From the source picture to the map. */
  readonly placement: Placement;
  /** What the most unusual patch looks like; null when nothing was looked at. */
  readonly embedding: Float32Array | null;
  readonly milliseconds: { readonly decode: number; readonly extract: number; readonly search: number };
}

export interface ScoreOptions {
  /** The golden picture of this part, for a model that compares with one; a bank needs none. */
  readonly reference?: Buffer;
  /** Encode the map too; true unless told. */
  readonly map?: boolean;
}

/** A trained model, loaded on its own (in the station the compute child shares the backbone). Ends with `dispose`. */
export class PatchcoreModel {
  private constructor(private readonly parts: LoadedParts) {}

  get manifest(): BankManifest {
    return this.parts.manifest;
  }

  /**
   * @throws {ModelInvalid} when a file was changed or a golden picture scores otherwise
   * @throws {RuntimeMissing} without ONNX Runtime
   */
  static async load(folder: string, options: PatchcoreLoadOptions = {}): Promise<PatchcoreModel> {
    const { threads = defaultThreads(), verify = true } = options;
    const manifest = await (verify ? verifyFiles(folder, 'patchcore') : readManifest(folder, 'patchcore'));
    if (manifest.method !== 'bank') throw new ModelInvalid(folder, 'it compares with golden pictures and has no bank');
    const heads = await openHeads(folder, manifest, threads);
    let backbone: Session | undefined;
    try {
      backbone = await openBackbone(folder, manifest, threads);
      const parts = { ...heads, backbone };
      if (verify) await verifyGolden(folder, parts);
      return new PatchcoreModel(parts);
    } catch (error) {
      await backbone?.close();
      await closeHeads(heads);
      throw error;
    }
  }

  /**
   * @param picture encoded JPEG or PNG
   * @throws {PictureUnreadable}
   */
  score(picture: Buffer, options?: ScoreOptions): Promise<AnomalyResult> {
    return scorePicture(this.parts, picture, options);
  }

  /** Patch distances and the map at input resolution, for measurements. */
  measure(picture: Buffer): Promise<PatchDistances> {
    return measurePicture(this.parts, picture);
  }

  async dispose(): Promise<void> {
    await this.parts.backbone.close();
    await closeHeads(this.parts);
  }
}

export async function openBackbone(folder: string, manifest: BankManifest, threads: number): Promise<Session> {
  return Session.open(await backboneOf(folder, manifest), threads);
}

/** @throws {ModelInvalid} when a file is missing, or is no ONNX graph or picture */
export async function openHeads(folder: string, manifest: BankManifest, threads: number): Promise<LoadedHeads> {
  const heads: (Session | null)[] = [];
  try {
    for (const file of manifest.bank.heads) {
      heads.push(file === null ? null : await Session.open(await readPackageFile(folder, file), threads));
    }
    const { mask } = manifest.viewing;
    return { manifest, heads, mask: mask === null ? null : await readMask(await readPackageFile(folder, mask)) };
  } catch (error) {
    for (const head of heads) await head?.close();
    throw error;
  }
}

export async function closeHeads({ heads }: Pick<LoadedHeads, 'heads'>): Promise<void> {
  for (const head of heads) await head?.close();
}

/**
 * Scores the pictures that travel with the model and compares with the scores it was made with.
 *
 * @throws {ModelInvalid} when one is farther off than the manifest's tolerance
 */
export async function verifyGolden(folder: string, parts: LoadedParts): Promise<void> {
  const { golden, goldenTolerance, recipe } = parts.manifest;
  for (const { picture, score } of golden) {
    const { views } = await measurePicture(parts, await readPackageFile(folder, picture));
    const actual = imageScore(views, recipe.scoring);
    if (!(Math.abs(actual - score) <= goldenTolerance * Math.abs(score))) {
      throw new ModelInvalid(folder, `${picture} scores ${actual.toPrecision(6)} instead of ${score.toPrecision(6)}`);
    }
  }
}

export async function scorePicture(
  parts: LoadedParts,
  picture: Buffer,
  { map = true }: ScoreOptions = {},
): Promise<AnomalyResult> {
  return resultOf(parts, await measurePicture(parts, picture), map);
}

export async function measurePicture(parts: LoadedParts, picture: Buffer): Promise<PatchDistances> {
  const { preprocessing, viewing, recipe } = parts.manifest;
  const begun = performance.now();
  const { views } = await toViews(picture, { preprocessing, roi: viewing.roi, tiles: viewing.tiles });
  const decode = roundedMilliseconds(performance.now() - begun);
  const found: ViewDistances[] = [];
  const maps: { map: Float32Array; view: View }[] = [];
  let embedding: Float32Array | null = null;
  let [most, extract, search] = [0, 0, 0];
  for (const view of views) {
    const start = performance.now();
    const fed = await headFeeds(parts, view);
    if (fed === null) {
      maps.push({ map: new Float32Array(view.width * view.height), view });
      continue;
    }
    const extracted = performance.now();
    const { head, feeds, counts } = fed;
    const wanted = ['distances', 'map', ...(recipe.scoring.method === 'reweighted' ? ['reweighted'] : [])];
    const { distances, map, reweighted } = await head.run(feeds, wanted);
    found.push({ distances: distances.data, counts, ...(reweighted && { reweighted: reweighted.data[0] }) });
    maps.push({ map: map.data, view });
    const worst = worstPatch({ distances: distances.data });
    if (worst.distance > most) {
      most = worst.distance;
      embedding = patchEmbedding(feeds, worst.patch);
    }
    extract += extracted - start;
    search += performance.now() - extracted;
  }
  const { map, placement } = stitchMaps(maps, parts.mask);
  return {
    views: found,
    map,
    placement,
    embedding,
    milliseconds: { decode, extract: roundedMilliseconds(extract), search: roundedMilliseconds(search) },
  };
}

/** What the head of a view's bank is fed with. */
export interface HeadFeeds {
  readonly head: Session;
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** 1 where a patch of the view counts, row-major. */
  readonly counts: Float32Array;
}

/** @returns null for a tile of which nothing counts */
export async function headFeeds(
  { manifest, backbone, heads, mask }: LoadedParts,
  view: View,
): Promise<HeadFeeds | null> {
  const { data, width, height, tile } = view;
  const head = heads[heads.length === 1 ? 0 : tile];
  if (head === null) return null;
  const { outputs } = manifest.backbone;
  const features = await runBackbone(backbone, outputs, { data, dims: [1, 3, height, width] });
  const [{ stride }] = outputs;
  const [rows, columns] = [Math.ceil(height / stride), Math.ceil(width / stride)];
  // to heads of format 1 everything counts, also the padding: their thresholds were made so
  const isCounting = head.inputs.includes('counts');
  const counts = isCounting ? patchCounts(view, mask, rows, columns) : new Float32Array(rows * columns).fill(1);
  const feeds = isCounting ? { ...features, counts: { data: counts, dims: [1, 1, rows, columns] } } : features;
  return { head, feeds, counts };
}

async function resultOf(
  { manifest }: LoadedParts,
  { views, map, placement, embedding, milliseconds }: PatchDistances,
  wantsMap: boolean,
): Promise<AnomalyResult> {
  const { recipe, thresholds, calibration, map: scale, name, version } = manifest;
  const start = performance.now();
  const score = imageScore(views, recipe.scoring);
  const probability = probabilityOf(calibration.probability, score);
  const regions = findRegions(map, scale.region, placement);
  const encoded = wantsMap ? await encodeMap(map, placement, scale) : undefined;
  const spent = performance.now() - start;
  const { decode, extract, search } = milliseconds;
  return {
    score,
    normalizedScore: (score - calibration.median) / (thresholds.reject - calibration.median),
    ...(probability !== null && { probability }),
    thresholds,
    regions,
    ...(encoded && { map: encoded }),
    image: { width: placement.sourceWidth, height: placement.sourceHeight },
    milliseconds: {
      ...milliseconds,
      map: roundedMilliseconds(spent),
      total: roundedMilliseconds(decode + extract + search + spent),
    },
    model: { name, version },
    ...(embedding && { embedding: { vector: embedding, space: embeddingSpace(manifest) } }),
  };
}
