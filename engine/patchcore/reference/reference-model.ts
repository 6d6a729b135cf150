import { readPictureHeader } from '../../imaging';
import {
  ModelInvalid,
  type ReferenceManifest,
  type ReferenceSection,
  readManifest,
  readPackageFile,
  verifyFiles,
} from '../../packages';
import type { AnomalyResult, PatchcoreLoadOptions, ScoreOptions } from '../model';
import { ReferenceComparer } from './compare';
import { ReferenceMissing } from './errors';
import { scoreAgainstReference } from './score';
import type { ReferenceTrainingResult } from './training';

/** How far a golden pair's score may be from the expected one: another processor and decoder, but no other settings. */
const GOLDEN_TOLERANCE = 0.01;

/** The files of a reference model and the section of its manifest that names them. */
export interface ReferencePackage {
  readonly section: ReferenceSection;
  /** Path inside the package to content. */
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/** @param shared the golden picture of every part; null when each part has its own */
export function packReference(result: ReferenceTrainingResult, shared: Buffer | null): ReferencePackage {
  const files: Record<string, Uint8Array> = {};
  const put = (stem: string, picture: Buffer) => {
    const path = `${stem}.${readPictureHeader(picture).format === 'png' ? 'png' : 'jpg'}`;
    files[path] = picture;
    return path;
  };
  const golden = result.golden.map(({ picture, reference, score }, index) => ({
    picture: put(`golden/${index + 1}`, picture),
    reference: put(`golden/${index + 1}-reference`, reference),
    score,
  }));
  const { settings, chosenBy, trials, boxes } = result;
  const picture = shared && put('reference', shared);
  return { section: { settings, picture, golden, chosenBy, trials: [...trials], boxes }, files };
}

/** A trained reference model, loaded. Ends with `dispose`. */
export class ReferenceModel {
  private constructor(
    private readonly folder: string,
    readonly manifest: ReferenceManifest,
    private readonly comparer: ReferenceComparer,
    private readonly shared: Buffer | null,
  ) {}

  /**
   * @throws {ModelInvalid} when a file was changed, a golden pair scores otherwise, or it has a bank instead
   * @throws {RuntimeMissing} without ONNX Runtime
   */
  static async load(folder: string, { threads, verify = true }: PatchcoreLoadOptions = {}): Promise<ReferenceModel> {
    const manifest = await (verify ? verifyFiles(folder, 'patchcore') : readManifest(folder, 'patchcore'));
    if (manifest.method !== 'reference') {
      throw new ModelInvalid(folder, 'it has a memory bank and compares with no golden picture');
    }
    const model = await ReferenceModel.open(folder, manifest, threads);
    try {
      if (verify) await model.verify();
      return model;
    } catch (error) {
      await model.dispose();
      throw error;
    }
  }

  /**
   * @param folder of the package, whose files were checked
   * @throws {ModelInvalid} when its golden picture cannot be read
   * @throws {RuntimeMissing} without ONNX Runtime
   */
  static async open(folder: string, manifest: ReferenceManifest, threads?: number): Promise<ReferenceModel> {
    const { settings, picture } = manifest.reference;
    const shared = picture === null ? null : await readPackageFile(folder, picture);
    return new ReferenceModel(folder, manifest, await ReferenceComparer.open(settings, threads), shared);
  }

  /**
   * Scores the golden pairs that travel with the model.
   *
   * @throws {ModelInvalid} when one scores otherwise than when the model was made
   */
  async verify(): Promise<void> {
    for (const pair of this.manifest.reference.golden) {
      const picture = await readPackageFile(this.folder, pair.picture);
      const reference = await readPackageFile(this.folder, pair.reference);
      const { score } = await this.comparer.compare(picture, reference, { map: false });
      if (Math.abs(score - pair.score) <= GOLDEN_TOLERANCE * Math.max(0.1, Math.abs(pair.score))) continue;
      throw new ModelInvalid(
        this.folder,
        `${pair.picture} scores ${score.toPrecision(6)} instead of ${pair.score.toPrecision(6)}`,
      );
    }
  }

  /**
   * @param picture encoded JPEG or PNG; compared with `reference`, or with the model's own golden picture
   * @throws {ReferenceMissing} when the model has none either
   * @throws {PictureUnreadable} when one of them cannot be decoded
   * @throws {ReferenceMismatch} when their shapes or sizes differ too much
   */
  async score(picture: Buffer, options: ScoreOptions = {}): Promise<AnomalyResult> {
    const golden = options.reference ?? this.shared;
    if (golden === null) {
      throw new ReferenceMissing(`this ${this.manifest.partType}`, 'neither the message nor the model brings one');
    }
    return scoreAgainstReference(this.comparer, this.manifest, picture, golden, options);
  }

  async dispose(): Promise<void> {
    await this.comparer.close();
  }
}
