import { availableParallelism } from 'node:os';
import { ClassifierModel } from '../engine/classifier';
import { DetectorModel } from '../engine/detector';
import type { ModelKind } from '../engine/domain';
import { type ModelManifest, readManifest } from '../engine/packages';
import { loadModel } from './judge';

const LOADERS: Readonly<Record<ModelKind, (folder: string) => Promise<{ dispose(): Promise<void> }>>> = {
  patchcore: loadModel,
  detector: (folder) => DetectorModel.open({ folder }, { threads: availableParallelism() }),
  classifier: (folder) => ClassifierModel.load(folder, { threads: availableParallelism() }),
};

/**
 * Loads a model of any kind as a station does: every file is compared with its hash, and its golden pictures are judged.
 *
 * @throws {ModelInvalid} when a file was changed, or a golden picture is judged otherwise here
 */
export async function checkModel(folder: string): Promise<ModelManifest> {
  const manifest = await readManifest(folder);
  const model = await LOADERS[manifest.kind](folder);
  await model.dispose();
  return manifest;
}
