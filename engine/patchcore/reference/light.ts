/** How bright one picture is against another: picture = gain x reference + offset. */
export interface Light {
  readonly gain: number;
  readonly offset: number;
}

/** Light differs by no more than this; what does is a difference of the part. */
const GAINS = [0.5, 2] as const;
const MOST_OFFSET = 0.3;
/** A reference that varies less has no contrast to tell a gain by. */
const LEAST_VARIANCE = 1e-5;
/** Pixels this many times the typical difference off do not belong to the light. */
const OUTLIER = 3;
const LEAST_LIMIT = 0.04;

/**
 * The light that explains most pixels: least squares, then once more without the pixels that fit badly.
 *
 * @param step every so many pixels are looked at
 */
export function lightBetween(picture: Float32Array, reference: Float32Array, step = 1): Light {
  const first = fitted(picture, reference, step, null);
  let sum = 0;
  let count = 0;
  for (let place = 0; place < picture.length; place += step) {
    sum += Math.abs(first.gain * reference[place] + first.offset - picture[place]);
    count += 1;
  }
  return fitted(picture, reference, step, { ...first, limit: Math.max(LEAST_LIMIT, (OUTLIER * sum) / count) });
}

function fitted(
  picture: Float32Array,
  reference: Float32Array,
  step: number,
  near: (Light & { readonly limit: number }) | null,
): Light {
  let [count, a, b, bb, ab] = [0, 0, 0, 0, 0];
  for (let place = 0; place < picture.length; place += step) {
    const [shown, known] = [picture[place], reference[place]];
    if (near !== null && Math.abs(near.gain * known + near.offset - shown) > near.limit) continue;
    count += 1;
    a += shown;
    b += known;
    bb += known * known;
    ab += shown * known;
  }
  if (count === 0) return near ?? { gain: 1, offset: 0 };
  const variance = bb / count - (b / count) ** 2;
  const covariance = ab / count - (a / count) * (b / count);
  const gain = variance < LEAST_VARIANCE ? 1 : Math.min(GAINS[1], Math.max(GAINS[0], covariance / variance));
  const offset = Math.min(MOST_OFFSET, Math.max(-MOST_OFFSET, a / count - (gain * b) / count));
  return { gain, offset };
}
