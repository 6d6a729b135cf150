import { availableParallelism } from 'node:os';
import type { Thresholds, Verdict } from '../engine/domain';
import { PatchcoreModel } from '../engine/patchcore';

/** The model at a folder, checked, with all cores. */
export function loadModel(folder: string): Promise<PatchcoreModel> {
  return PatchcoreModel.load(folder, { threads: availableParallelism() });
}

/** At or below the accept level OK, above the reject level NG, between them a person looks. */
export function verdictOf(score: number, { accept, reject }: Thresholds): Verdict {
  if (score > reject) return 'NG';
  return score <= accept ? 'OK' : 'REVIEW';
}
