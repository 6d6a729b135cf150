import {
  changed,
  GraphBuilder,
  metadataProps,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  withOutputs,
} from '../onnx';
import { detectorMetadata } from './metadata';
import { inputSides } from './picture-input';
import { formatPython } from './python-literal';

/** A grid's raw values: box distances [n, 4 * bins, height, width] and class logits [n, classes, height, width]. */
export interface TailLevel {
  readonly stride: number;
  readonly boxes: string;
  readonly classes: string;
}

export interface TailOptions {
  /** Names, in the order of the class channels. */
  readonly classes: readonly string[];
  /** Values each distance is spread over (Generalized Focal Loss); 1: the channel is the distance. */
  readonly bins: number;
}

/** What the tail's values are called: nothing of the body may begin so. */
const PREFIX = 'detect/';
export const DETECTIONS = 'output0';

/**
 * Ends a network in decoded boxes: one output `output0` [n, 4 + classes, cells], rows centre x, centre y, width and height
 * in input pixels, then a probability for each class. Works for any input size and batch that the body works for; the
 * metadata say all that `describeDetector` needs.
 *
 * @param body   any outputs; what the levels do not need is dropped
 * @param levels finest first
 * @see Li et al. 2020, "Generalized Focal Loss", section 3.2 (distances as the mean of a distribution)
 */
export function withTail(body: OnnxModel, levels: readonly TailLevel[], options: TailOptions): OnnxModel {
  const graph = body.graph as OnnxGraph;
  const { batch, width, height } = inputSides(body);
  const builder = new GraphBuilder('tail');
  const boxes = levels.map((level) => decodedBoxes(builder, level, options.bins));
  const logits = levels.map(({ classes }) => reshaped(builder, classes, [0, options.classes.length, -1]));
  const scores = builder.node('Sigmoid', [builder.node('Concat', logits, { axis: 2 })]);
  const result = builder.node('Concat', [builder.node('Concat', boxes, { axis: 2 }), scores], { axis: 1 });
  const cells =
    width !== null && height !== null
      ? levels.reduce((sum, { stride }) => sum + Math.ceil(width / stride) * Math.ceil(height / stride), 0)
      : 'cells';
  builder.output(DETECTIONS, result, [batch ?? 'batch', 4 + options.classes.length, cells]);
  const stride = levels[levels.length - 1].stride;
  const tail = builder.build(metadataWith(body, options.classes, stride));
  return changed(body, { graph: joined(graph, tail.graph as OnnxGraph, levels), metadataProps: tail.metadataProps });
}

/** [n, 4, cells]: centre and size in input pixels. */
function decodedBoxes(builder: GraphBuilder, { boxes, stride }: TailLevel, bins: number): string {
  const distances = bins === 1 ? reshaped(builder, boxes, [0, 4, -1]) : meanDistances(builder, boxes, bins);
  const side = (from: number) =>
    builder.node('Slice', [distances, builder.integers([from]), builder.integers([from + 2]), builder.integers([1])]);
  const centres = cellCentres(builder, boxes);
  const start = builder.node('Sub', [centres, side(0)]);
  const end = builder.node('Add', [centres, side(2)]);
  const middle = builder.node('Mul', [builder.node('Add', [start, end]), builder.floats([], [0.5])]);
  const decoded = builder.node('Concat', [middle, builder.node('Sub', [end, start])], { axis: 1 });
  return builder.node('Mul', [decoded, builder.floats([], [stride])]);
}

function meanDistances(builder: GraphBuilder, boxes: string, bins: number): string {
  const spread = builder.node('Transpose', [reshaped(builder, boxes, [0, 4, bins, -1])], { perm: [0, 1, 3, 2] });
  const shares = builder.node('Softmax', [spread], { axis: 3 });
  const values = builder.floats(
    [bins, 1],
    Float32Array.from({ length: bins }, (_, bin) => bin),
  );
  return reshaped(builder, builder.node('MatMul', [shares, values]), [0, 4, -1]);
}

/** [1, 2, cells]: x and y of the centre of each cell of a grid, in cells. */
function cellCentres(builder: GraphBuilder, grid: string): string {
  const shape = builder.node('Shape', [grid]);
  const count = (axis: number) => builder.node('Gather', [shape, builder.integers(axis)], { axis: 0 });
  const centres = (axis: number) => {
    const numbers = builder.node('Range', [builder.integers(0), count(axis), builder.integers(1)]);
    return builder.node('Add', [builder.node('Cast', [numbers], { to: 1 }), builder.floats([], [0.5])]);
  };
  const columns = centres(3);
  const rows = reshaped(builder, centres(2), [-1, 1]);
  const nothing = (value: string) => builder.node('Mul', [value, builder.floats([], [0])]);
  const x = builder.node('Add', [columns, nothing(rows)]);
  const y = builder.node('Add', [rows, nothing(columns)]);
  return builder.node('Concat', [reshaped(builder, x, [1, 1, -1]), reshaped(builder, y, [1, 1, -1])], { axis: 1 });
}

function reshaped(builder: GraphBuilder, value: string, shape: readonly number[]): string {
  return builder.node('Reshape', [value, builder.integers(shape)]);
}

/** One graph of both; the tail's own names get a prefix, so that none is there twice. */
function joined(body: OnnxGraph, tail: OnnxGraph, levels: readonly TailLevel[]): OnnxGraph {
  const own = new Set([...tail.node.flatMap(({ output }) => output), ...tail.initializer.map(({ name }) => name)]);
  own.delete(DETECTIONS);
  const called = (name: string) => (own.has(name) ? `${PREFIX}${name}` : name);
  const wanted = levels.flatMap(({ boxes, classes }) => [boxes, classes]);
  const before = withOutputs(body, Object.fromEntries(wanted.map((name) => [name, name])));
  const nodes = tail.node.map(
    (node): OnnxNode =>
      changed(node, { name: `${PREFIX}${node.name}`, input: node.input.map(called), output: node.output.map(called) }),
  );
  const constants = tail.initializer.map((tensor): OnnxTensor => changed(tensor, { name: called(tensor.name) }));
  return changed(before, {
    node: [...before.node, ...nodes],
    initializer: [...before.initializer, ...constants],
    output: tail.output,
  });
}

/** What the body's metadata say, with the new classes and output. */
function metadataWith(body: OnnxModel, classes: readonly string[], stride: number): Record<string, string> {
  const { imageSize } = detectorMetadata(body);
  const { width, height } = inputSides(body);
  const sides = imageSize ?? (width !== null && height !== null ? { width, height } : null);
  const { args, ...others } = metadataProps(body);
  return {
    ...others,
    names: formatPython(new Map(classes.map((name, number) => [number, name]))),
    task: 'detect',
    stride: String(stride),
    ...(sides && { imgsz: formatPython([sides.height, sides.width]) }),
    end2end: 'False',
  };
}
