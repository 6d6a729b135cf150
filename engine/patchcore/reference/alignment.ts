import type { Tensor } from '../../inference';
import type { Layers } from './layers';
import { lightBetween } from './light';
import type { Plane } from './plane';
import { register } from './registration';
import { coverage, laidOver } from './warp';

/** Share of the picture that the golden picture must cover. */
const LEAST_COVERED = 0.5;
/** Every this many pixels the light is looked at. */
const LIGHT_STEP = 7;

/** A picture and its golden picture, laid over it and in the same light: inputs of the comparison. */
export interface Alignment {
  /** [1, channels, height, width] each, 0..1 but for the light. */
  readonly picture: Tensor;
  readonly reference: Tensor;
  /** [1, 1, height, width], 1 where the golden picture covers the picture. */
  readonly counts: Tensor;
  readonly placement: Layers['placement'];
  /** Correlation of both, -1..1. */
  readonly similarity: number;
  /** False when they do not show the same part in the same place. */
  readonly isSamePart: boolean;
}

/** Lays a golden picture of the same size over a picture. */
export function align(
  shown: Layers,
  golden: Layers,
  { reach, leastSimilarity }: { readonly reach: number; readonly leastSimilarity: number },
): Alignment {
  const { width, height } = shown.grey;
  const area = width * height;
  const { warp, similarity } = register(shown.grey, golden.grey, reach);
  const { counts, share: covered } = coverage(warp, golden.grey, width, height);
  const channels = Math.max(shown.planes.length, golden.planes.length);
  const reference = new Float32Array(channels * area);
  for (let channel = 0; channel < channels; channel += 1) {
    const laid = reference.subarray(channel * area, (channel + 1) * area);
    laidOver(bandOf(golden, channel), warp, width, height, laid);
    const { gain, offset } = lightBetween(bandOf(shown, channel).data, laid, LIGHT_STEP);
    for (let place = 0; place < area; place += 1) laid[place] = gain * laid[place] + offset;
  }
  const dims = [1, channels, height, width];
  const picture = shown.planes.length === channels ? shown.data : repeated(shown.data, channels);
  return {
    picture: { data: picture, dims },
    reference: { data: reference, dims },
    counts: { data: counts, dims: [1, 1, height, width] },
    placement: shown.placement,
    similarity,
    isSamePart: similarity >= leastSimilarity && covered >= LEAST_COVERED,
  };
}

/** A grey picture has the same plane in every channel. */
function bandOf({ planes }: Layers, channel: number): Plane {
  return planes[Math.min(channel, planes.length - 1)];
}

function repeated(plane: Float32Array, times: number): Float32Array {
  const data = new Float32Array(times * plane.length);
  for (let index = 0; index < times; index += 1) data.set(plane, index * plane.length);
  return data;
}
