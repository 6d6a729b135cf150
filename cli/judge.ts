import { availableParallelism } from 'node:os';
import { PatchcoreModel } from '../engine/patchcore';

/** The model at a folder, checked, with all cores. */
export function loadModel(folder: string): Promise<PatchcoreModel> {
  return PatchcoreModel.load(folder, { threads: availableParallelism() });
}

export { verdictOf } from '../engine/domain';
