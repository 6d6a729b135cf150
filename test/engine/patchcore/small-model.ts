import { trainPatchcore } from '../../../engine/patchcore';
import { drawGood } from './pictures';

/** Trains a model of the drawn weave, small and by a given recipe, so that it takes about a second. */
export async function trainSmallModel(outFolder: string, version: string): Promise<void> {
  await trainPatchcore({
    partType: 'weave',
    pictures: await drawGood(12),
    outFolder,
    version,
    source: 'drawn',
    input: { width: 96, height: 96, mode: 'stretch' },
    recipe: { moment: 'after', conditioning: 'none', spacing: false, scoring: { method: 'max' } },
    augmentation: null,
    coresetSize: 200,
    seed: 1,
    threads: 1,
  });
}
