import type { Random } from '../domain';

/** More held-out pictures than this sharpen no threshold any more; they serve the bank. */
const MOST_HELD_OUT = 250;
/** Each gives a held-out picture; thresholds need two. */
const FIRST_BLOCKS = 2;

export interface HoldOut {
  /** How many of the pictures expected can come into the bank. */
  readonly mostInBank: number;
  /** Asked once a picture: true when it is held out. */
  next(): boolean;
}

/**
 * Deals pictures out to the bank and to the calibration, in their order of arrival: of every block one random picture is
 * held out. Blocks are of three, so that few pictures still give thresholds; of more where a fourth or less is enough for
 * the wished rate. The first two have four at most: most of what was expected may turn out to be no pictures.
 *
 * @param count  pictures expected
 * @param wanted held-out pictures that the wished false-reject rate needs
 */
export function holdOut(count: number, wanted: number, random: Random): HoldOut {
  const least = count / 4 >= wanted ? 4 : 3;
  const usual = Math.max(least, Math.ceil(count / MOST_HELD_OUT));
  let blocks = 0;
  let block = least;
  let place = 0;
  let chosen = 0;
  return {
    mostInBank: count - Math.floor(count / usual),
    next() {
      if (place === 0) {
        block = blocks < FIRST_BLOCKS ? least : usual;
        chosen = Math.floor(random() * block);
        blocks++;
      }
      const heldOut = place === chosen;
      place = (place + 1) % block;
      return heldOut;
    },
  };
}
