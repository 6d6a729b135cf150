import type { AugmentationWish, Random } from '../domain';
import { type Augmentation, augmentPlaces, contentOf, drawAugmentations, type View } from '../imaging';
import type { CalibrationMethod } from '../statistics';
import { TooFewPictures } from './errors';
import type { ViewPatches } from './patch-set';
import type { TrainingSettings } from './training-settings';

/** Below this many pictures calibration has nothing to hold out, and scores altered copies. */
export const LEAST_TO_HOLD_OUT = 4;
/** With fewer pictures altered copies fill the bank up, unless told otherwise. */
const FEW_PICTURES = 16;
/** What cannot be the defect in most lines: a little light, a little play. */
const USUAL_VARIATION = { flip: false, rotation: 0, light: 0.1, shift: 0.02 } as const;
/** Which altered copies are learnt, and what is scored. */
export interface Variation {
  readonly wish: AugmentationWish | null;
  /** Altered copies of each picture. */
  readonly copies: number;
  readonly method: CalibrationMethod;
}

export const NO_VARIATION: Variation = { wish: null, copies: 0, method: 'cross-validated' };

/**
 * @param sampled different readable pictures seen so far
 * @param listed  pictures there are to read
 * @throws {TooFewPictures} with a single picture when altered copies are switched off
 */
export function variationFor(
  augmentation: TrainingSettings['augmentation'],
  sampled: number,
  listed: number,
): Variation {
  const few = Math.max(sampled, listed) < FEW_PICTURES;
  const wish = augmentation === 'auto' ? (few ? USUAL_VARIATION : null) : isVarying(augmentation) ? augmentation : null;
  if (wish === null) {
    if (sampled < 2) throw new TooFewPictures(sampled, 0, 2);
    return { wish, copies: 0, method: 'cross-validated' };
  }
  const copies = few ? Math.max(1, Math.ceil(FEW_PICTURES / sampled) - 1) : 1;
  return { wish, copies, method: sampled < LEAST_TO_HOLD_OUT ? 'augmented' : 'cross-validated' };
}

function isVarying(wish: AugmentationWish | null): boolean {
  return wish !== null && (wish.flip || wish.rotation > 0 || wish.light > 0 || wish.shift > 0);
}

/** The patches of an altered copy know what they show. What the mask leaves out goes along with the picture. */
export function ofAlteredCopy(patches: ViewPatches, view: View, change: Augmentation): ViewPatches {
  const { counts, gridRows, gridColumns } = patches;
  const shows = augmentPlaces(gridRows, gridColumns, view, change, contentOf(view));
  return { ...patches, counts: Float32Array.from(shows, (patch) => (patch < 0 ? 0 : counts[patch])), shows };
}

export function drawVariations({ wish, copies }: Variation, random: Random): Augmentation[] {
  return wish === null || copies === 0 ? [] : drawAugmentations(wish, copies, random);
}
