import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelReference, Region, Thresholds } from '../domain';
import { type Placement, toTensor } from '../imaging';
import { defaultThreads } from '../inference';
import { ModelInvalid, type ModelManifest, readManifest, verifyFiles } from '../packages';
import { type AnomalyMap, encodeMap } from './anomaly-map';
import { backboneOf } from './backbone';
import { findRegions } from './regions';
import { imageScore } from './scoring';
import { Session, type Tensor } from './session';

/** File name of the memory bank's graph in a model package. */
export const HEAD_FILE = 'head.onnx';

export interface AnomalyResult {
  /** Raw: mean distance of the most unusual patches, >= 0, unbounded. */
  readonly score: number;
  /** 0 at the calibration median, 1 at the model's reject level, not clamped. */
  readonly normalizedScore: number;
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
}

export interface PatchcoreLoadOptions {
  /** Threads of ONNX Runtime. */
  readonly threads?: number;
  /** Check hashes and golden scores first; true unless told. */
  readonly verify?: boolean;
}

/** What scoring needs: the facts, the shared feature extractor and the part type's own graph. */
export interface LoadedParts {
  readonly manifest: ModelManifest;
  readonly backbone: Session;
  readonly head: Session;
}

/** The patches of one picture, before anything is made of them. */
export interface PatchDistances {
  /** One a patch, row-major. */
  readonly distances: Float32Array;
  /** One an input pixel, row-major: upsampled and smoothed distances. */
  readonly map: Float32Array;
  readonly placement: Placement;
  readonly milliseconds: { readonly decode: number; readonly extract: number; readonly search: number };
}

export interface ScoreOptions {
  /** Encode the map too; true unless told. */
  readonly map?: boolean;
}

/** A trained model, loaded on its own (in the station the compute child shares the backbone). Ends with `dispose`. */
export class PatchcoreModel {
  private constructor(private readonly parts: LoadedParts) {}

  get manifest(): ModelManifest {
    return this.parts.manifest;
  }

  /**
   * @throws {ModelInvalid} when a file was changed or a golden picture scores otherwise
   * @throws {RuntimeMissing} without ONNX Runtime
   */
  static async load(folder: string, options: PatchcoreLoadOptions = {}): Promise<PatchcoreModel> {
    const { threads = defaultThreads(), verify = true } = options;
    const manifest = await (verify ? verifyFiles(folder) : readManifest(folder));
    const opened: Session[] = [];
    try {
      const head = await openHead(folder, threads);
      opened.push(head);
      const backbone = await openBackbone(folder, manifest, threads);
      opened.push(backbone);
      const parts = { manifest, backbone, head };
      if (verify) await verifyGolden(folder, parts);
      return new PatchcoreModel(parts);
    } catch (error) {
      for (const session of opened) await session.close();
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
    await this.parts.head.close();
  }
}

export async function openBackbone(folder: string, manifest: ModelManifest, threads: number): Promise<Session> {
  return Session.open(await backboneOf(folder, manifest), threads);
}

/** @throws {ModelInvalid} when there is no head, or it is no ONNX graph */
export async function openHead(folder: string, threads: number): Promise<Session> {
  const bytes = await readFile(join(folder, HEAD_FILE)).catch((error: Error) => {
    throw new ModelInvalid(folder, `${HEAD_FILE} cannot be read (${error.message})`, error);
  });
  return Session.open(bytes, threads);
}

/**
 * Scores the pictures that travel with the model and compares with the scores it was made with.
 *
 * @throws {ModelInvalid} when one is farther off than the manifest's tolerance
 */
export async function verifyGolden(folder: string, parts: LoadedParts): Promise<void> {
  for (const { picture, score } of parts.manifest.golden) {
    const bytes = await readFile(join(folder, picture)).catch((error: Error) => {
      throw new ModelInvalid(folder, `${picture} cannot be read (${error.message})`, error);
    });
    const { distances } = await measurePicture(parts, bytes);
    const actual = imageScore(distances, parts.manifest.scoring);
    if (!(Math.abs(actual - score) <= parts.manifest.goldenTolerance * Math.abs(score))) {
      throw new ModelInvalid(folder, `${picture} scores ${actual.toPrecision(6)} instead of ${score.toPrecision(6)}`);
    }
  }
}

export async function scorePicture(
  parts: LoadedParts,
  picture: Buffer,
  { map: wantsMap = true }: ScoreOptions = {},
): Promise<AnomalyResult> {
  const { scoring, thresholds, calibration, map: scale, name, version } = parts.manifest;
  const start = performance.now();
  const { distances, map, placement, milliseconds } = await measurePicture(parts, picture);
  const mapStart = performance.now();
  const score = imageScore(distances, scoring);
  const regions = findRegions(map, scale.region, placement);
  const encoded = wantsMap ? await encodeMap(map, placement, scale) : undefined;
  const end = performance.now();
  return {
    score,
    normalizedScore: (score - calibration.median) / (thresholds.reject - calibration.median),
    thresholds,
    regions,
    ...(encoded && { map: encoded }),
    image: { width: placement.sourceWidth, height: placement.sourceHeight },
    milliseconds: { ...milliseconds, map: rounded(end - mapStart), total: rounded(end - start) },
    model: { name, version },
  };
}

export async function measurePicture(parts: LoadedParts, picture: Buffer): Promise<PatchDistances> {
  const start = performance.now();
  const { data, width, height, placement } = await toTensor(picture, parts.manifest.preprocessing);
  const decoded = performance.now();
  const features = await extractFeatures(parts.backbone, { data, dims: [1, 3, height, width] });
  const extracted = performance.now();
  const { distances, map } = await parts.head.run(features, ['distances', 'map']);
  const milliseconds = {
    decode: rounded(decoded - start),
    extract: rounded(extracted - decoded),
    search: rounded(performance.now() - extracted),
  };
  return { distances: distances.data, map: map.data, placement, milliseconds };
}

/** The backbone's activations for one picture. */
export type Features = Readonly<Record<'stride8' | 'stride16', Tensor>>;

export function extractFeatures(backbone: Session, input: Tensor): Promise<Features> {
  return backbone.run({ [backbone.inputs[0]]: input }, ['stride8', 'stride16']);
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}
