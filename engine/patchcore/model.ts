import type { ModelReference, Region, Thresholds } from '../domain';
import type { ModelManifest } from '../packages';

/** Where a picture is unlike good ones: an 8-bit grey PNG over the whole original picture, with its aspect ratio. */
export interface AnomalyMap {
  readonly png: Buffer;
  readonly width: number;
  readonly height: number;
}

export interface AnomalyResult {
  /** Raw: mean distance of the most unusual patches, >= 0, unbounded. */
  readonly score: number;
  /** 0 at the calibration median, 1 at the model's reject level, not clamped. */
  readonly normalizedScore: number;
  readonly thresholds: Thresholds;
  /** Largest peak first. */
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
  readonly threads?: number;
  /** Check hashes and golden scores first; true unless told. */
  readonly verify?: boolean;
}

/** A trained model, loaded. Ends with `dispose`. */
export class PatchcoreModel {
  private constructor(readonly manifest: ModelManifest) {}

  /** @throws {ModelInvalid} when a file was changed or a golden picture scores otherwise */
  static async load(_folder: string, _options: PatchcoreLoadOptions = {}): Promise<PatchcoreModel> {
    throw new Error('not yet');
  }

  /**
   * @param picture encoded JPEG or PNG
   * @throws {PictureUnreadable}
   */
  async score(_picture: Buffer, _options: { map?: boolean } = {}): Promise<AnomalyResult> {
    throw new Error('not yet');
  }

  async dispose(): Promise<void> {}
}
