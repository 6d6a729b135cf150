import type { Random } from '../domain';

/** More held-out pictures than this sharpen no threshold any more; they serve the bank. */
const MOST_HELD_OUT = 250;

/**
 * Deals pictures out to the bank and to the calibration, in their order of arrival: of every block one random picture is
 * held out. Blocks are of three, so that few pictures still give thresholds; of more where a fourth or less is enough for
 * the wished rate.
 *
 * @param count  pictures expected
 * @param wanted held-out pictures that the wished false-reject rate needs
 * @returns asked once a picture: true when it is held out
 */
export function holdOut(count: number, wanted: number, random: Random): () => boolean {
  const block = Math.max(count / 4 >= wanted ? 4 : 3, Math.ceil(count / MOST_HELD_OUT));
  let place = 0;
  let chosen = 0;
  return () => {
    if (place === 0) chosen = Math.floor(random() * block);
    const heldOut = place === chosen;
    place = (place + 1) % block;
    return heldOut;
  };
}
