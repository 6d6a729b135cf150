import type { View } from '../imaging';
import { signatureOf } from '../statistics';

/** What a picture looks like in few numbers, 0..255; with tiles, each in a sixteenth as many. */
export function signatureOfViews(views: readonly View[]): Uint8Array {
  const parts = views.map(({ data, width, height }) => {
    const signature = signatureOf(data, width, height);
    return views.length === 1 ? signature : coarser(signature);
  });
  return Uint8Array.from(parts.flatMap((part) => Array.from(part, (value) => Math.round(255 * value))));
}

/** Means over 4x4 cells of a signature's 16x16. */
function coarser(signature: Float32Array): Float32Array {
  const coarse = new Float32Array(signature.length / 16);
  for (let place = 0; place < signature.length; place += 1) {
    const [channel, row, column] = [Math.floor(place / 256), Math.floor((place % 256) / 16), place % 16];
    coarse[channel * 16 + Math.floor(row / 4) * 4 + Math.floor(column / 4)] += signature[place] / 16;
  }
  return coarse;
}
