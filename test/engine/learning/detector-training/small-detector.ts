import { withTail } from '../../../../engine/detector';
import { seededRandom } from '../../../../engine/domain';
import { GraphBuilder, type OnnxModel, writeModel } from '../../../../engine/onnx';

export const SIDE = 64;
const BINS = 4;
const WIDTHS = [8, 12, 16, 16, 16] as const;

export interface SmallDetectorOptions {
  readonly classes?: readonly string[];
  readonly seed?: number;
  /** An operator between backbone and neck, for example one that nobody can train through. */
  readonly between?: string;
  readonly normalised?: boolean;
}

/**
 * A detector of the YOLO family's form with random weights, small enough to be trained within seconds: convolutions with SiLU to
 * strides 8, 16 and 32, a neck that goes down once, separate branches, four bins a distance. Input of 64 x 64.
 */
export function smallDetector({
  classes = ['red', 'green'],
  seed = 1,
  between,
  normalised,
}: SmallDetectorOptions = {}): OnnxModel {
  const random = seededRandom(seed);
  const graph = new GraphBuilder('small');
  const weights = (dims: readonly number[]) => {
    const fan = dims.slice(1).reduce((product, dim) => product * dim, 1);
    const count = dims[0] * fan;
    return graph.floats(
      dims,
      Float32Array.from({ length: count }, () => Math.sqrt(6 / fan) * (2 * random() - 1)),
    );
  };
  const filled = (count: number, value: number) => graph.floats([count], new Float32Array(count).fill(value));
  const convolution = (from: string, channels: readonly [number, number], size: number, stride: number, bias = 0) => {
    const pads = Array<number>(4).fill((size - 1) / 2);
    return graph.node('Conv', [from, weights([channels[1], channels[0], size, size]), filled(channels[1], bias)], {
      kernel_shape: [size, size],
      strides: [stride, stride],
      pads,
    });
  };
  const unit = (from: string, channels: readonly [number, number], stride = 1) => {
    const plain = convolution(from, channels, 3, stride);
    const one = (value: number) => filled(channels[1], value);
    const value = normalised ? graph.node('BatchNormalization', [plain, one(1), one(0), one(0), one(1)]) : plain;
    return graph.node('Mul', [value, graph.node('Sigmoid', [value])]);
  };
  const picture = graph.input('images', [1, 3, SIDE, SIDE]);
  let value = picture;
  const stages: string[] = [];
  for (const [stage, width] of WIDTHS.entries()) {
    value = unit(value, [stage === 0 ? 3 : WIDTHS[stage - 1], width], 2);
    stages.push(between && stage >= 2 ? graph.node(between, [value]) : value);
  }
  const [, , fine, middle, coarse] = stages;
  const enlarged = (from: string) => graph.node('Resize', [from, '', graph.floats([4], [1, 1, 2, 2])]);
  const joined16 = unit(graph.node('Concat', [middle, enlarged(coarse)], { axis: 1 }), [32, 16]);
  const joined8 = unit(graph.node('Concat', [fine, enlarged(joined16)], { axis: 1 }), [32, 16]);
  const levels = [joined8, joined16, coarse].map((from, index) => {
    const side = unit(from, [16, 16]);
    const kind = unit(from, [16, 16]);
    const stride = 8 << index;
    const level = { stride, boxes: `boxes${stride}`, classes: `classes${stride}` };
    graph.output(level.boxes, convolution(side, [16, 4 * BINS], 1, 1), [1, 4 * BINS, SIDE / stride, SIDE / stride]);
    graph.output(level.classes, convolution(kind, [16, classes.length], 1, 1, -4), [
      1,
      classes.length,
      SIDE / stride,
      SIDE / stride,
    ]);
    return level;
  });
  return withTail(graph.build(), levels, { classes, bins: BINS });
}

export function smallDetectorFile(options?: SmallDetectorOptions): Uint8Array {
  return writeModel(smallDetector(options));
}
