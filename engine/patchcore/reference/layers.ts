import { type Placement, toTensor } from '../../imaging';
import type { Plane } from './plane';

/** A decoded picture, as it is compared. */
export interface Layers {
  /** Red, green and blue; one when the picture is grey. */
  readonly planes: readonly Plane[];
  /** All planes, one after the other. */
  readonly data: Float32Array;
  /** Brightness. */
  readonly grey: Plane;
  readonly placement: Placement;
}

/** Decodes a picture at the given size. @throws {PictureUnreadable} */
export async function readLayers(picture: Buffer, width: number, height: number): Promise<Layers> {
  const { data, placement } = await toTensor(picture, { width, height, mode: 'stretch', kernel: 'cubic' });
  return layersOf(data, placement);
}

/** @param data planar RGB, [3 x input height x input width], 0..1; kept, not copied */
export function layersOf(data: Float32Array, placement: Placement): Layers {
  const { inputWidth: width, inputHeight: height } = placement;
  const area = width * height;
  const [red, green, blue] = [0, 1, 2].map((band) => data.subarray(band * area, (band + 1) * area));
  const planeOf = (values: Float32Array): Plane => ({ data: values, width, height });
  if (isSame(red, green) && isSame(green, blue)) {
    return { planes: [planeOf(red)], data: red, grey: planeOf(red), placement };
  }
  const grey = new Float32Array(area);
  for (let place = 0; place < area; place += 1) {
    grey[place] = 0.299 * red[place] + 0.587 * green[place] + 0.114 * blue[place];
  }
  return { planes: [red, green, blue].map(planeOf), data, grey: planeOf(grey), placement };
}

function isSame(a: Float32Array, b: Float32Array): boolean {
  for (let place = 0; place < a.length; place += 1) if (a[place] !== b[place]) return false;
  return true;
}
