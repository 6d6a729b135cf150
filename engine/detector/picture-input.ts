import { feeds, type OnnxGraph, type OnnxModel, type OnnxValueInfo } from '../onnx';
import { DetectorUnsupported } from './errors';

/** Sizes of a value as the file gives them: null for one that may vary. */
export type Sizes = readonly (number | null)[];

/** How a detector takes its picture: [batch, 3, height, width]; null for a size that may vary. */
export interface PictureInput {
  readonly name: string;
  readonly batch: number | null;
  readonly width: number | null;
  readonly height: number | null;
}

const FLOAT32 = 1;

/** Sizes of a tensor value; null when the file gives no shape at all. */
export function sizesOf({ type }: OnnxValueInfo): Sizes | null {
  if (type?.value.case !== 'tensorType') return null;
  const dims = type.value.value.shape?.dim;
  return dims?.map(({ value }) => (value.case === 'dimValue' && value.value > 0n ? Number(value.value) : null)) ?? null;
}

/**
 * The one input of a detector.
 *
 * @throws {DetectorUnsupported} when it takes anything but one RGB picture of 32-bit numbers
 */
export function inputSides(model: OnnxModel): PictureInput {
  const inputs = feeds(model.graph as OnnxGraph);
  if (inputs.length !== 1) throw new DetectorUnsupported(`it has ${inputs.length} inputs, a detector has one`);
  const [input] = inputs;
  const { name, type } = input;
  if (type?.value.case === 'tensorType' && type.value.value.elemType !== FLOAT32) {
    throw new DetectorUnsupported(`its input ${name} takes no 32-bit numbers; export it without "half" and "int8"`);
  }
  const sizes = sizesOf(input);
  if (sizes?.length !== 4 || (sizes[1] !== null && sizes[1] !== 3)) {
    throw new DetectorUnsupported(`its input ${name} has the shape ${written(sizes)}, not [1, 3, height, width]`);
  }
  const [batch, , height, width] = sizes;
  return { name, batch, width, height };
}

/** A shape for messages; sizes that vary are question marks. */
export function written(sizes: Sizes | null): string {
  return sizes === null ? 'unknown' : `[${sizes.map((size) => size ?? '?').join(', ')}]`;
}
