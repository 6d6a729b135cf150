import { availableParallelism } from 'node:os';
import { type AnomalyModel, loadAnomalyModel } from '../engine/patchcore';

/** The model at a folder, checked, with all cores. */
export function loadModel(folder: string): Promise<AnomalyModel> {
  return loadAnomalyModel(folder, { threads: availableParallelism() });
}

export { verdictOf } from '../engine/domain';
