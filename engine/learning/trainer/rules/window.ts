import { integersOf, type OnnxNode } from '../../../onnx';
import { UntrainableOperator } from '../errors';
import { textOf } from './rule';

/** Where the windows of a convolution or pooling over pictures [batch, channels, height, width] lie; [vertical, horizontal]. */
export interface Windows {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Cells added before the first. */
  readonly before: readonly [number, number];
  /** Cells that the windows reach beyond the last; negative for cells that none reaches. */
  readonly after: readonly [number, number];
  /** Windows. */
  readonly counts: readonly [number, number];
}

/**
 * @param input shape of the picture
 * @param output shape of the result
 * @throws {UntrainableOperator} for anything but pictures
 */
export function windowsOf(
  node: OnnxNode,
  input: readonly number[],
  output: readonly number[],
  kernel: readonly number[],
): Windows {
  if (input.length !== 4) throw new UntrainableOperator(node, `its input has ${input.length} axes, only 4 are known`);
  const pair = (attribute: string): [number, number] => {
    const given = integersOf(node, attribute);
    return given.length === 2 ? [given[0], given[1]] : [1, 1];
  };
  const [strides, dilations] = [pair('strides'), pair('dilations')];
  const auto = textOf(node, 'auto_pad', 'NOTSET');
  const pads = integersOf(node, 'pads');
  const reach = (axis: 0 | 1) => (output[axis + 2] - 1) * strides[axis] + (kernel[axis] - 1) * dilations[axis] + 1;
  const before = (axis: 0 | 1) => {
    const total = Math.max(0, reach(axis) - input[axis + 2]);
    if (auto === 'SAME_UPPER') return Math.floor(total / 2);
    if (auto === 'SAME_LOWER') return Math.ceil(total / 2);
    return auto === 'NOTSET' ? (pads[axis] ?? 0) : 0;
  };
  const first: [number, number] = [before(0), before(1)];
  return {
    kernel: [kernel[0], kernel[1]],
    strides,
    dilations,
    before: first,
    after: [reach(0) - input[2] - first[0], reach(1) - input[3] - first[1]],
    counts: [output[2], output[3]],
  };
}

/** Attributes of a `ConvTranspose` that puts what was computed for each window back into the window's cells. */
export function backIntoCells({ strides, dilations, before, after }: Windows) {
  return {
    strides,
    dilations,
    pads: [...before, ...after.map((count) => Math.max(0, count))],
    output_padding: after.map((count) => Math.max(0, -count)),
  };
}
