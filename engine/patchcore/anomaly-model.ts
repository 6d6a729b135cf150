import { defaultThreads } from '../inference';
import { type AnomalyManifest, readManifest } from '../packages';
import { type AnomalyResult, type PatchcoreLoadOptions, PatchcoreModel, type ScoreOptions } from './model';
import { ReferenceModel } from './reference';

/** A trained model of either method, loaded. Ends with `dispose`. */
export interface AnomalyModel {
  readonly manifest: AnomalyManifest;
  /**
   * @param picture encoded JPEG or PNG
   * @throws {PictureUnreadable}
   * @throws {ReferenceMissing} @throws {ReferenceMismatch} when it compares with golden pictures
   */
  score(picture: Buffer, options?: ScoreOptions): Promise<AnomalyResult>;
  dispose(): Promise<void>;
}

/**
 * Loads a model package, whatever its method.
 *
 * @throws {ModelInvalid} when a file was changed or a golden picture scores otherwise
 * @throws {RuntimeMissing} without ONNX Runtime
 */
export async function loadAnomalyModel(folder: string, options: PatchcoreLoadOptions = {}): Promise<AnomalyModel> {
  const { threads = defaultThreads(), verify = true } = options;
  const { method } = await readManifest(folder, 'patchcore');
  return method === 'bank'
    ? PatchcoreModel.load(folder, { threads, verify })
    : ReferenceModel.load(folder, { threads, verify });
}
